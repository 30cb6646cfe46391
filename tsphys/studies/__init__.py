"""Many runs: studies, their files, stores, sweeps, clusters."""

"""The ground floor: parameters, fingerprints, times, progress; imports nothing of ours."""

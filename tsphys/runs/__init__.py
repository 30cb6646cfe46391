"""How runs are made and kept: replicas over threads, results, provenance, configuration."""

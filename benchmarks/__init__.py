"""Benchmarks: tsphys against reference implementations, as ratios measured in one run."""

if __name__ == "benchmarks":  # the package finds itself by its own name only
    raise ImportError("this folder is the package tsphys.benchmarks; import it by that name")

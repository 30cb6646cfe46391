"""Theory of the dynamics, one file a model."""

if __name__ == "odes":  # a second copy of every kernel would live in the process
    raise ImportError("this folder is the package tsphys.odes; import it by that name")

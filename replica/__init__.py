"""Theory of the statics: saddle points and state evolution, one file a model."""

if __name__ == "replica":  # a second copy of every kernel would live in the process
    raise ImportError("this folder is the package tsphys.replica; import it by that name")

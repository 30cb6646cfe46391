"""One script a figure: theory and simulation in one picture."""

if __name__ == "figures":  # a second copy of every kernel would live in the process
    raise ImportError("this folder is the package tsphys.figures; import it by that name")

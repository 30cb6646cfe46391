"""Checks of theory and simulation against each other and against first principles, for a user's own machine."""

if __name__ == "validation":  # the package finds itself by its own name only
    raise ImportError("this folder is the package tsphys.validation; import it by that name")

"""What a model owes to the rest of the package."""

from __future__ import annotations

from typing import ClassVar

from tsphys.ground.parameters import validate


class Model:
    """A description: parameters and their meaning, and nothing that runs.

    A model

    1. is a frozen dataclass, each field made by `tsphys.ground.parameters.param`, which serves the library, the command
       line, files and error messages;
    2. says its ``name``, that of its entry in `tsphys.catalogue` and of its file in every room;
    3. checks what goes together in ``__post_init__``, after that of this class, which checks each field by itself;
    4. says what its size is, if that is not an option N of the simulation but another, or a parameter: what comparisons
       know of how far a run is from a theory for infinite size.
    """

    name: ClassVar[str]
    size: ClassVar[str] = "N"
    #: Parameters that a run may be asked for in their place; see `Static`.
    axes: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        validate(self)


class Static(Model):
    """A model of states, not of a course in time; beside what `Model` asks for it

    5. says which parameters may be the axis of a run, first the one that is if none is given as a sequence.
    """

    axes: ClassVar[tuple[str, ...]]

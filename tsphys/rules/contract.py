"""What a model owes to the rest of the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar

from tsphys.errors import ModelError
from tsphys.ground import html
from tsphys.ground.parameters import described, validate
from tsphys.ground.texts import nearest
from tsphys.physics.order_parameters import DIMS, OrderParameters, of_many

if TYPE_CHECKING:
    import numpy as np


class Model:
    """A description: parameters and their meaning, and nothing that runs.

    A model

    1. is a frozen dataclass, each field made by `tsphys.ground.parameters.param`, which serves the library, the command
       line, files and error messages;
    2. says its ``name``, that of its entry in `tsphys.catalogue` and of its file in every room;
    3. checks what goes together in ``__post_init__``, after that of this class, which checks each field by itself;
    4. says what its size is, if that is not an option N of the simulation but another, or a parameter: what comparisons
       know of how far a run is from a theory for infinite size; and which parameters are ``counted`` in units of it,
       as ``{"alpha": "example"}``, so that runs have the nearest whole number instead, and one at least; which
       observables are `shares` of so many, that few runs may all have none of.
    """

    # Every model is a dataclass, which type checkers see by this.
    __dataclass_fields__: ClassVar[dict[str, Any]]

    name: ClassVar[str]
    size: ClassVar[str] = "N"
    counted: ClassVar[Mapping[str, str]] = {}
    #: Parameters that a run may be asked for in their place; see `Static`.
    axes: ClassVar[tuple[str, ...]] = ()

    #: What one does with a function that no parameter can be.
    hint: ClassVar[str] = ""

    #: What a class says of itself, beside `name`.
    owed: ClassVar[tuple[str, ...]] = ("name",)

    def __new__(cls, *given: Any, **named: Any) -> Any:
        """The error of a parameter that there is none of, in the words of all other errors of parameters."""
        own = {f.name: f.metadata for f in fields(cls) if f.init}
        for name, value in named.items():
            if name not in own:
                near = nearest(name, own)
                hint = f"did you mean {near}?" if near else f"known are {', '.join(own)}"
                raise ModelError(name, value, f"is not a parameter of {cls.__name__}; {hint}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for what in self.owed:
            if not getattr(type(self), what, None):
                words = "must be said by the class, as `name: ClassVar[str] = \"my_model\"`" if what == "name" else (
                    "must be said by the class: parameters that may be sequences, as "
                    "`axes: ClassVar[tuple[str, ...]] = (\"alpha\",)`"
                )  # fmt: skip
                raise ModelError(f"{what} of {type(self).__name__}", None, words)
        validate(self, self.hint)

    def shares(self, N: float) -> Mapping[str, float]:
        """Of how many, in a run of size N, an observable is a share, or a mean where most are 0: name -> number."""
        return {}

    def _repr_html_(self) -> str:
        own = [(name, f.metadata) for name, f in described(self).items()]
        rows = {name: f"{html.text(getattr(self, name))} <i style='opacity:.65'>{html.text(meta['help'])}</i>"
                for name, meta in own}  # fmt: skip
        return html.table(type(self).__name__, rows)


class Static(Model):
    """A model of states, not of a course in time; beside what `Model` asks for it

    5. says which parameters may be the axis of a run, first the one that is if none is given as a sequence.
    """

    axes: ClassVar[tuple[str, ...]]
    owed: ClassVar[tuple[str, ...]] = ("name", "axes")


class Online(Model):
    """A model of online learning: of a rule on local fields. Beside what `Model` asks for it

    5. gives its rule by `learning_rule`,

    and owes nothing else. What follows from the rule it may say better: `start`, `completed`, `eps_g` where there is a
    closed form, `observables`, `measured` of a course in time and `trained` of a training set, where there are others,
    `readout_shape` and `dims` where readouts have more than one axis.
    """

    hint: ClassVar[str] = "a function of your own makes a tsphys.LearningRule"
    #: Names of the axes of observables after those of replica and time.
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = DIMS

    def learning_rule(self) -> Any:
        """The `tsphys.LearningRule` that this model is an instance of."""
        raise NotImplementedError(f"{type(self).__name__} must have a method learning_rule")

    @of_many
    def start(self, N: int, rng: np.random.Generator) -> OrderParameters:
        """Overlaps at t = 0 if none are given: of iid Gaussian weights at size N, drawn from their exact law.

        One of your own gets a NumPy generator, and marked by `tsphys.physics.order_parameters.of_many` several in one.
        """
        return self.learning_rule().start(N, rng)

    def completed(self, start: Any) -> Any:
        """A start that was given, with what the rule has beyond it, as units that are still to come."""
        return start

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray | None:
        """Generalisation error at given overlaps with any leading axes; none without an error of examples."""
        return self.learning_rule().eps_g(R, Q, T, v, v_star)

    def observables(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> dict[str, np.ndarray]:
        """What is seen beside the overlaps, at given ones with any leading axes."""
        eps_g = self.eps_g(R, Q, T, v, v_star)
        return {} if eps_g is None else {"eps_g": eps_g}

    def trained(
        self, lam: np.ndarray, nu: np.ndarray, v: np.ndarray, v_star: np.ndarray, noise: np.ndarray
    ) -> dict[str, Any]:  # fmt: skip
        """What is seen of n examples of a fixed training set, as numbers: of fields (K, n), (M, n), noises (…, n)."""
        return {}

    @property
    def readout_shape(self) -> tuple[int, ...] | None:
        """The shape in which readouts are seen; none: as they are."""
        return None

    def measured(self, t: Any, R: Any, Q: Any, v: Any) -> dict[str, np.ndarray]:
        """What is seen of a course in time, from overlaps (…, len(t), …)."""
        return {}

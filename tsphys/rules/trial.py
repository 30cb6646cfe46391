"""A user's functions tried on random examples, before they are compiled into kernels that check nothing.

They run as plain Python, on arrays that say by name what was read or written beyond their ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.given import first_line, in_words, takes
from tsphys.physics.order_parameters import triangular_root
from tsphys.rules.binding import origin
from tsphys.rules.helpers import call_compiled, compiled, interpreted
from tsphys.rules.params import named, names

#: Examples of each kind, fewer for large networks: as many as hold so many numbers.
MOST_EXAMPLES, MOST_NUMBERS = 200, 50_000
#: Examples among which a rule that learns at all has learnt from one.
ENOUGH = 50
#: Standard deviations that hardly a variable exceeds in a million examples.
FAR = 5.0

ARGUMENTS = {"error": ("lam", "nu", "v", "v_star", "p"), "law": ("s", "noise", "p")}
#: What a function is to write; all else it only reads.
WRITTEN = {"function": ("c", "dv"), "error": (), "law": ("s", "noise")}


class Misuse(Exception):
    """Something that an argument does not allow."""

    def __init__(self, argument: str, words: str):
        super().__init__(words)
        self.argument = argument


class Argument(np.ndarray):
    """An argument of a user's function, or a part of one, that tells its name where it is misused."""

    name = "an array"
    #: Names of what was written to.
    written: frozenset[str] | set[str] = frozenset()

    def __getitem__(self, key: Any) -> Any:
        out = self._told(super().__getitem__, key)
        if isinstance(out, Argument):
            out.name, out.written = self.name, self.written
        return out

    def __setitem__(self, key: Any, value: Any) -> None:
        self._told(super().__setitem__, key, value)
        self.written |= {self.name}

    def _told(self, do: Callable[..., Any], key: Any, *value: Any) -> Any:
        try:
            return do(key, *value)
        except (IndexError, ValueError, TypeError) as error:
            words = f"{'write' if value else 'read'} {self.name}[{_shown(key)}]: {' '.join(str(error).split())}"
            raise Misuse(self.name, words) from None


def _shown(key: Any) -> str:
    if isinstance(key, tuple):
        return ", ".join(map(_shown, key))
    if isinstance(key, slice):
        return ":".join("" if k is None else str(k) for k in (key.start, key.stop, *([key.step] if key.step else [])))
    return str(key)


def prepare(rule: Any) -> None:
    """Compile the functions of a LearningRule, and try them with the readouts that it declares, if it does.

    Raises
    ------
    ModelError
        As `try_out`.
    """
    for name in _of_user(rule):
        f = getattr(rule, name)
        takes(name, f, *_arguments(rule, name))
        object.__setattr__(rule, name, f if hasattr(f, "py_func") else compiled(name, f))
    if "function" not in _of_user(rule) and rule.params and not names(rule.params):
        raise ModelError("params", rule.params, f"must be the Params of {rule.function.py_func.__module__}")
    if _of_user(rule):
        _try_all(rule, rule.params.__class__, len(rule.v), len(rule.v_star), True)


def try_out(rule: Any, V: int, V_star: int) -> None:
    """Try the functions of a LearningRule with readouts of these lengths.

    Raises
    ------
    ModelError
        If one reads or writes beyond its arguments, changes what it is to read, fails, returns no number where it
        should, answers the same fields in two ways, makes NaN of ordinary fields, or cannot be compiled.
    """
    if _of_user(rule):
        _try_all(rule, rule.params.__class__, V, V_star, False)


def _of_user(rule: Any) -> list[str]:
    """The functions that are not ours, which have tests."""
    given = (("law", rule.law), ("function", rule.function), ("error", rule.error))
    return [name for name, f in given if not (f is None and name != "function") and not origin(f)]


def _arguments(rule: Any, name: str) -> tuple[str, ...]:
    if name != "function":
        return ARGUMENTS[name]
    more = ("gram",) * rule.whole_batch + ("R", "Q") * rule.uses_overlaps
    return ("lam", "nu", "v", "v_star", "noise", *more, "p", "c", "dv")


@lru_cache(maxsize=1024)
def _try_all(rule: Any, params: type, V: int, V_star: int, declared: bool) -> None:
    """All functions of a user's; readouts that are only `declared` may come with a start.

    Parameters of two classes, with other names or none, or with whole numbers in the place of others, are equal if
    their numbers are, so that the class `params` tells.
    """
    for name in _of_user(rule):
        function = getattr(rule, name)
        absent = [k for k, n in (("v", V), ("dv", V), ("v_star", V_star)) if declared and n == 0]
        try:
            wrote: list[bool] = []
            for near, example in examples(rule, V, V_star, name != "law"):
                arguments = {k: example[k] for k in _arguments(rule, name)}
                (something, answer), (_, again) = (_try(name, function, arguments, near) for _ in range(2))
                if not _equal(answer, again):
                    words = "must answer the same fields the same; random numbers come with them, as noise (n_noise)"
                    raise ModelError(name, function, words)
                wrote.append(something)
        except Misuse as misuse:
            if misuse.argument not in absent:
                raise ModelError(name, function, f"must not {misuse}") from None
        if name == "function" and not any(wrote) and len(wrote) >= ENOUGH:
            words = f"must write to c, as `c[0] = …` does, or to dv, and wrote nothing in {len(wrote)} examples"
            raise ModelError(name, function, words)
        if not declared:
            call_compiled(name, function, *(_copy(example[k]) for k in _arguments(rule, name)))


def _copy(argument: Any, name: str = "") -> Any:
    """A copy of an argument, with a `name` one that tells it; in parameters with names numbers are plain ones."""
    if isinstance(argument, tuple):
        parts = zip(argument._fields, argument, strict=True)  # type: ignore[attr-defined]
        return argument._make(_copy(a, name and f"{name}.{k}") if np.ndim(a) else a for k, a in parts)  # type: ignore[attr-defined]
    if not name:
        return np.array(argument)
    out = np.array(argument).view(Argument)
    out.name = name
    return out


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    # Nearly always nothing was written, which bytes tell ten times as fast.
    return np.asarray(one).tobytes() == np.asarray(other).tobytes() or np.array_equal(one, other, equal_nan=True)


def _try(name: str, function: Any, arguments: dict[str, Any], near: bool) -> tuple[bool, tuple[np.ndarray, ...]]:
    """One call, of a copy in plain Python, at fields and noises that are ordinary (`near`) or hardly ever met.

    Whether it wrote anything, and what it wrote or returned, nothing where compiled it would go on to infinity.
    """
    given = {k: _copy(a, k) for k, a in arguments.items()}
    written: set[str] = set()
    for argument in given.values():
        if isinstance(argument, Argument):
            argument.written = written
    try:
        with np.errstate(all="ignore"):
            value = interpreted(function)(*given.values())
    except Misuse:
        raise
    except (OverflowError, ZeroDivisionError):
        return True, ()  # Compiled, it goes on with infinity.
    except Exception as error:
        if isinstance(error, AttributeError) and named(getattr(error, "obj", None)):
            has = ", ".join(names(error.obj))
            raise ModelError(name, function, f"must read of p what params have ({has}), not p.{error.name}") from None
        if near or isinstance(error, NameError):
            raise ModelError(name, function, f"must not fail, as it did with {first_line(error)}") from error
        return True, ()
    for k, a in given.items():
        if k not in WRITTEN[name] and not _equal(a, arguments[k]):
            raise ModelError(name, function, f"must not change {k}, but a copy of it")
    results: dict[str, np.ndarray] = {k: given[k] for k in WRITTEN[name]}
    if name == "error":
        if np.ndim(value) != 0 or np.asarray(value).dtype.kind not in "fiub":
            raise ModelError(name, function, f"must return a number, and returned {in_words(value)}")
        results["what it returns"] = np.asarray(value)
    for k, result in results.items():
        if near and np.isnan(result).any():
            raise ModelError(name, function, f"must not make NaN of fields of order one, as it did in {k}")
    return bool(written) or any(np.any(result) for result in results.values()), tuple(results.values())


def examples(rule: Any, V: int, V_star: int, lawful: bool) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Arguments by their names, every other time such as are met all the time; `lawful`: of inputs with their law."""
    K, M, b = rule.K, rule.M, rule.minibatch if rule.whole_batch else 1
    rng, spread = np.random.default_rng(0), 1.0 if rule.T is None else np.sqrt(np.diag(rule.T))
    for i in range(max(2, min(MOST_EXAMPLES, MOST_NUMBERS // (b * (K + M + rule.n_noise))))):
        near = i % 2 == 0

        def draw(*shape: int, near: bool = near) -> np.ndarray:
            return rng.standard_normal(shape) if near else rng.uniform(-FAR, FAR, shape)

        p, s, noise = rule.seen_params(), draw(b, M), draw(b, rule.n_noise)
        more: dict[str, Any] = {"p": p}
        if rule.uses_overlaps:
            A, L, root = draw(K, M), np.tril(draw(K, K)), triangular_root(rule.teacher_overlaps())
            more |= {"R": A @ root.T, "Q": A @ A.T + L @ L.T}
        if lawful and rule.law is not None:
            for row in range(b):
                interpreted(rule.law)(s[row], noise[row], p)
        each = {"lam": draw(b, K), "nu": s * spread, "s": s, "noise": noise}
        each |= {"c": np.zeros((b, K)), "dv": np.zeros((b, V))}
        out = each if rule.whole_batch and lawful else {k: a[0] for k, a in each.items()}
        x = draw(b, 2 * b)
        out |= {**more, "gram": x @ x.T / (2 * b)}
        for k, own, length in (("v", rule.v, V), ("v_star", rule.v_star, V_star)):
            out[k] = np.array(own) if len(own) == length else draw(length)
        yield near, out

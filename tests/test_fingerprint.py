"""The hash of a function follows what it computes."""

import functools
import subprocess
import sys
import types
from collections import namedtuple

import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline

import tsphys
from tsphys._jit import njit
from tsphys.ground.fingerprint import fingerprint

RATE = 0.5


def made(source, **around):
    space = dict(around)
    exec(source, space)
    return space["f"]


def module(rate):
    """One of the user's."""
    out = types.ModuleType("constants")
    out.__file__, out.rate = "constants.py", rate
    return out


ADD, SUB = made("def f(x):\n    return x + 1\n"), made("def f(x):\n    return x - 1\n")
THREE = "def f(x):\n    return a(x) * b(x) * c(x)\n"
PLAIN = "def f(x):\n    return rate * x + 1.0\n"
# Of splines those whose coefficients no solver makes, whose last bits depend on where arrays lie in memory.
OTHERS = {
    "a constant": made(PLAIN.replace("1.0", "2.0"), rate=RATE),
    "an operation": made(PLAIN.replace("+", "-"), rate=RATE),
    "a global number": made(PLAIN, rate=0.6),
    "a global array": made(PLAIN, rate=np.array([0.5])),
    "a function that it calls": made("def f(x):\n    return g(x)\n", g=made(PLAIN, rate=RATE)),
    "the same in what it calls": made("def f(x):\n    return g(x)\n", g=made(PLAIN, rate=0.6)),
    "a default": made("def f(x, y=1):\n    return x\n"),
    "another default": made("def f(x, y=2):\n    return x\n"),
    "a keyword's default": made("def f(x, *, y=2):\n    return x\n"),
    "another keyword's default": made("def f(x, *, y=1):\n    return x\n"),
    "what a comprehension takes": made("def f(x):\n    return [rate for z in x]\n", rate=0.5),
    "another in a comprehension": made("def f(x):\n    return [rate for z in x]\n", rate=0.6),
    "a module's": made("def f(x):\n    return constants.rate * x\n", constants=module(0.5)),
    "another module's": made("def f(x):\n    return constants.rate * x\n", constants=module(0.6)),
    "one of two again": made(THREE, a=ADD, b=SUB, c=ADD),
    "the other again": made(THREE, a=ADD, b=SUB, c=SUB),
    "a number by its name": made("def f(x):\n    return p.a * x\n", p=namedtuple("P", "a b")(1.0, 2.0)),
    "the other by it": made("def f(x):\n    return p.a * x\n", p=namedtuple("P", "b a")(1.0, 2.0)),
    "what is caught": made("def f(x):\n    try:\n        return g(x)\n    except ValueError:\n        return x\n"),
    "what is not": made("def f(x):\n    try:\n        return g(x)\n    except KeyError:\n        return x\n"),
    "a table": made("def f(x):\n    return table[x]\n", table={"a": 1.0}),
    "another table": made("def f(x):\n    return table[x]\n", table={"a": 2.0}),
    "a set": made("def f(x):\n    return x in known\n", known={"a", "b", ("c", 1)}),
    "another set": made("def f(x):\n    return x in known\n", known={"a", "b", ("c", 2)}),
    "an array of objects": made("def f(x):\n    return a[x]\n", a=np.array([None, "b"], dtype=object)),
    "an array with holes": made(PLAIN, rate=np.ma.array([0.5, 0.25], mask=[False, True])),
    "with another hole": made(PLAIN, rate=np.ma.array([0.5, 0.25], mask=[True, False])),
    "one hole": made(PLAIN, rate=np.ma.masked),
    "a part": functools.partial(np.power, 2.0),
    "another part": functools.partial(np.power, 3.0),
    "a spline": CubicHermiteSpline([0, 1, 2], [0, 1, 4], [0, 2, 4]),
    "another spline": CubicHermiteSpline([0, 1, 2], [0, 1, 5], [0, 2, 4]),
    "a method": np.polynomial.Polynomial([0, 1]).__call__,
    "another method": np.polynomial.Polynomial([0, 2]).__call__,
    "vectorised": np.vectorize(made("def f(x):\n    return x\n")),
    "another vectorised": np.vectorize(made("def f(x):\n    return -x\n")),
    "a universal function": np.tanh,
    "another": np.sinh,
}


@pytest.mark.parametrize("folder", ["/usr/lib/python3/dist-packages", "/home/me/.local/lib/python3.11/site-packages"])
def test_what_libraries_take_from_around_them_does_not_count(folder):
    """Wherever they are installed: for all users of a machine, or for one."""
    code = compile("def f(x):\n    return rate * x\n", f"{folder}/library/of.py", "exec")
    prints = set()
    for rate in (1.0, 2.0):
        space = {"rate": rate}
        exec(code, space)
        prints.add(fingerprint(space["f"]))
    assert len(prints) == 1


def test_every_change_is_seen():
    prints = [fingerprint(made(PLAIN, rate=RATE)), *(fingerprint(f) for f in OTHERS.values())]
    assert len(set(prints)) == len(prints)


def test_names_lines_and_jit_do_not_count():
    f = made("\n\n" + PLAIN, rate=RATE)
    assert fingerprint(f) == fingerprint(made(PLAIN, rate=RATE)) == fingerprint(njit(f, cached=False))
    # An attribute's name is none of a variable.
    real = "def f(x):\n    return x.real\n"
    assert fingerprint(made(real, real=1)) == fingerprint(made(real))


def test_closures_count():
    def maker(a):
        return lambda x: a * x

    assert fingerprint(maker(1)) != fingerprint(maker(2))
    assert fingerprint(maker(1)) == fingerprint(maker(1))


def test_recursion_ends():
    f = made("def f(n):\n    return n * f(n - 1) if n else 1\n")
    assert len(fingerprint(f)) == 12
    around = [1]
    around.append(around)
    assert len(fingerprint(made("def f(x):\n    return a\n", a=around))) == 12


def test_what_is_not_set_yet_does_not_matter():
    def maker():
        def f(x):
            return later(x)

        found = fingerprint(f)
        later = abs
        return found, fingerprint(f), later

    before, after, _ = maker()
    assert before != after


def test_calls_leave_no_trace():
    f = np.vectorize(made(PLAIN, rate=RATE))
    before = fingerprint(f)
    f(np.ones(3))
    assert fingerprint(f) == before


def test_another_process_gives_the_same():
    call = "from tests.test_fingerprint import OTHERS, fingerprint\nfor f in OTHERS.values(): print(fingerprint(f))"
    # Strings get another hash in each process, and sets another order.
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [fingerprint(f) for f in OTHERS.values()]


def rule(rate):
    def step(lam, nu, v, v_star, noise, p, c, dv):
        c[0] = rate * (nu[0] - lam[0])

    return tsphys.LearningRule(step)


def test_a_run_of_another_function_is_not_taken_over():
    options = {"N": 20, "t": [1.0], "seed": 0}
    first = tsphys.simulate(rule(0.5), replicas=1, **options)
    again = tsphys.simulate(rule(0.5), replicas=2, resume=first, **options)
    np.testing.assert_array_equal(again["R"][0], first["R"][0])
    with pytest.raises(tsphys.ModelError, match="resume"):
        tsphys.simulate(rule(0.6), replicas=2, resume=first, **options)

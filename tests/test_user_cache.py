"""Kernels with functions of the user's on disk: taken again as long as nothing changes that they depend on."""

import os
import subprocess
import sys
import types
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from numba import njit
from numba.core.registry import cpu_target
from numba.extending import overload
from scipy.special import expit

from tsphys import _jit
from tsphys.physics import activations
from tsphys.rules.helpers import compiled

ROOT = Path(__file__).resolve().parents[1]

PROGRAM = """
import sys
import numpy as np
import constants
from tsphys.rules.binding import bind
from tsphys.rules.helpers import compiled
from tsphys.sims.engines.online.local import coefficients

RATE = float(sys.argv[1])

def slope(x):
    return RATE * x

def rule(lam, nu, v, v_star, noise, p, c, dv):
    c[0] = constants.SCALE * slope(nu[0] - lam[0]) * np.exp(-lam[0])

kernel, c, none = bind(coefficients, compiled("function", rule)), np.zeros(1), np.zeros(0)
kernel(np.zeros(1), np.ones(1), none, none, none, none, c, none)
print(c[0], *(sum(found.values()) for found in (kernel.stats.cache_hits, kernel.stats.cache_misses)))
"""


@pytest.mark.wide
def test_another_process_takes_them_and_sees_every_change(tmp_path):
    def run(rate, scale, program=PROGRAM):
        (tmp_path / "constants.py").write_text(f"SCALE = {scale}\n")
        path = os.pathsep.join((str(ROOT), str(tmp_path)))
        environment = {**os.environ, "PYTHONPATH": path, "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
                       "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
        call = [sys.executable, "-c", program, str(rate)]
        done = subprocess.run(call, capture_output=True, text=True, env=environment, check=True)
        assert not done.stderr
        return done.stdout.split()

    assert run(0.5, 2.0) == ["1.0", "0", "1"]
    assert run(0.5, 2.0) == ["1.0", "1", "0"]
    assert run(0.75, 2.0) == ["1.5", "0", "1"]
    assert run(0.75, 4.0) == ["3.0", "0", "1"]
    assert run(0.5, 2.0, PROGRAM.replace("RATE * x", "RATE + x")) == ["3.0", "0", "1"]
    assert run(0.5, 2.0) == ["1.0", "1", "0"]


def made(source, **around):
    space = dict(around)
    exec(source, space)
    return space["f"]


def around(value):
    return lambda x: value * x


@njit(fastmath=True)
def fast(x):
    return x


THREE = "def f(x):\n    return a(x) * b(x) * c(x)\n"
TOLD = {
    "plain": made("def f(x):\n    return rate * x\n", rate=0.5),
    "another constant": made("def f(x):\n    return rate * x\n", rate=0.6),
    "an array": made("def f(x):\n    return rate[0] * x\n", rate=np.array([0.5])),
    "another array": made("def f(x):\n    return rate[0] * x\n", rate=np.array([0.6])),
    "a closure": around(0.5),
    "another closure": around(0.6),
    "a helper": made("def f(x):\n    return g(x)\n", g=around(2.0)),
    "another helper": made("def f(x):\n    return g(x)\n", g=around(3.0)),
    "one of two again": made(THREE, a=around(1.0), b=around(2.0), c=around(1.0)),
    "the other again": made(THREE, a=around(1.0), b=around(2.0), c=around(2.0)),
    "an array beside a module": made("def f(x):\n    return rate[0] * np.exp(x)\n", rate=np.array([0.5, 0.6]), np=np),
    "a compiled helper": made("def f(x):\n    return g(x)\n", g=njit(around(4.0))),
    "a name that is another's": made("def f(x):\n    return x.real + np.pi\n", real=[1.0], np=np),
    "numpy": made("def f(x):\n    return np.exp(x)\n", np=np),
    "a caught error": made("def f(x):\n    try:\n        return x\n    except Exception:\n        return 1.0\n"),
    "ours": made("def f(x):\n    return g(0, x)\n", g=activations.g),
}
UNTOLD = {
    "fast mathematics": made("def f(x):\n    return g(x)\n", g=fast),
    "an object": made("def f(x):\n    return g(x)\n", g=np.poly1d([1.0, 2.0])),
    "a number by its name": made("def f(x):\n    return g.a * x\n", g=namedtuple("P", "a b")(1.0, 2.0)),
    "a default": made("def f(x, a=[1.0]):\n    return a[0] * x\n"),
    "a list": made("def f(x):\n    return g[0] * x\n", g=[1.0]),
    "an installed library's": made("def f(x):\n    return g(x)\n", g=expit),
    "a type of numbers": made("def f(x):\n    return x.astype(g)\n", g=np.dtype("f4")),
    "a generator": made("def f(x):\n    return g.random()\n", g=np.random.default_rng(0)),
    "a large array": made("def f(x):\n    return g[0] * x\n", g=np.zeros(10**6)),
}


def module(**around):
    """One of the user's."""
    out = types.ModuleType("constants")
    out.__file__ = "constants.py"
    vars(out).update(around)
    return out


def test_modules_of_the_users_are_looked_into():
    source = "def f(x):\n    return constants.rate[1] * constants.g(x)\n"
    many = [made(source, constants=module(rate=np.array([0.5, rate]), g=around(2.0), other=[1])) for rate in (0.6, 0.7)]
    one, other = map(identity, many)
    assert one and other and one != other
    nested = "def f(x):\n    return constants.more.rate * x\n"
    assert identity(made(nested, constants=module(more=module(rate=0.5)))) is None


def identity(function):
    return getattr(compiled("function", function), "identity", None)


def test_each_has_a_name_of_its_own():
    found = {name: identity(function) for name, function in TOLD.items()}
    assert all(found.values()), found
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize("name", UNTOLD)
def test_what_a_name_would_not_tell_has_none(name):
    assert identity(UNTOLD[name]) is None


def test_a_function_that_somebody_else_compiles_has_none():
    def g(x):
        return x

    overload(g)(lambda x: lambda x: 2.0 * x)
    cpu_target.typing_context.refresh()
    assert identity(made("def f(x):\n    return g(x)\n", g=g)) is None


def test_the_last_used_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(_jit, "MOST_OF_USER", 8)
    for i in range(12):
        file = tmp_path / f"kernel_{_jit.OF_USER}{i}.nbi"
        file.write_text("")
        os.utime(file, (i, i))
    (tmp_path / "kernel_of_ours.nbi").write_text("")
    _jit._tidied(tmp_path)
    left = {file.name for file in tmp_path.iterdir()}
    assert left == {"kernel_of_ours.nbi", *(f"kernel_{_jit.OF_USER}{i}.nbi" for i in range(6, 12))}

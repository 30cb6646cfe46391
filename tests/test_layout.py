"""The house: which room imports which, one name a model in every room, and a package that installs whole."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import tsphys
from tsphys.registry import LIBRARY_ONLY, MODELS

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("sims", "odes", "replica", "figures", "benchmarks", "validation")
#: What the code of a room must not import.
FORBIDDEN = {
    "sims": ("tsphys.odes", "tsphys.replica", "tsphys.figures", "tsphys.benchmarks", "tsphys.validation", "tsphys.cli"),
    "odes": ("tsphys.sims", "tsphys.replica", "tsphys.figures", "tsphys.benchmarks", "tsphys.validation", "tsphys.cli"),
    "replica": ("tsphys.sims", "tsphys.odes", "tsphys.figures", "tsphys.benchmarks", "tsphys.validation", "tsphys.cli"),
    "figures": (),
    "benchmarks": ("tsphys.figures", "tsphys.validation", "tsphys.cli"),
    "validation": ("tsphys.figures", "tsphys.benchmarks", "tsphys.cli"),
    "tsphys": ("tsphys.sims", "tsphys.odes", "tsphys.replica", "tsphys.figures", "tsphys.validation"),
}

#: Inside tsphys/ imports run down: a folder, or a file beside them, takes from its own floor and from those below.
FLOORS = (
    ("_jit", "_cuda", "errors", "ground"),
    ("numerics",),
    ("physics",),
    ("rules",),
    ("solvers",),
    ("runs",),
    ("models",),
    ("catalogue", "papers", "registry"),
    ("ahead", "comparison", "symbols", "curves", "plotting", "picture", "animation", "images"),
    ("studies",),
    ("explore",),
    ("cli", "__main__"),
)
#: What users open from a lower floor: the picture of a Result or of a verdict, and the model that a Result is of.
DOORS = {
    ("tsphys/runs/result.py", "tsphys.picture"),
    ("tsphys/runs/result.py", "tsphys.registry"),
    ("tsphys/comparison/verdict.py", "tsphys.picture"),
}
#: What finds modules by the names that it is asked for.
FINDERS = ("tsphys/registry.py", "tsphys/cli")
#: The package itself hands out what stands on all floors: only what stands above may take from it, others its version.
PUBLIC = ("studies", "explore", "cli")


def sources(room):
    return [p for p in (ROOT / room).rglob("*.py") if room != "tsphys" or p.relative_to(ROOT).parts[1] not in ROOMS]


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path):
    """The statements by which a file imports, wherever they stand."""
    return [node for node in ast.walk(parsed(path)) if isinstance(node, (ast.Import, ast.ImportFrom))]


def imports(path):
    for node in imported(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", FORBIDDEN)
def test_imports_run_one_way(room):
    found = sources(room)
    assert found
    for path in found:
        for name in imports(path):
            wrong = [f for f in FORBIDDEN[room] if name == f or name.startswith(f + ".")]
            assert not wrong, f"{path.relative_to(ROOT)} imports {name}"


def modules():
    """All modules of the package and its rooms, with the modules of ours that each imports, lazily or not."""
    homes = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for room in FORBIDDEN for p in sources(room)}
    homes = {(k if k.startswith("tsphys") else f"tsphys.{k}").removesuffix(".__init__"): p for k, p in homes.items()}
    found = {m: {name for name in imports(p) if name.split(".")[0] == "tsphys"} for m, p in homes.items()}
    # A name of a module counts as the module.
    return {m: {n if n in homes else n.rpartition(".")[0] for n in names} - {m} for m, names in found.items()}


def test_floors_of_the_package():
    floor = {name: i for i, names in enumerate(FLOORS) for name in names}
    for module, taken in modules().items():
        room = [*module.split("."), ""][1]
        if not room or room in ROOMS:
            continue
        for name in taken - {"tsphys"}:
            other = name.split(".")[1]
            benchmarks = module == "tsphys.cli.bench" and other == "benchmarks"
            assert benchmarks or floor[other] <= floor[room], f"{module} imports {name}"


def test_what_is_imported_by_name_is_no_way_around():
    found = set()
    for path in (p for room in FORBIDDEN for p in sources(room)):
        file = path.relative_to(ROOT).as_posix()
        if "import_module" not in path.read_text(encoding="utf-8"):
            continue
        calls = (n for n in ast.walk(parsed(path)) if isinstance(n, ast.Call))
        names = [call.args[0] for call in calls if ast.unparse(call.func).endswith("import_module")]
        if not file.startswith(FINDERS):
            found |= {(file, name.value) for name in names if isinstance(name, ast.Constant)}
    assert found == DOORS


def test_only_the_upper_floors_import_the_package_itself():
    public = {f"tsphys.{name}" for name in tsphys.__all__} - {"tsphys.__version__"}
    for path in sources("tsphys"):
        if path.relative_to(ROOT).parts[1] not in PUBLIC:
            # `from tsphys import __version__` names the package too, for its version alone.
            names = set(imports(path))
            whole = "tsphys" in names and "tsphys.__version__" not in names
            assert not whole and not names & public, f"{path} imports tsphys itself, not the module that has the name"


def test_no_circles():
    """Whatever is imported, lazily too, does not lead back."""
    graph = modules()
    done, path = set(), []

    def visit(module):
        assert module not in path, " → ".join([*path[path.index(module) :], module])
        if module in done:
            return
        path.append(module)
        for other in graph.get(module, ()):
            # The root hands out all that is public by name, at its first use.
            if other != "tsphys":
                visit(other)
        done.add(path.pop())

    for module in graph:
        if module != "tsphys":
            visit(module)


def source_of(module):
    """The file of a module of ours; None for a folder without one and for anything else."""
    parts = module.split(".")[1:]
    base = ROOT.joinpath(*parts) if parts and parts[0] in ROOMS else (ROOT / "tsphys").joinpath(*parts)
    return next(
        (p for p in (base / "__init__.py", base.with_suffix(".py"), base.with_suffix(".pyi")) if p.is_file()), None
    )


@cache
def defined(path):
    """Names that a module has once it is imported."""
    return {*_defined(path)}


def _defined(path):
    for node in parsed(path).body:
        for inner in [node, *(getattr(node, "body", []) if isinstance(node, (ast.If, ast.Try)) else [])]:
            if isinstance(inner, (ast.FunctionDef, ast.ClassDef)):
                yield inner.name
            elif isinstance(inner, (ast.Import, ast.ImportFrom)):
                yield from (alias.asname or alias.name for alias in inner.names)
            elif isinstance(inner, (ast.Assign, ast.AnnAssign)):
                yield from (n.id for n in ast.walk(inner) if isinstance(n, ast.Name))


@pytest.mark.parametrize("room", [*FORBIDDEN, "tests"])
def test_what_is_imported_is_there(room):
    """Also what is imported only where it is used, on a path that no fast test takes."""
    for path in sources(room):
        for node in imported(path):
            if not isinstance(node, ast.ImportFrom) or node.module.split(".")[0] != "tsphys":
                continue
            home = source_of(node.module)
            assert home is not None, f"{path}: no module {node.module}"
            names = defined(home) | set(tsphys.__all__ if node.module == "tsphys" else ())
            for alias in node.names:
                there = alias.name in {*names, "*"} or source_of(f"{node.module}.{alias.name}") is not None
                assert there, f"{path}: {node.module} has no {alias.name}"


def test_only_one_place_compiles():
    for room in FORBIDDEN:
        for path in sources(room):
            if path.name in ("_jit.py", "_cuda.py"):
                continue
            assert not {"numba", "numba.njit", "numba.jit", "numba.cuda"} & set(imports(path)), path


def test_every_model_has_its_name_in_every_room_that_it_needs():
    for name, entry in {**MODELS, **LIBRARY_ONLY}.items():
        assert (ROOT / "tsphys" / "models" / f"{name}.py").is_file()
        assert (ROOT / "docs" / f"{name}.md").is_file()
        assert list((ROOT / "tests").glob(f"test_{name}*.py")), f"no test of {name}"
        for module in (entry.sims, entry.theory):
            assert module.rsplit(".", 1)[1] == name or (entry.online and (module == entry.sims or not entry.room))
            assert (ROOT / module.removeprefix("tsphys.").replace(".", "/")).with_suffix(".py").is_file()
        for figure in entry.figures:
            assert (ROOT / "figures" / f"{figure}.py").is_file()
    drawn = {f for entry in MODELS.values() for f in entry.figures}
    assert {p.stem for p in (ROOT / "figures").glob("*.py")} - {"__init__", "frame"} == drawn


def test_rooms_refuse_their_bare_names():
    for room in ROOMS:
        done = subprocess.run([sys.executable, "-c", f"import {room}"], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 1
        assert f"package tsphys.{room}" in done.stderr


def test_setup_names_every_package(tmp_path):
    listing = "import setuptools; setuptools.setup = lambda **k: print(*k['packages']); exec(open('setup.py').read())"
    code = f"__file__ = 'setup.py'\n{listing}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    for room in FORBIDDEN:
        for path in (ROOT / room).rglob("__init__.py"):
            parts = path.parent.relative_to(ROOT).parts
            if room == "tsphys" and len(parts) > 1 and parts[1] in ROOMS:
                continue
            assert ".".join(parts if room == "tsphys" else ("tsphys", *parts)) in found


def test_ci_runs_the_command_of_the_readme():
    install = 'python3 -m venv .venv && .venv/bin/pip install -q -e ".[test]"'
    command = f"{install} && .venv/bin/python -m pytest -n auto --dist loadfile"
    assert f"    {command}\n" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{command}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_linear_algebra_lets_signals_through():
    """SciPy keeps the GIL in all but these, and while it does neither another thread runs nor a signal's handler."""
    for file in sorted((ROOT / "sims").rglob("*.py")):
        for node in imported(file):
            if isinstance(node, ast.ImportFrom) and node.module == "scipy.linalg":
                assert {name.name for name in node.names} <= {"cho_solve", "qr", "solve_triangular"}, file
            whole = isinstance(node, ast.ImportFrom) and node.module == "scipy"
            assert not (whole and "linalg" in {name.name for name in node.names}), file

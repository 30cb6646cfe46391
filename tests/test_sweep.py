"""Studies: what they are made of, and that nothing that happens to a run changes what comes out of it."""

import errno
import json
import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tsphys
from tests.gates import after, all_gone, at_the_gate, begun, stopped
from tests.refusal import refuses
from tsphys.cli import main
from tsphys.errors import ModelError
from tsphys.studies import study as studies
from tsphys.studies.collection import collect
from tsphys.studies.store import Store
from tsphys.studies.sweep import processes, status, sweep

ROOT = Path(__file__).resolve().parents[1]
SWEEP = ("-m", "tsphys", "sweep", "study.toml")
SMALL = """
model = "perceptron"
compute = "both"
N = 50
replicas = 3
t = [0.5, 1, 2]
[axes]
rule = ["hebb", "adatron"]
lr = "0.5:1:3:log"
"""
LONG = """
model = "perceptron"
N = 400
replicas = 2
t = "0.1:50:4"
[axes]
rule = ["hebb", "rosenblatt"]
lr = "0.2:1:20"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text):
    Path("study.toml").write_text(text)
    return studies.read_study("study.toml")


def content(store):
    return {p.name: p.read_bytes() for p in Path(store).glob("*.*") if p.suffix in (".npz", ".failed")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The study LONG done without a break in this process, one task after the other."""
    store = tmp_path_factory.mktemp("whole")
    (store / "study.toml").write_text(LONG)
    study = studies.read_study(store / "study.toml")
    assert sweep(study, store / "kept").done == 40
    return study, store / "kept"


def test_points_are_the_product_of_axes_zip_and_random():
    study = studies.study(
        {
            "model": "two_layer",
            "noise": 0.1,
            "axes": {"K": "2:4:3", "activation": ["erf", "relu"]},
            "zip": [{"N": [100, 1000], "replicas": [8, 4]}],
            "random": {"points": 5, "seed": 3, "lr": "0.1:10:log", "init": [0.5, 1.0]},
        }
    )
    points = study.points()
    assert study.shape == (3, 2, 2, 5)
    assert len(points) == 60
    assert {(p["N"], p["replicas"]) for p in points} == {(100, 8), (1000, 4)}
    assert [p["K"] for p in points[::20]] == [2, 3, 4]
    rates = [p["lr"] for p in points[:5]]
    assert all(0.1 <= x <= 10 for x in rates)
    assert rates == [p["lr"] for p in points[5:10]]
    assert {p["init"] for p in points} <= {0.5, 1.0}
    tasks = study.tasks()
    assert len({t.key for t in tasks}) == 60
    assert len({t.values["seed"] for t in tasks}) == 60


def test_random_values_cover_their_range_evenly_on_their_scale():
    study = studies.study({"model": "two_layer", "random": {"points": 2000, "lr": "0.01:100:log", "noise": "1:3"}})
    logs = np.log10([p["lr"] for p in study.points()])
    values = np.array([p["noise"] for p in study.points()])
    # Mean and variance of 2000 uniform numbers, within four standard errors: 4·w/√(12·2000), 4·w²·√(1/180/2000).
    for x, low, width in ((logs, -2, 4), (values, 1, 2)):
        assert abs(x.mean() - low - width / 2) < 4 * width / np.sqrt(24000)
        assert abs(x.var() - width**2 / 12) < 4 * width**2 * np.sqrt(1 / 180 / 2000)
    assert abs(np.corrcoef(logs, values)[0, 1]) < 4 / np.sqrt(2000)


def test_a_key_tells_what_a_result_depends_on_and_nothing_else(monkeypatch):
    base = {"model": "perceptron", "N": 50, "t": [0.5, 1]}

    def keys(**change):
        return [t.key for t in studies.study({**base, **change}).tasks()]

    (key,) = keys()
    assert keys(replicas=8) == [key], "a default that is written out"
    assert keys(t=[0.5, 1.0], threads=1) == [key]
    assert keys(axes={"lr": [0.5, 1.0]})[1] == key, "a point does not depend on the other points"
    changes = ({"seed": 1}, {"N": 51}, {"lr": 0.5}, {"t": [0.5]}, {"compute": "solve"}, {"engine": "direct"})
    others = {keys(**c)[0] for c in (*changes, {"seeds": "common"}, {"replicas": 9})}
    assert len(others | {key}) == 9
    monkeypatch.setattr(tsphys, "__version__", "0.0.0")
    assert keys() != [key]


def test_results_are_those_of_the_library():
    study = read(SMALL)
    assert sweep(study, "kept").done == 12
    result = collect(study, "kept")
    assert result["simulation_eps_g"].shape == (2, 3, 3, 3)
    assert result["theory_eps_g"].shape == (2, 3, 3)
    task = study.tasks()[10]
    assert (task.verb, task.values["rule"], task.values["lr"]) == ("simulate", "adatron", 1.0)
    model, seed = tsphys.Perceptron(rule="adatron"), task.values["seed"]
    from tsphys.rules.starts import drawn_start

    start = drawn_start(model, 50, seed)
    sim = tsphys.simulate(model, N=50, t=[0.5, 1, 2], replicas=3, seed=seed, start=start)
    theory = tsphys.solve(model, t=[0.5, 1, 2], start=start)
    np.testing.assert_array_equal(result["simulation_eps_g"][1, 2], sim["eps_g"])
    np.testing.assert_array_equal(result["theory_eps_g"][1, 2], theory["eps_g"])
    mean = collect(study, "kept", mean=True)
    np.testing.assert_array_equal(mean["simulation_eps_g"][1, 2], sim.mean("eps_g"))
    np.testing.assert_array_equal(mean["simulation_eps_g_sem"][1, 2], sim.sem("eps_g"))
    kept = tsphys.load(Store(Path("kept")).path(task.key))
    np.testing.assert_array_equal(kept["eps_g"], sim["eps_g"])


def test_a_study_killed_again_and_again_gives_the_same_bits(folder):
    """80 tasks, SIGKILL three times: within a task, within a file, and just before one comes to its place."""
    study = read(LONG.replace("0.2:1:20", "0.2:1:40").replace("0.1:50:4", "0.1:20:4"))
    rng = np.random.default_rng(0)
    for where in (("Task", "run"), ("os", "fsync"), ("os", "replace")):
        before = len(content("study.study"))
        run = begun(folder, after(before + rng.integers(1, 20), *where), *SWEEP, "-p", "2")
        at_the_gate(folder, run)
        run.kill()
        assert all_gone(run)
        assert before < len(content("study.study")) < 80
    assert "80 of 80 tasks done" in begun(folder, "", *SWEEP, "-p", "1").communicate()[0]
    assert sweep(study, "whole").done == 80
    assert content("study.study") == content("whole")
    collect(study, "whole").save("a.npz")
    collect(study, "study.study").save("b.npz")
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()
    assert not list(Path("study.study").glob(".*.part"))


@pytest.mark.wide
def test_two_runs_at_once_share_the_work_and_give_the_same_bits(folder, whole):
    Path("study.toml").write_text(LONG)
    runs = [begun(folder, "", *SWEEP, "-p", "1") for _ in range(2)]
    for run in runs:
        assert "40 of 40 tasks done" in run.communicate()[0]
    assert content("study.study") == content(whole[1])


def test_processes_threads_and_shards_give_the_same_bits(whole):
    study, kept = whole
    with processes(2) as pool:
        assert sweep(study, "processes", executor=pool).done == 40
    with ThreadPoolExecutor(2) as pool:
        assert sweep(study, "threads", executor=pool).done == 40
    parts = [sweep(study, "shards", shard=(i, 3)).done for i in range(3)]
    assert parts == [14, 13, 13]
    for store in ("processes", "threads", "shards"):
        assert content(store) == content(kept)


def test_a_task_that_another_process_has_claimed_is_waited_for(folder, whole):
    study, kept = whole
    task = study.tasks()[0]
    code = (
        "import sys, time; from pathlib import Path; from tsphys.studies.store import Store\n"
        f"with Store(Path('claimed').resolve()).claim('{task.key}') as mine:\n"
        "    print(mine, flush=True); time.sleep(1e6)"
    )
    Path("claimed").mkdir()
    other = begun(folder, "", "-c", code)
    assert other.stdout.readline() == "True\n"
    reached = []

    def progress(fraction):
        reached.append(fraction)
        if fraction == 1 - 1 / 40 and other.poll() is None:
            assert not Store(Path("claimed")).path(task.key).exists()
            other.kill()

    assert sweep(study, "claimed", progress=progress).done == 40
    assert other.wait() == -signal.SIGKILL
    assert content("claimed") == content(kept)


@pytest.mark.parametrize("where", [0.0, 0.3, 0.6, 0.999])
def test_damaged_files_are_found_and_computed_again(whole, where):
    study, kept = whole
    files = sorted(Path(kept).glob("*.npz"))
    good = [f.read_bytes() for f in files[:2]]
    at = int(where * len(good[0]))
    files[0].write_bytes(good[0][:at] + bytes([good[0][at] ^ 4]) + good[0][at + 1 :])
    files[1].write_bytes(good[1][: int(where * len(good[1]))])
    found = status(study, kept)
    assert (found.done, found.damaged) == (38, 2)
    assert str(found) == "38 of 40 tasks done, 2 damaged"
    with pytest.raises(ModelError, match="2 of 40 tasks have no result"):
        collect(study, kept)
    assert np.isnan(collect(study, kept, partial=True)["simulation_eps_g"]).any()
    assert sweep(study, kept).done == 40
    assert [f.read_bytes() for f in files[:2]] == good


def test_a_full_disk_is_told_and_loses_no_finished_task(whole, monkeypatch, capsys):
    study, kept = whole
    from tsphys.studies import store as stores

    ordinary = stores.write_atomically
    written = []

    def full(path, write):
        def partly(file):
            if len(written) == 5:
                file.write(b"PK")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(file)

        ordinary(path, partly)
        written.append(path)

    monkeypatch.setattr(stores, "write_atomically", full)
    with pytest.raises(OSError, match="No space left on device; 5 of 40 tasks are finished and kept") as caught:
        sweep(study, "kept")
    assert caught.value.errno == errno.ENOSPC
    assert len(content("kept")) == 5
    assert not list(Path("kept").glob(".*"))
    monkeypatch.setattr(stores, "write_atomically", ordinary)
    assert sweep(study, "kept").done == 40
    assert content("kept") == content(kept)


def test_a_point_that_fails_is_kept_as_such_and_the_others_go_on(capsys):
    study = read('model = "hopfield"\ncompute = "solve"\nT = 0\n[axes]\nalpha = [0.05, 0.1, 0.2]')
    found = sweep(study, "study.study")
    assert (found.done, found.failed) == (2, 1)
    assert "spinodal" in next(iter(found.failures.values()))
    kept = content("study.study")
    with pytest.raises(SystemExit) as caught:
        main(["sweep", "study.toml", "-p", "1"])
    assert caught.value.code == 1
    out, err = capsys.readouterr()
    assert "2 of 3 tasks done, 1 failed" in out
    assert "alpha = 0.2" in err
    assert content("study.study") == kept
    result = collect(study, "study.study", partial=True)
    assert result["theory_m"].shape == (3,)
    assert np.isnan(result["theory_m"]).tolist() == [False, False, True]
    m = tsphys.solve(tsphys.Hopfield(), alpha=[0.05, 0.1])["m"]
    np.testing.assert_allclose(result["theory_m"][:2], m, rtol=1e-10)


def test_the_command_collects_arrays_and_netcdf(capsys):
    xarray = pytest.importorskip("xarray")
    study = read(SMALL)
    sweep(study, "study.study")
    for output in ("all.npz", "all.nc"):
        with pytest.raises(SystemExit) as caught:
            main(["sweep", "collect", "study.toml", "-o", output])
        assert caught.value.code == 0, capsys.readouterr()
    result = tsphys.load("all.npz")
    with xarray.open_dataset("all.nc", engine="scipy") as data:
        assert data["simulation_eps_g"].dims == ("rule", "lr", "replica", "t")
        np.testing.assert_array_equal(data["simulation_eps_g"], result["simulation_eps_g"])
        point = data["theory_eps_g"].sel(rule="adatron", lr=1.0)
        np.testing.assert_array_equal(point, result["theory_eps_g"][1, 2])
    with pytest.raises(SystemExit) as caught:
        main(["info", "all.npz"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert "study of perceptron over rule" in out
    told = " ".join(f"{x:.4f}" for x in result["simulation_eps_g"][-1, :, :, -1].mean(-1))
    assert f"  simulation_eps_g [{told}]\n" in out
    assert "  simulation_v " not in out


def test_dry_run_and_script_say_what_would_be_done(capsys):
    read(SMALL)

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(["sweep", "study.toml", *arguments])
        assert caught.value.code == 0
        return capsys.readouterr().out

    out = call("--dry-run", "-p", "2")
    assert "12 tasks, 12 left" in out
    assert "on 2 processes" in out
    assert "GiB" in out
    script = call("--slurm-script", "--jobs", "200", "--hours", "0.5")
    assert "#SBATCH --array=0-199" in script
    assert "#SBATCH --time=30" in script
    assert '--shard "$SLURM_ARRAY_TASK_ID/200"' in script
    assert not Path("study.study").exists()


def test_an_estimate_is_of_the_right_size(whole, monkeypatch):
    from tsphys.studies import estimate as estimates

    study, kept = whole
    assert estimates.estimate(study, kept).left == 0
    clock = [0.0]
    monkeypatch.setattr(estimates.time, "perf_counter", lambda: clock[0])

    def run(task, report):
        """Takes a second with this rule, four with the other, of which a budget of two lets pass a half."""
        for quarter in range(4):
            clock[0] += 0.25 if task.values["rule"] == "hebb" else 1.0
            report(0.25 * (quarter + 1))

    monkeypatch.setattr(studies.Task, "run", run)
    found = estimates.estimate(study, "none", budget=2.0)
    # Of 20 tasks with each of the rules one of the first, and two of the second are tried.
    assert (found.tasks, found.left, found.seconds) == (40, 40, 40 * (1 + 4 + 4) / 3)
    assert 2**24 < found.memory < 2**36


@pytest.mark.wide
def test_dask_gives_the_same_bits(whole):
    distributed = pytest.importorskip("distributed")
    study, kept = whole
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert sweep(study, "dask", executor=client).done == 40
    assert content("dask") == content(kept)


def test_submitit_gives_the_same_bits(whole, capsys, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    study, kept = whole
    Path("study.toml").write_text(LONG)
    with pytest.raises(SystemExit) as caught:
        main(["sweep", "study.toml", "--submit", "local", "--jobs", "2"])
    assert caught.value.code == 0
    assert "submitted 2 jobs" in capsys.readouterr().out
    while status(study, "study.study").done < 40:
        time.sleep(0.2)
    assert content("study.study") == content(kept)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.wide)])
def test_a_signal_ends_all_processes_and_keeps_what_is_done(folder, whole, number):
    Path("study.toml").write_text(LONG)
    run = begun(folder, after(7, "Task", "run"), *SWEEP, "-p", "2")
    at_the_gate(folder, run)
    code, _, err = stopped(run, number)
    assert code == 128 + number
    assert "the same command goes on" in err
    assert "Traceback" not in err
    assert "leaked" not in err
    assert all_gone(run)
    assert 7 <= len(content("study.study")) < 40
    assert content("study.study").items() <= content(whole[1]).items()


def test_processes_that_end_before_their_pool_has_heard_of_it_leave_no_traceback(monkeypatch):
    failed = []
    monkeypatch.setattr(threading, "excepthook", lambda found: failed.append(found.exc_value))

    def interrupt(fraction):
        # By then the pool has handed out as many tasks as it does at once.
        if fraction > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), processes(1) as pool:
        monkeypatch.setattr(pool, "shutdown", lambda **_: None)
        sweep(read(LONG), "kept", executor=pool, progress=interrupt)
    pool._executor_manager_thread.join()
    assert failed == []


def test_json_of_a_study_keeps_its_axes():
    study = read(SMALL)
    sweep(study, "kept")
    meta = collect(study, "kept").meta
    assert json.loads(json.dumps(meta))["axes"]["rule"] == {"rule": ["hebb", "adatron"]}
    assert "date" not in meta


def test_arrays_are_axes_of_a_study():
    rates, whole = np.array([0.1, 0.2]), np.arange(1, 3)
    arrays = {"axes": {"lr": rates, "K": whole}, "random": {"points": 3, "noise": rates}, "zip": [{"M": whole}]}
    lists = {
        "axes": {"lr": [0.1, 0.2], "K": [1, 2]},
        "random": {"points": 3, "noise": [0.1, 0.2]},
        "zip": [{"M": [1, 2]}],
    }
    assert studies.study({"model": "two_layer", **arrays}) == studies.study({"model": "two_layer", **lists})


def test_what_is_no_study_no_store_and_no_executor_is_a_line():
    for no in ("study.toml", None, 3):
        refuses(lambda no=no: studies.study(no), "study")
    study = read(SMALL)
    for call in (sweep, status, collect):
        refuses(lambda call=call: call(study, None), "store")
    for no in (3, 0, "processes"):
        refuses(lambda no=no: sweep(study, "kept", executor=no), "executor")


def test_functions_are_parameters_of_a_study():
    fixed = {"model": "hidden_manifold", "compute": "solve", "t": [0.0]}
    axis = studies.study({**fixed, "axes": {"f": ["tanh", np.sinh, np.arctan]}})
    assert len({task.key for task in axis.tasks()}) == 3
    study = studies.study({**fixed, "f": np.arctan, "axes": {"lr": [0.1]}})
    for one in (axis, study):
        sweep(one, "functions")
    name = collect(study, "functions").parameters["f"]
    assert name.startswith("arctan:")
    assert collect(axis, "functions")["f"].tolist()[::2] == ["tanh", name]


def test_without_resume_all_is_computed_again_to_the_same_bits():
    study = read(SMALL)
    sweep(study, "kept")
    before = {p.name: p.stat().st_ino for p in Path("kept").glob("*.npz")}
    first = content("kept")
    sweep(study, "kept")
    assert {p.name: p.stat().st_ino for p in Path("kept").glob("*.npz")} == before
    sweep(study, "kept", resume=False)
    after = {p.name: p.stat().st_ino for p in Path("kept").glob("*.npz")}
    assert all(after[name] != inode for name, inode in before.items())
    assert content("kept") == first


def test_the_manual_says_what_works():
    text = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
    whole, part = re.findall(r"```toml\n(.*?)```", text, re.S)
    study = read(whole)
    assert study.shape == (2, 5)
    assert len(read('model = "perceptron"\n' + part).points()) == 150
    assert len(study.tasks()) == 20
    names = {}
    for code in re.findall(r"```python\n(.*?)```", text, re.S):
        exec(code, names)
    assert status(names["described"], "retrieval.study").done == 10
    assert names["result"]["theory_m"].shape == (2, 5)

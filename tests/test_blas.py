"""Results do not depend on how many threads the linear algebra of a machine takes."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tsphys.runs.blas import one_blas_thread
from tsphys.studies.study import study
from tsphys.studies.sweep import processes, sweep

ROOT = Path(__file__).resolve().parents[1]
#: Products and factorisations of a few hundred rows, which BLAS shares out over its threads.
STUDIES = (
    {"model": "kernel_ridge", "modes": 500, "axes": {"n": [300, 400]}},
    {
        "model": "random_features",
        "teacher": "sign",
        "N": 150,
        "axes": {"width": [2, 3], "loss": ["square", "logistic"]},
    },
    {"model": "glm", "N": 300, "channel": "sign", "axes": {"estimator": ["ridge", "logistic"]}},
    {"model": "memory_reconstruction", "N": 400, "P": 3, "iterations": 5, "axes": {"noise": [0.5]}},
    {"model": "two_layer", "N": 5000, "engine": "direct", "t": [0, 0.01], "axes": {"K": [2, 8]}},
    {"model": "hidden_manifold", "compute": "both", "N": 300, "delta": 0.3, "t": [0.1], "axes": {"lr": [0.1]}},
)
CODE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from tests.test_blas import STUDIES
from tsphys.studies.study import study
from tsphys.studies.sweep import sweep

folder, together = sys.argv[1:]
with ThreadPoolExecutor(2) as pool:
    for n, values in enumerate(STUDIES):
        found = sweep(study(values), f"{folder}/{n}", executor=pool if together == "together" else None)
        assert found.done == found.total, found
"""


def content(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in Path(folder).glob("*/*.npz")}


@pytest.mark.wide
def test_studies_have_the_same_bits_with_any_number_of_threads(tmp_path):
    for threads, how in (("1", "alone"), ("2", "together")):
        names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **dict.fromkeys(names, threads)}
        subprocess.run([sys.executable, "-c", CODE, tmp_path / (threads + how), how], env=environment, check=True)
    with processes(2) as pool:
        for n, values in enumerate(STUDIES):
            sweep(study(values), tmp_path / "processes" / str(n), executor=pool)
    whole = content(tmp_path / "1alone")
    assert len(whole) == 13
    for folder in ("2together", "processes"):
        assert content(tmp_path / folder) == whole, folder


def blas_threads():
    from threadpoolctl import threadpool_info

    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_blocks_that_overlap_share_the_limit():
    from threadpoolctl import threadpool_limits

    # SciPy brings a library of its own, which counts from the first block on.
    with one_blas_thread():
        pass
    with threadpool_limits(2, user_api="blas"):
        first, second = one_blas_thread(), one_blas_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert blas_threads() == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == {2}


def test_blocks_of_any_thread_limit_and_give_back():
    """Whichever thread was the first to limit it, and whoever of those that overlap ends last."""
    from threadpoolctl import threadpool_limits

    with one_blas_thread():
        pass
    with threadpool_limits(2, user_api="blas"), ThreadPoolExecutor(1) as pool:
        first, second = one_blas_thread(), one_blas_thread()
        pool.submit(first.__enter__).result()
        assert blas_threads() == {1}
        second.__enter__()
        pool.submit(first.__exit__, None, None, None).result()
        assert blas_threads() == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == {2}
        with one_blas_thread():
            assert blas_threads() == {1}
    with threadpool_limits(1, user_api="blas"):
        assert blas_threads() == {1}

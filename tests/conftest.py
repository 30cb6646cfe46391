"""Where pytest runs a process on every core, libraries that are threaded themselves would fight for them."""

import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")

pytest.register_assert_rewrite("tests.refusal")

"""Where pytest runs a process on every core, whatever takes another core itself would fight for them."""

import gc
import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    # Commands begin no second process that compiles; tests/test_ahead.py has it.
    from tsphys import ahead

    ahead.available_threads = lambda: 1

# Of what thousands of tests leave nothing is in circles for long, and each look at all of it takes a third of a second.
gc.set_threshold(5_000, 20, 20)

pytest.register_assert_rewrite("tests.refusal")

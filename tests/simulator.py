"""Kernels of a graphics card, where Numba simulates it in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def simulated(tmp_path, head, code):
    """What `code`, after `head`, puts into the dict `out`."""
    file = tmp_path / "out.npz"
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    script = f"{head}\n{code}\nnp.savez(sys.argv[1], **out)"
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with np.load(file) as data:
        return dict(data)

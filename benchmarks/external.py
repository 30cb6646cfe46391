"""A program of the user, timed as a whole, less its time at no steps."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

from tsphys.benchmarks.setting import Setting
from tsphys.errors import ModelError


def start(setting: Setting, command: str) -> Callable[[int], object]:
    """The function ``advance(steps)`` that runs `command` through the shell.

    It is told the sizes by {K}, {M}, {N} and {steps} in its text, and by the environment variables TSPHYS_K, TSPHYS_M,
    TSPHYS_N and TSPHYS_STEPS.

    Raises
    ------
    ModelError
        If it does not exit with code 0.
    """

    def advance(steps: int) -> None:
        told = {"K": setting.K, "M": setting.M, "N": setting.N, "steps": steps}
        line = command
        for name, value in told.items():
            line = line.replace("{" + name + "}", str(value))
        environment = {**os.environ, **{f"TSPHYS_{name.upper()}": str(value) for name, value in told.items()}}
        done = subprocess.run(line, shell=True, env=environment, capture_output=True, text=True, errors="replace")
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ModelError("external", command, f"exited with code {done.returncode} ({last})")

    return advance

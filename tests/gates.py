"""Commands in processes of their own that come to a gate, and there into a call that no signal can break off."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Run by each of these processes when it starts, the workers of a study too.
START = """
import hashlib
from pathlib import Path

FOLDER = Path({folder!r})

def gate():
    # It has no end that a test would see, and leaves Python to others.
    (FOLDER / "reached").touch()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)

"""
#: The third instance of a kernel ridge regression comes to the gate.
THIRD = """
from tsphys.sims import kernel_ridge
ordinary, before = kernel_ridge.least_squares, []

def learned(*arguments):
    before.append(1)
    return gate() if len(before) == 3 else ordinary(*arguments)

kernel_ridge.least_squares = learned
"""


def after(count, owner, name):
    """Code by which a call of a function comes to the gate once a study has so many results."""
    return f"""
import os
from tsphys.studies.study import Task
ordinary = {owner}.{name}

def gated(*arguments, **options):
    return gate() if len(list(FOLDER.glob("study.study/*.npz"))) >= {count} else ordinary(*arguments, **options)

{owner}.{name} = gated
"""


def _signals():
    """As a terminal starts a command, also where the tests run in the background and ignore signals."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def begun(folder, gate, *arguments):
    """A process, Python with these arguments, that comes to its gate as the code `gate` says."""
    (folder / "reached").unlink(missing_ok=True)
    (folder / "sitecustomize.py").write_text(START.format(folder=str(folder)) + gate)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, env=environment, cwd=folder, start_new_session=True, preexec_fn=_signals, **pipes)


def at_the_gate(folder, run):
    """Wait until a process has come to its gate."""
    while not (folder / "reached").exists():
        assert run.poll() is None, run.communicate()
        time.sleep(0.01)


def stopped(run, number):
    """Exit code and both outputs after a signal to all processes of the command, as a terminal sends it."""
    os.killpg(run.pid, number)
    out, err = run.communicate()
    assert "Traceback" not in err, err
    return run.returncode, out, err


def all_gone(run):
    """Whether all processes of a command leave after it; the last is that which keeps track of shared resources."""
    run.wait()
    for _ in range(1000):
        try:
            os.killpg(run.pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGKILL)
    return False

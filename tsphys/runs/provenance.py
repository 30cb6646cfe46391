"""Where a result comes from: versions, machine, revision."""

from __future__ import annotations

import platform
import subprocess
from datetime import datetime, timezone
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


@cache
def revision() -> str | None:
    """Git revision of a checkout of tsphys, with ``+changes`` if it is not clean; None for an installed package."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None

    def git(*args: str) -> str:
        done = subprocess.run(["git", "-C", str(root), *args], capture_output=True, timeout=10, check=True)
        return done.stdout.decode(errors="replace").strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return None


@cache
def versions() -> dict[str, str]:
    """Versions of tsphys, Python and the libraries that the numbers depend on."""
    from tsphys import __version__

    out = {"tsphys": __version__, "python": platform.python_version()}
    for library in ("numpy", "numba", "scipy"):
        try:
            out[library] = version(library)
        except PackageNotFoundError:
            out[library] = "unknown"
    return out


def provenance() -> dict[str, Any]:
    """What is written into every result file beside the parameters."""
    return {
        "versions": versions(),
        "revision": revision(),
        "platform": f"{platform.system()} {platform.machine()}",
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }

"""Ways for a study to leave this machine: a batch script, submitit, Dask."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from tsphys.errors import ModelError
from tsphys.studies.study import Study
from tsphys.studies.sweep import Status, sweep


def slurm_script(study: str | os.PathLike[str], store: str | os.PathLike[str], jobs: int, hours: float = 24) -> str:
    """An array job of Slurm whose jobs do a share of a study each; to be given to ``sbatch``."""
    here, kept = shlex.quote(os.path.realpath(study)), shlex.quote(os.path.realpath(store))
    minutes = max(1, round(60 * hours))
    return f"""#!/bin/sh
#SBATCH --job-name={shlex.quote(Path(study).stem)}
#SBATCH --array=0-{jobs - 1}
#SBATCH --cpus-per-task=1
#SBATCH --time={minutes}
tsphys sweep {here} --store {kept} --shard "$SLURM_ARRAY_TASK_ID/{jobs}" \\
    --processes "${{SLURM_CPUS_PER_TASK:-1}}" --quiet
"""


def submit(
    study: Study, store: str | os.PathLike[str], jobs: int, *, cluster: str = "slurm", hours: float = 24
) -> list[str]:
    """Hand a study to a cluster by submitit, as so many jobs, and return their ids at once.

    Parameters
    ----------
    cluster : {"slurm", "local"}
        ``local`` runs the jobs as processes on this machine.

    Raises
    ------
    ImportError
        Without submitit.
    ModelError
        If the cluster is not there.
    """
    try:
        import submitit
    except ImportError as error:
        raise ImportError("--submit needs submitit: pip install 'tsphys[cluster]'") from error
    folder = Path(os.path.realpath(store))
    try:
        executor = submitit.AutoExecutor(folder=folder / "jobs", cluster=cluster)
        executor.update_parameters(timeout_min=max(1, round(60 * hours)), name="tsphys")
        with executor.batch():
            started = [executor.submit(share, study, str(folder), i, jobs) for i in range(jobs)]
    except RuntimeError as error:
        raise ModelError("submit", cluster, f"cannot be reached: {' '.join(str(error).split())}") from error
    return [job.job_id for job in started]


def share(study: Study, store: str, i: int, jobs: int) -> Status:
    """The i-th share of a study; what a job does."""
    return sweep(study, store, shard=(i, jobs))


def dask_client(address: str) -> Any:
    """A client of the Dask scheduler at an address, whose workers must see the store under the same path.

    Raises
    ------
    ImportError
        Without dask.distributed.
    ModelError
        If nobody answers there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError("--dask needs dask.distributed: pip install 'tsphys[dask]'") from error
    try:
        return Client(address, timeout="10s")
    except (OSError, ValueError, TypeError) as error:
        words = " ".join(str(error).split())
        raise ModelError("dask", address, f"is not the address of a scheduler that answers ({words})") from None

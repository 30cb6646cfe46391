"""A result as a table: a row for each point of the axis (and replica), a column for each number."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.errors import ModelError


def columns(result: Any) -> dict[str, np.ndarray]:
    """Columns by name, all of one length: the replica, the axis, and each entry of each observable, ``R_12``.

    Constants are left out. An entry of a matrix is named by its indices, counted from 1.

    Raises
    ------
    ModelError
        If the result has no axis.
    """
    if not result.axis:
        raise ModelError("result", result.kind, "has no axis, of which a table would have a row for each point")
    points = len(result[result.axis])
    runs = result.replicas if result.kind == "simulation" else None
    out: dict[str, np.ndarray] = {}
    if runs is not None:
        out["replica"] = np.repeat(np.asarray(result.meta.get("replica_ids", np.arange(runs))), points)
    out[result.axis] = np.tile(result[result.axis], runs or 1)
    for name in result.observables:
        values = result[name]
        rows = values.reshape(len(out[result.axis]), -1)
        shape = values.shape[1 if runs is None else 2 :]
        for column, index in zip(rows.T, np.ndindex(*shape)):
            apart = "," if max(shape, default=0) > 9 else ""
            out["_".join([name, *([apart.join(str(i + 1) for i in index)] if index else [])])] = column
    return out


def csv(data: dict[str, np.ndarray]) -> str:
    """Columns as comma-separated values with a line of names; numbers are read back to the same bits."""
    from csv import writer
    from io import StringIO

    out = StringIO()
    rows = writer(out, lineterminator="\n")
    rows.writerow(data)
    rows.writerows(zip(*(column.tolist() for column in data.values())))
    return out.getvalue()

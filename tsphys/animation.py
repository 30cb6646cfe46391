"""Moving pictures: a figure that is redrawn frame by frame, written as GIF or MP4."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tsphys.errors import ModelError
from tsphys.ground.parameters import word
from tsphys.runs.files import check_folder, write_atomically

FORMATS = ("gif", "mp4")


def writer_of(kind: str, fps: int) -> Any:
    """Matplotlib's writer for a format.

    Raises
    ------
    ModelError
        If the format is unknown, or is MP4 and there is no ffmpeg.
    """
    import tsphys.plotting  # noqa: F401  First, for Matplotlib to load whatever its backend is.

    # isort: split
    from matplotlib.animation import FFMpegWriter, PillowWriter

    word("animate", kind, FORMATS)
    if kind == "gif":
        return PillowWriter(fps=fps)
    if not FFMpegWriter.isAvailable():
        raise ModelError("animate", kind, "needs the program ffmpeg, which was not found; use gif")
    return FFMpegWriter(fps=fps)


def save_animation(
    figure: Any, redraw: Callable[[int], Any], frames: int, path: Path, *, fps: int = 12, dpi: int = 110,
    progress: Callable[[float], None] | None = None,
) -> Path:  # fmt: skip
    """Write the frames that `redraw(i)`, i = 0 … frames − 1, makes of `figure`, whole or not at all.

    Parameters
    ----------
    path : Path
        Its suffix is the format; the folder is made.
    fps : int
        Frames a second.
    dpi : int
        Dots an inch.
    """
    writer = writer_of(path.suffix.removeprefix("."), fps)
    path.parent.mkdir(parents=True, exist_ok=True)
    check_folder(path)
    # A layout that is solved anew for every frame would make the axes tremble.
    redraw(frames - 1)
    figure.canvas.draw()
    figure.set_layout_engine("none")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}.") as folder:
        part = Path(folder) / path.name
        with writer.saving(figure, str(part), dpi):
            for i in range(frames):
                redraw(i)
                writer.grab_frame()
                if progress is not None:
                    progress((i + 1) / frames)
        with part.open("rb") as content:
            return write_atomically(path, lambda file: shutil.copyfileobj(content, file))

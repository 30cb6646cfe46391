"""What every figure shares: signature, quick and full sizes, style, letters of panels, files, and a script."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tsphys.animation import save_animation
from tsphys.ground.progress import share
from tsphys.plotting import Sheets, collect, label, save, style
from tsphys.runs.result import Result

Progress = Callable[[float], None]
#: How a moving figure shows its frame i, and how many frames it has.
Drawing = tuple[Callable[[int], None], int]


@dataclass
class Sheet:
    """What a figure is drawn on, and what its simulations are told."""

    quick: bool
    seed: int
    threads: int | None
    progress: Progress | None
    figure: Any = None
    #: What gets the letters (a), (b), …, if there are several.
    panels: list[Any] = field(default_factory=list)

    @property
    def options(self) -> dict[str, Any]:
        """Keywords of `simulate` that are not the figure's."""
        return {"seed": self.seed, "threads": self.threads}

    def share(self, done: float, part: float, of: float) -> Progress | None:
        """`progress` of a part of the work; see `tsphys.ground.progress.share`."""
        return share(self.progress, done, part, of)

    def part(self, done: float, part: float, of: float) -> dict[str, Any]:
        """Keywords of a `simulate` that is a part of the work."""
        return {**self.options, "progress": self.share(done, part, of)}

    def blank(self, figsize: tuple[float, float]) -> Any:
        """A figure of that size in inches, whose panels are laid out, and listed in `panels`, by who draws it."""
        self.figure = Sheets.figure(figsize=figsize)
        return self.figure

    def subplots(self, nrows: int, ncols: int, figsize: tuple[float, float], **options: Any) -> Any:
        """The panels of a new figure, with the options of `matplotlib.figure.Figure.subplots`."""
        axes = self.blank(figsize).subplots(nrows, ncols, **options)
        self.panels = list(axes.flat)
        return axes


def drawn(about: Mapping[str, Any] | None = None, /, **sizes: tuple[Any, Any]) -> Callable[[Any], Callable[..., Any]]:
    """Make ``draw(out, quick, seed, threads, progress)`` of ``work(sheet, **sizes)``, which returns what was drawn.

    Parameters
    ----------
    about : mapping, optional
        What the picture depends on beside its sizes; all are written into its files.
    **sizes : (quick, full)
        What `work` gets under that name.

    Notes
    -----
    `work` returns a mapping of names to arrays and Results, the numbers behind the picture; see `collect`.
    Run as a script, the file of a figure is ``tsphys figure NAME``.
    """

    def frame(work: Callable[..., Mapping[str, Any]]) -> Callable[..., list[Path]]:
        def draw(
            out: Any, quick: bool = False, seed: int = 0, threads: int | None = None, progress: Progress | None = None
        ) -> list[Path]:
            """Write the figure to ``out.pdf`` and ``out.png`` and its numbers to ``out.npz``."""
            sheet, chosen = Sheet(quick, seed, threads, progress), _chosen(sizes, quick)
            with style():
                data = work(sheet, **chosen)
                _letters(sheet.panels)
                parameters = {**chosen, **(about or {}), "seed": seed, "quick": quick}
                return save(sheet.figure, out, _numbers(data), parameters)

        _script(work)
        return draw

    return frame


def moving(fps: int = 12, **sizes: tuple[Any, Any]) -> Callable[[Any], Callable[..., Any]]:
    """Make ``animate(path, quick, seed, threads, progress)`` of ``work(sheet, **sizes)``.

    `work` returns how to show frame i and how many there are; see `save_animation`.
    """

    def frame(work: Callable[..., Drawing]) -> Callable[..., Path]:
        def animate(
            path: Path, quick: bool = False, seed: int = 0, threads: int | None = None, progress: Progress | None = None
        ) -> Path:
            """Write the animation to `path`, whose suffix is the format."""
            sheet = Sheet(quick, seed, threads, share(progress, 0, 0.5, 1))
            with style():
                redraw, frames = work(sheet, **_chosen(sizes, quick))
                listen = share(progress, 0.5, 0.5, 1)
                return save_animation(sheet.figure, redraw, frames, path, fps=fps, progress=listen)

        return animate

    return frame


def _chosen(sizes: Mapping[str, tuple[Any, Any]], quick: bool) -> dict[str, Any]:
    return {name: few if quick else many for name, (few, many) in sizes.items()}


def _letters(panels: Iterable[Any]) -> None:
    several = list(panels)
    for panel, letter in zip(several, "abcdefgh", strict=False):
        if len(several) > 1:
            label(panel, letter)


def _numbers(data: Mapping[str, Any]) -> dict[str, Any]:
    """Results as arrays, arrays as they are."""
    results = {name: value for name, value in data.items() if isinstance(value, Result)}
    return {**collect(**results), **{name: value for name, value in data.items() if name not in results}}


def _script(work: Callable[..., Any]) -> None:
    """Draw the figure whose file is run, from the module of its own name, whose kernels are compiled once."""
    if work.__module__ == "__main__":
        from tsphys.cli import main

        main(["figure", Path(work.__code__.co_filename).stem, *sys.argv[1:]])

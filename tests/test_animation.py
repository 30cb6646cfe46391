"""Moving pictures: as many frames as asked for, whole files or none, one clear line for what cannot be written."""

import numpy as np
import pytest
from PIL import Image

import tsphys
from tsphys.animation import save_animation, writer_of
from tsphys.cli.figure import moving, names
from tsphys.plotting import style


def wave(path, frames, fails_at=None):
    with style() as plt:
        figure, ax = plt.subplots(figsize=(2, 1))
        x = np.linspace(0, 1, 50)
        (line,) = ax.plot(x, x)

        def redraw(i):
            if i == fails_at:
                raise ValueError("cannot draw")
            line.set_ydata(x**i)

        return save_animation(figure, redraw, frames, path, fps=10)


def test_a_gif_has_every_frame_and_they_differ(tmp_path):
    path = wave(tmp_path / "new" / "wave.gif", 5)
    with Image.open(path) as image:
        assert image.n_frames == 5
        first = np.array(image.convert("RGB"))
        image.seek(4)
        assert (np.array(image.convert("RGB")) != first).any()


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "wave.gif"
    path.write_bytes(b"before")
    with pytest.raises(ValueError, match="cannot draw"):
        wave(path, 5, fails_at=2)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_formats_that_cannot_be_written(monkeypatch):
    monkeypatch.setenv("PATH", "")
    for kind, words in (("avi", "must be one of gif, mp4"), ("mp4", "ffmpeg")):
        with pytest.raises(tsphys.ModelError, match=words) as error:
            writer_of(kind, 10)
        assert error.value.name == "animate"


def test_what_moves_is_a_figure():
    assert {"two_layer", "escape", "hopfield"} <= set(moving()) <= set(names())


@pytest.mark.slow
@pytest.mark.parametrize("name", moving())
def test_every_animation_is_written(name, tmp_path):
    from importlib import import_module

    path = import_module(f"tsphys.figures.animations.{name}").animate(tmp_path / f"{name}.gif", quick=True)
    with Image.open(path) as image:
        assert image.n_frames > 10

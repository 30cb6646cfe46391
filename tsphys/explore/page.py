"""The page of a model: controls, curves with points on them, a second view, and what to take away."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from io import BytesIO
from typing import Any

import numpy as np
from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, CustomJS, LinearColorMapper, TabPanel, Tabs
from bokeh.models.annotations import Whisker
from bokeh.models.widgets import Button, CheckboxGroup, Div, Select, Slider, Spinner, TextInput
from bokeh.plotting import figure

import tsphys
from tsphys.curves import Curves, curves, drawable
from tsphys.errors import ModelError
from tsphys.explore import texts
from tsphys.explore.controls import STEPS, Control, axes, controls, first_points, stretch, values
from tsphys.explore.work import MOST, Growing, Newest, Sketched, Wish, theory
from tsphys.ground.times import grid
from tsphys.plotting import COLOURS
from tsphys.registry import MODELS
from tsphys.symbols import words

#: A table of a comparison, as wide as the plot.
TABLE = "white-space: pre-wrap; font-size: 10.5px; margin: 0"
#: Most lines of an observable.
LINES = 16
#: Points along an axis of the second view.
COARSE = 14
#: Plot and buttons stay in sight while one looks for a control.
STAYS = "@media (min-width: 1131px) { :host { position: sticky; top: 8px; align-self: flex-start; } }"
#: Where there is no room for both, the plot stands above the controls.
NARROW = "@media (max-width: 1130px) { :host { flex-direction: column-reverse !important; } }"


class Page:
    """All that one visitor sees of a model; `build` puts it into a document."""

    def __init__(self, document: Document, name: str):
        self.document, self.name = document, name
        self.theory: tsphys.Result | None = None
        #: The theory, or until that is there a sketch of it.
        self.shown: tsphys.Result | None = None
        self.simulation: tsphys.Result | None = None
        self.growing: Growing | None = None
        self.closed = False
        self._theories = Newest(Sketched(), lambda wish, found: self._later(self._show_theory, wish, *found))
        self._maps = Newest(_coarse, lambda wish, found: self._later(self._show_map, wish, found))
        document.on_session_destroyed(self._leave)
        self.build()

    # -- building ---------------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Make the widgets of the model, and ask for its theory."""
        self.known = controls(self.name)
        self.axes = axes(self.name)
        self.model_select = Select(title="model", value=self.name, options=list[Any](MODELS), width=300)
        self.model_select.on_change("value", lambda _a, _o, new: self._switch(new))
        self.widgets = {c.name: _widget(c) for c in self.known}
        self.axis = Select(title="drawn over", value=self.axes[0], options=list[Any](self.axes), width=140)
        self.points = TextInput(title="START:STOP:POINTS[:log]", value=first_points(self.name, self.axes[0]), width=170)
        self.observable = Select(title="observable", value="", options=[], width=200)
        self.logs = CheckboxGroup(
            labels=["log x", "log y"],
            active=[0] if self.axes[0] == "t" and grid("t", self.points.value)[0] > 0 else [],
            inline=True,
            align="end",
        )
        self.replicas = Spinner(title="replicas", value=8, low=1, high=MOST["replicas"], step=1, width=80)
        self.run = Button(label="Simulate", button_type="primary", width=110)
        self.stop = Button(label="Stop", disabled=True, width=80)
        self.said = Div(text="", width=760, css_classes=["said"])
        self.verdict = Div(text="", width=760, css_classes=["verdict"])
        self.plot: Plot | None = None
        # What a tab shows may change, which tab it is in may not.
        self.curve, self.second = column(Div(text="…")), column(Div(text=""))
        titles = ("curve", "R–Q plane" if self.axes == ("t",) else "map")
        self.panels = Tabs(tabs=[TabPanel(child=c, title=t) for c, t in zip((self.curve, self.second), titles)])
        self.panels.on_change("active", lambda _a, _o, _n: self._map())
        for widget in (*self.widgets.values(), self.points, self.replicas):
            _when_changed(widget, self._turned)
        self.axis.on_change("value", lambda _a, _o, new: self._other_axis(new))
        self.observable.on_change("value", lambda _a, _o, _n: self._redraw())
        self.logs.on_change("active", lambda _a, _o, _n: self._redraw())
        self.run.on_click(self._start)
        self.stop.on_click(self._halt)
        own = [self.widgets[c.name] for c in self.known if c.model]
        options = [self.widgets[c.name] for c in self.known if not c.model]
        left = column(
            Div(text=f"<h2 style='margin:0'>tsphys</h2>{escape(MODELS[self.name].about)}", width=300),
            self.model_select,
            *own, Div(text="<b>run</b>"), *options, width=320,
        )  # fmt: skip
        top = row(self.axis, self.points, self.observable, self.logs)
        buttons = row(self.replicas, self.run, self.stop)
        right = column(top, self.said, self.panels, buttons, self.verdict, self._take_away(), stylesheets=[STAYS])
        self.document.clear()
        self.document.title = f"tsphys explore: {self.name}"
        self.document.add_root(row(left, right, spacing=24, stylesheets=[NARROW]))
        self._turned()

    def _take_away(self) -> Any:
        self.code = {k: Div(text="", width=640) for k in ("Python", "command", "TOML")}
        self.raw = ColumnDataSource({"text": ["", "", ""], "file": ["", "", ""]})
        parts = []
        for i, (title, div) in enumerate(self.code.items()):
            copy = Button(label="copy", width=70)
            copy.js_on_click(
                CustomJS(args={"raw": self.raw, "i": i}, code="navigator.clipboard.writeText(raw.data.text[i])")
            )
            parts.append(TabPanel(child=column(copy, div), title=title))
        # Files are made when they are asked for, and handed over by the browser.
        self.download = ColumnDataSource({"data": [""], "name": [""]})
        save = CustomJS(args={"source": self.download}, code="""
            if (!source.data.data[0]) { return; }
            const bytes = Uint8Array.from(atob(source.data.data[0]), c => c.charCodeAt(0));
            const link = document.createElement('a');
            link.href = URL.createObjectURL(new Blob([bytes]));
            link.download = source.data.name[0];
            document.body.appendChild(link);
            link.click();
            link.remove();""")  # fmt: skip
        self.download.js_on_change("data", save)
        pdf, npz = Button(label="PDF", width=70, tags=[self.download]), Button(label="npz", width=70)
        pdf.on_click(lambda: self._hand_over("pdf"))
        npz.on_click(lambda: self._hand_over("npz"))
        return column(row(pdf, npz), Tabs(tabs=parts))

    # -- what the visitor does --------------------------------------------------------------------------------------

    def _switch(self, name: str) -> None:
        self._forget()
        self.name, self.theory, self.shown = name, None, None
        self.build()

    def _other_axis(self, new: str) -> None:
        self.points.value = first_points(self.name, new)
        self._turned()

    def _turned(self) -> None:
        self._forget()
        try:
            wish = self.wish = self._wish()
        except ModelError as error:
            self._say(str(error))
            return
        everything = wish.all
        for i, (title, write) in enumerate(
            (("Python", texts.python), ("command", texts.command), ("TOML", texts.toml))
        ):
            text = write(self.name, everything)
            self.code[title].text = f"<pre style='white-space:pre-wrap;margin:0'>{escape(text)}</pre>"
            self.raw.patch({"text": [(i, text)]})
        self._theories.ask(wish)

    def _wish(self) -> Wish:
        read = {c.name: _value(self.widgets[c.name]) for c in self.known}
        given = values(read, self.known)
        given.pop(self.axis.value, None)
        return Wish(self.name, given, self.axis.value, self.points.value)

    def _start(self) -> None:
        self._forget()
        self.run.disabled, self.stop.disabled = True, False
        self.growing = growing = Growing(self.wish, int(self.replicas.value or 1))
        growing.start(lambda found: self._later(self._grown, growing, found))

    def _halt(self) -> None:
        if self.growing is not None:
            self.growing.stop()

    def _forget(self) -> None:
        """A simulation is of the parameters that it was begun with."""
        if self.growing is not None:
            self.growing.stop()
        self.growing, self.simulation = None, None
        self.run.disabled, self.stop.disabled, self.verdict.text = False, True, ""

    def _hand_over(self, kind: str) -> None:
        results = [r for r in (self.simulation, self.theory) if r is not None]
        if not results:
            return
        file = BytesIO()
        if kind == "pdf":
            tsphys.plot(*results, self.observable.value).savefig(file, format="pdf")
        else:
            results[0].write(file)
        name = f"{self.name}-{results[0].kind}.{kind}"
        self.download.data = {"data": [base64.b64encode(file.getvalue()).decode()], "name": [name]}

    # -- what has been computed -------------------------------------------------------------------------------------

    def _later(self, function: Any, *arguments: Any) -> None:
        if not self.closed:
            self.document.add_next_tick_callback(partial(function, *arguments))

    def _leave(self, _context: Any) -> None:
        self.closed = True
        if self.growing is not None:
            self.growing.stop()

    def _show_theory(self, wish: Wish, found: Any, whole: bool = True) -> None:
        if wish.name != self.name:
            return
        if isinstance(found, Exception):
            # The last good curve stays.
            self._say(str(found))
            return
        self.shown, self.theory = found, found if whole else None
        self._say("; ".join(found.gaps[:1]) if whole else "a sketch; the curve follows")
        names: list[Any] = [k for k in drawable(found) if np.prod(found[k].shape[1:], dtype=int) <= LINES]
        if self.observable.options != names:
            self.observable.options = names
        if self.observable.value not in names and names:
            self.observable.value = names[0]
        self._redraw()
        self._judge()
        self._map()

    def _map(self) -> None:
        """A map is many curves: only where it is looked at."""
        if len(self.axes) > 1 and self.panels.active == 1 and self.theory is not None:
            self._maps.ask((self.wish, self.observable.value, self.axes))

    def _grown(self, growing: Growing, found: Any) -> None:
        if growing is not self.growing:
            return
        if found is None:
            self.run.disabled, self.stop.disabled = False, True
            return
        if isinstance(found, Exception):
            self._say(str(found))
            return
        self.simulation = found
        self._redraw()
        self._judge()

    def _judge(self) -> None:
        """Say whether points and curve agree, as soon as both are there."""
        if self.theory is None or self.simulation is None or (self.simulation.replicas or 0) < 2:
            return
        try:
            said = str(tsphys.compare(self.simulation, self.theory))
            self.verdict.text = f"<pre style='{TABLE}'>{escape(said)}</pre>"
        except ModelError as error:
            self.verdict.text = escape(str(error))

    def _say(self, text: str) -> None:
        self.said.text = f"<span style='color:#A33'>{escape(text)}</span>" if text else ""

    # -- drawing ----------------------------------------------------------------------------------------------------

    def _redraw(self) -> None:
        name = self.observable.value
        if self.shown is None or not name:
            return
        parts = [curves(self.shown, name)[0]]
        if self.simulation is not None and name in drawable(self.simulation):
            parts.append(curves(self.simulation, name)[0])
        logs = (0 in self.logs.active, 1 in self.logs.active)
        if self.plot is None or not self.plot.suits(parts, logs):
            self.plot = Plot(parts, logs)
            self.curve.children = [self.plot.figure]
        else:
            self.plot.show(parts)
        if self.axes == ("t",) and {"R", "Q"} <= {*drawable(self.shown)}:
            self.second.children = [self._plane()]

    def _plane(self) -> Any:
        plot = _figure("R_11", "Q_11")
        assert self.shown is not None
        first = [self.shown[k].reshape(len(self.shown["t"]), -1)[:, 0] for k in ("R", "Q")]
        plot.line(*first, color=COLOURS[0], line_width=2)
        if self.simulation is not None:
            means = [self.simulation.mean(k).reshape(len(self.simulation["t"]), -1)[:, 0] for k in ("R", "Q")]
            plot.scatter(*means, size=6, fill_color="white", line_color=COLOURS[1])
        return plot

    def _show_map(self, asked: Any, found: Any) -> None:
        wish, name, over = asked
        if wish.name != self.name or isinstance(found, Exception):
            return
        x, y, z = found
        plot = _figure(over[0], over[1])
        mapper = LinearColorMapper(
            palette="Viridis256", low=float(np.nanmin(z)), high=float(np.nanmax(z)), nan_color="#DDD"
        )
        box = {"x": x[0], "y": y[0], "dw": x[-1] - x[0], "dh": y[-1] - y[0]}
        plot.image([z], color_mapper=mapper, **box)
        plot.title.text = f"{name}; grey: no such state"
        here = {a: next(c for c in self.known if c.name == a) for a in over[:2]}
        at = [c.read(_value(self.widgets[a])) for a, c in here.items()]
        if None not in at:
            plot.scatter([at[0]], [at[1]], size=12, marker="cross", line_color="white", line_width=3)
        self.second.children = [plot]


def _coarse(
    asked: tuple[Wish, str, tuple[str, ...]], outdated: Callable[[], bool]
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The theory on a coarse grid over the first two axes of a model, unless another one is asked for meanwhile."""
    wish, name, over = asked
    x, y = (stretch(wish.name, a, COARSE) for a in over[:2])
    rows = []
    for value in y.tolist():
        if outdated():
            return
        given = {**{k: v for k, v in wish.values.items() if k not in over[:2]}, over[1]: value}
        there = Wish(wish.name, given, over[0], ",".join(map(repr, x.tolist())))
        try:
            rows.append(theory(there)[name].reshape(len(x), -1)[:, 0])
        except (ModelError, ArithmeticError, RuntimeError):
            rows.append(np.full(len(x), np.nan))
    yield x, y, np.array(rows)


def _said(name: str, axis: bool) -> str:
    """What stands at an axis; its letters as they are, without a formula."""
    known = words(name, axis=axis).partition("$")[0].strip()
    return f"{known} {name}" if known and known != name else name


def _figure(x: str, y: str, logs: tuple[bool, bool] = (False, False)) -> Any:
    kinds: Any = ["log" if log else "linear" for log in logs]
    plot = figure(
        width=760, height=430, x_axis_type=kinds[0], y_axis_type=kinds[1],
        x_axis_label=_said(x, True), y_axis_label=_said(y, False),
        toolbar_location="right", tools="pan,box_zoom,wheel_zoom,reset,save,hover",
    )  # fmt: skip
    plot.toolbar.logo = None
    plot.axis.axis_label_text_font_style = "normal"
    return plot


class Plot:
    """Curves and points of an observable, which move without being drawn anew."""

    def __init__(self, parts: list[Curves], logs: tuple[bool, bool]):
        self.logs, self.key = logs, self._key(parts)
        self.figure = _figure(parts[0].over, parts[0].name, logs)
        self.sources: list[ColumnDataSource] = []
        for part in parts:
            for i, line in enumerate(part.lines):
                if line.twin:
                    continue
                source = ColumnDataSource({k: [] for k in ("x", "y", "low", "high")})
                self.sources.append(source)
                look: dict[str, Any] = {"legend_label": line.name} if len(part.lines) > 1 else {}
                alone = part.kind == "simulation" and len(part.lines) == 1
                colour = COLOURS[1 if alone else i % len(COLOURS)]
                if part.kind == "theory":
                    self.figure.line("x", "y", source=source, color=colour, line_width=2, **look)
                    continue
                bars: dict[str, Any] = {"source": source, "line_color": colour}
                self.figure.add_layout(Whisker(base="x", lower="low", upper="high", **bars))
                look |= {"fill_color": "white", "line_color": colour, "line_width": 1.5}
                self.figure.scatter("x", "y", source=source, size=7, **look)
        self.show(parts)

    def _key(self, parts: list[Curves]) -> Any:
        return [
            (part.kind, part.name, part.over, [line.name for line in part.lines if not line.twin]) for part in parts
        ]

    def suits(self, parts: list[Curves], logs: tuple[bool, bool]) -> bool:
        """Whether these are the same curves with other numbers."""
        return (self._key(parts), logs) == (self.key, self.logs)

    def show(self, parts: list[Curves]) -> None:
        """New numbers."""
        lines = [(part, line) for part in parts for line in part.lines if not line.twin]
        for source, (part, line) in zip(self.sources, lines, strict=True):
            keep = np.isfinite(line.mean)
            for log, at in zip(self.logs, (part.values, line.mean)):
                keep &= (at > 0) | (not log)
            x, y = part.values[keep], line.mean[keep]
            error = np.zeros(len(y)) if line.error is None else np.nan_to_num(line.error[keep])
            low = y - error
            low = np.where((low > 0) | (not self.logs[1]), low, y)
            source.data = {"x": x, "y": y, "low": low, "high": y + error}


def _widget(c: Control) -> Any:
    """A widget for a control; its help is said by the browser."""
    start = c.write(c.start)
    shown: dict[str, Any] = {"title": c.name if c.kind != "log" else f"log₁₀ {c.name}", "width": 300, "name": c.name}
    if c.kind == "choice":
        return Select(value=start, options=list[Any](c.choices), description=c.help, **shown)
    if c.kind == "switch":
        return CheckboxGroup(labels=[c.name], active=[0] if start else [], name=c.name)
    if c.kind == "text":
        return TextInput(value=start, description=c.help, **shown)
    step = 1 if c.kind == "integer" else (c.high - c.low) / STEPS
    return Slider(start=c.low, end=c.high, value=start, step=step, format="0[.]0000", **shown)


def _value(widget: Any) -> Any:
    return bool(widget.active) if isinstance(widget, CheckboxGroup) else widget.value


def _when_changed(widget: Any, call: Any) -> None:
    widget.on_change("active" if isinstance(widget, CheckboxGroup) else "value", lambda _a, _o, _n: call())

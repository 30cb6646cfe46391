"""Notebooks as pages: ``python docs/notebooks.py [NAME …]`` runs ``docs/notebooks/NAME.md`` and writes ``NAME.ipynb``.

The sources are MyST Markdown, which Jupytext opens as notebooks as well; what their cells print and draw is kept in the
``.ipynb`` beside them, from which the site shows it. Neither running nor building needs Jupyter.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, ClassVar

FOLDER = Path(__file__).resolve().parent / "notebooks"
#: A code cell, or the text up to the next one.
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(?P<options>(?::[^\n]*\n)*)(?P<code>.*?)^```\n", re.M | re.S)
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def names() -> list[str]:
    """All notebooks."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))


def cells(name: str) -> list[tuple[str, str, list[str]]]:
    """Kind (``code`` or ``markdown``), source and tags of the cells of a notebook."""
    text = re.sub(r"\A---\n.*?\n---\n", "", (FOLDER / f"{name}.md").read_text(encoding="utf-8"), flags=re.S)
    out, end = [], 0
    for found in CELL.finditer(text):
        out.append(("markdown", text[end : found.start()].strip(), []))
        tags = re.search(r":tags: \[(.*)\]", found["options"])
        out.append(("code", found["code"].strip("\n"), tags[1].split(", ") if tags else []))
        end = found.end()
    out.append(("markdown", text[end:].strip(), []))
    return [cell for cell in out if cell[1]]


def run(name: str, **sizes: Any) -> list[list[dict[str, Any]]]:
    """Run the code cells, one after the other in one namespace; what each gave, in the format of notebooks.

    `sizes` replace those of the cell that is tagged ``parameters``.
    """
    space: dict[str, Any] = {"__name__": "__main__"}
    out = []
    for kind, source, tags in cells(name):
        if kind == "code":
            out.append(_outputs(source, space))
            if "parameters" in tags:
                assert space.keys() >= sizes.keys(), f"{name}: no such sizes"
                space |= sizes
    return out


def _outputs(source: str, space: dict[str, Any]) -> list[dict[str, Any]]:
    """What a cell prints, and how its last expression shows itself."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), "<cell>", "exec"), space)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), space)
    out: list[dict[str, Any]] = []
    if printed.getvalue():
        out.append({"output_type": "stream", "name": "stdout", "text": _lines(printed.getvalue())})
    if value is not None:
        data: dict[str, Any] = {"text/plain": _lines(_plain(value))}
        if hasattr(value, "_repr_png_"):
            data["image/png"] = base64.b64encode(value._repr_png_()).decode()
        elif hasattr(value, "_repr_html_"):
            data["text/html"] = _lines(value._repr_html_())
        out.append({"output_type": "display_data", "metadata": {}, "data": data})
    return out


def _plain(value: Any) -> str:
    return f"<{type(value).__name__}>" if hasattr(value, "_repr_png_") else repr(value)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def notebook(name: str, outputs: list[list[dict[str, Any]]]) -> str:
    """The notebook as JSON."""
    left, written = iter(outputs), []
    for i, (kind, source, tags) in enumerate(cells(name)):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{i}", "metadata": {"tags": tags} if tags else {}}
        cell["source"] = _lines(_on_its_own(source) if kind == "markdown" else source)
        if kind == "code":
            cell |= {"execution_count": None, "outputs": next(left)}
        written.append(cell)
    whole = {"cells": written, "metadata": {"kernelspec": KERNEL}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _on_its_own(text: str) -> str:
    """Text without what only the site understands: roles, and its links to a download."""
    text = re.sub(r"^\{download\}`[^`]*`[^\n]*\n*", "", text, flags=re.M)
    return re.sub(r"\{term\}`([^`<]*?)\s*(?:<[^>]*>)?`", r"\1", text)


def shown(name: str) -> list[list[dict[str, Any]]]:
    """The outputs that are kept of a notebook, of each code cell."""
    kept = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return [cell["outputs"] for cell in kept["cells"] if cell["cell_type"] == "code"]


def setup(app: Any) -> dict[str, bool]:
    """For Sphinx: ``{code-cell}`` is code, and below it what is kept of it."""
    from docutils import nodes
    from docutils.parsers.rst import directives
    from sphinx.util.docutils import SphinxDirective

    class CodeCell(SphinxDirective):
        has_content, optional_arguments = True, 1
        option_spec: ClassVar[dict[str, Any]] = {"tags": directives.unchanged}

        def run(self) -> list[nodes.Node]:
            name = Path(self.env.docname).name
            number = self.env.temp_data.setdefault("cells", 0)
            self.env.temp_data["cells"] += 1
            self.env.note_dependency(str(FOLDER / f"{name}.ipynb"))
            code = nodes.literal_block(text := "\n".join(self.content), text, language="python")
            return [code, *(node for output in shown(name)[number] for node in show(output))]

    def show(output: dict[str, Any]) -> list[nodes.Node]:
        data = output.get("data", {})
        if "image/png" in data:
            uri = f"data:image/png;base64,{data['image/png']}"
            return [nodes.image(uri=uri, candidates={"?": uri}, alt="What the cell draws", classes=["cell-picture"])]
        if "text/html" in data:
            return [nodes.raw("", f'<div class="cell-output">{"".join(data["text/html"])}</div>', format="html")]
        text = "".join(output.get("text") or data["text/plain"]).rstrip("\n")
        return [nodes.container("", nodes.literal_block(text, text, language="none"), classes=["cell-output"])]

    app.add_directive("code-cell", CodeCell)
    return {"parallel_read_safe": True}


def main(wanted: list[str]) -> None:
    for name in wanted or names():
        here = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                outputs = run(name)
            finally:
                os.chdir(here)
        (FOLDER / f"{name}.ipynb").write_text(notebook(name, outputs), encoding="utf-8")
        for output in (o for cell in outputs for o in cell):
            print("".join(output.get("text") or output["data"]["text/plain"]))


if __name__ == "__main__":
    main(sys.argv[1:])

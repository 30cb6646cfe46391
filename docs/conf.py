"""Sphinx: the pages of this folder, and the reference from docstrings; neither building nor reading needs a network."""

import re
import sys
from pathlib import Path

from docutils import nodes
from docutils.nodes import SkipNode
from latex2mathml.converter import convert

import tsphys

sys.path.insert(0, str(Path(__file__).parent))
from pages import ROOT, caption

project, author, release = "tsphys", "the authors of tsphys", tsphys.__version__
copyright = author
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
extensions += ["sphinx_click", "sphinx_copybutton", "notebooks"]
# What cells print is nothing to copy.
copybutton_selector = (
    "div:not(.cell-output) > div.highlight > pre, div:not(.cell-output) > div[class*=highlight] > div > pre"
)
myst_enable_extensions = ["dollarmath", "amsmath", "attrs_block"]
myst_heading_anchors = 3
html_theme, html_title = "furo", "tsphys"
html_static_path, html_css_files = ["_static"], ["formulas.css", "pages.css"]
html_math_renderer = "mathml"
html_show_sphinx = html_show_copyright = False
autodoc_typehints = "none"
autodoc_class_signature = "separated"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
exclude_patterns = ["_build"]


# What the converter would print as it stands, and what it takes instead.
UNKNOWN = {"{aligned}": "{align*}", r"\langle": "⟨", r"\rangle": "⟩"}


def mathml(text, display):
    for name, instead in UNKNOWN.items():
        text = text.replace(name, instead)
    return convert(text, display=display)


def _formula(display):
    def visit(self, node):
        self.body.append(mathml(node.astext(), display))
        raise SkipNode

    return visit


def _plain_bars(app, what, name, obj, options, lines):
    """Bars in docstrings are absolute values, where reStructuredText sees substitutions."""
    lines[:] = [re.sub(r"(``.*?``)|\|", lambda found: found[1] or r"\|", line) for line in lines]


def _captions(app, doctree):
    """Below a figure stands what its script says of lines, points and bars; the gallery has it as text."""
    if app.env.docname == "gallery":
        return
    for image in list(doctree.findall(nodes.image)):
        found = re.fullmatch(r"figures/(\w+)\.png", image["uri"].removeprefix("docs/"))
        if found and (ROOT / "figures" / f"{found[1]}.py").is_file():
            words = caption(found[1])
            around = image.parent.parent
            around.insert(around.index(image.parent) + 1, nodes.paragraph("", words, classes=["figure-caption"]))


#: Links to all pages, by the folder that they stand in.
TREES: dict[tuple[object, ...], str] = {}


def _one_tree_a_folder(app, name, template, context, doctree):
    """Pages of source in one folder have the same links to all pages, which take longer than all else on them."""
    if name.startswith("_modules/"):
        make, folder = context["toctree"], name.rpartition("/")[0]

        def toctree(**options):
            key = (folder, *sorted(options.items()))
            if key not in TREES:
                TREES[key] = make(**options)
            return TREES[key]

        context["toctree"] = toctree


def setup(app):
    """MathML for formulas, which browsers draw without scripts, in a font that stands beside the pages."""
    app.connect("autodoc-process-docstring", _plain_bars)
    app.connect("doctree-read", _captions)
    # Before the theme, which asks for them.
    app.connect("html-page-context", _one_tree_a_folder, priority=400)
    app.add_html_math_renderer("mathml", (_formula("inline"), None), (_formula("block"), None))

"""The page on this machine, for this machine."""

from __future__ import annotations

import logging
from collections.abc import Callable

from bokeh.application import Application
from bokeh.application.handlers.function import FunctionHandler
from bokeh.document import Document
from bokeh.server.server import Server

from tsphys.errors import ModelError
from tsphys.explore.page import Page

ADDRESS = "127.0.0.1"


def application(name: str) -> Application:
    """What a visitor gets: a page of his own."""

    def visit(document: Document) -> None:
        document.template_variables["page"] = Page(document, name)

    return Application(FunctionHandler(visit))


def serve(name: str, port: int, browser: bool, say: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C.

    Raises
    ------
    ModelError
        If the port is taken.
    """
    # It logs each visit.
    logging.getLogger("bokeh").setLevel(logging.ERROR)
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    try:
        server = Server({"/": application(name)}, port=port, address=ADDRESS)
    except OSError as error:
        raise ModelError("port", port, f"cannot be used ({error.strerror})") from None
    url = f"http://localhost:{server.port}/"
    say(f"tsphys explore: {url} (Ctrl-C ends it)")
    server.start()
    if browser:
        server.io_loop.add_callback(server.show, "/")
    try:
        server.io_loop.start()
    finally:
        server.stop()

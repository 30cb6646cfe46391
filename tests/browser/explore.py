"""The explorer in a real browser: ``python tests/browser/explore.py [FOLDER for screenshots]``.

Moves a slider and sees the curve change, simulates, stops, takes a file away; at the end nothing was written to the
console and nothing was loaded from elsewhere. Needs playwright and Chromium.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
CHROMIUM = next((p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
                 if Path(p).exists()), None)  # fmt: skip
#: Milliseconds that the first compilation may take on a slow machine.
PATIENCE = 300_000


def curve(page: Page) -> list[float]:
    """The numbers of the first line on the page, as the browser has them."""
    return page.evaluate("""() => {
        const models = [...Bokeh.documents[0]._all_models.values()];
        const plot = models.find(m => m.type === 'Figure' && m.renderers.length);
        return Array.from(plot.renderers[0].data_source.data.y ?? []);
    }""")


def wait(condition, seconds: float = PATIENCE / 1000):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the page does not move"
        time.sleep(0.05)


def check(model: str, slider: str, url: str, page: Page, shots: Path) -> float:
    """All that a visitor does; returns the seconds from a slider's move to the new curve."""
    page.goto(url)
    page.wait_for_selector("canvas", timeout=PATIENCE)
    wait(lambda: len(curve(page)) > 1)
    before = curve(page)
    handle = page.locator(f".bk-input-group:has-text('{slider}:') .noUi-handle").first
    handle.focus()
    page.keyboard.press("ArrowRight")
    wait(lambda: curve(page) != before)
    moved, begun = curve(page), time.monotonic()
    page.keyboard.press("ArrowRight")
    wait(lambda: curve(page) != moved)
    latency = time.monotonic() - begun
    page.get_by_role("button", name="Simulate").click()
    page.locator("text=rms z").first.wait_for(timeout=PATIENCE)
    page.screenshot(path=shots / f"{model}.png")
    stop = page.get_by_role("button", name="Stop")
    if stop.is_enabled():
        stop.click()
    wait(lambda: page.get_by_role("button", name="Simulate").is_enabled())
    for kind in ("PDF", "npz"):
        with page.expect_download(timeout=PATIENCE) as taken:
            page.get_by_role("button", name=kind).click()
        assert taken.value.path().stat().st_size > 1000
    page.set_viewport_size({"width": 800, "height": 900})
    page.screenshot(path=shots / f"{model}-800.png")
    return latency


def visit(model: str, slider: str, shots: Path) -> float:
    """Start a page of its own, and see to it that it is quiet and alone."""
    command = [sys.executable, "-m", "tsphys", "explore", model, "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said, foreign = [], []
    try:
        url = re.search(r"http://\S+", server.stdout.readline())[0]
        with sync_playwright() as player:
            browser = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1360, "height": 1000})
            page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
            page.on("request", lambda r: foreign.append(r.url) if not _own(r.url) else None)
            latency = check(model, slider, url, page, shots)
            browser.close()
    finally:
        server.terminate()
        server.wait(30)
    assert not said, said
    assert not foreign, foreign
    return latency


def main(shots: Path) -> None:
    shots.mkdir(parents=True, exist_ok=True)
    for model, slider in (("two_layer", "noise"), ("hopfield", "T")):
        latency = visit(model, slider, shots)
        print(f"{model}: {1e3 * latency:.0f} ms from the slider to the curve, in the browser")


def _own(url: str) -> bool:
    return url.startswith(("http://localhost:", "ws://localhost:", "data:", "blob:"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()))

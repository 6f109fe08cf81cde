"""The two pages in a real browser: they ask for nothing but themselves, and fit wide and narrow screens."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PAGES = ("report.html", "validation.html")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
    "--allow-file-access-from-files", "--virtual-time-budget=5000", "--dump-dom",
)  # fmt: skip
FRAME = """<iframe id=f src=page.html width={width} height=900 style="border:0"></iframe><pre id=o></pre>
<script>f.onload = () => {{
  const page = f.contentDocument.documentElement;
  const asked = f.contentWindow.performance.getEntriesByType("resource").map(entry => entry.name);
  o.textContent = JSON.stringify({{needed: page.scrollWidth, given: page.clientWidth, asked: asked}});
}}</script>"""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="no chromium here: install Debian's package chromium"
)


def _seen(page: str, tmp_path: Path, width: int) -> dict:
    """What a browser makes of a page shown `width` pixels wide: how wide it is, and what else it asks for."""
    (tmp_path / "page.html").write_text(page)
    (tmp_path / "frame.html").write_text(FRAME.format(width=width))
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width + 100},1000"]
    address = (tmp_path / "frame.html").as_uri()
    dom = subprocess.run([*command, address], capture_output=True, text=True, timeout=120, check=True).stdout
    return json.loads(re.search(r'<pre id="o">(\{.*?\})</pre>', dom).group(1))


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_the_screen(run: Path, tmp_path: Path, name: str, width: int) -> None:
    """At 1280 and at 400 pixels the page is no wider than the screen."""
    seen = _seen((run / "release" / name).read_text(), tmp_path, width)

    assert (seen["needed"], seen["given"]) == (width, width)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing(run: Path, tmp_path: Path, name: str) -> None:
    """Even with its own ban on requests lifted, the page asks for nothing else."""
    page = (run / "release" / name).read_text()
    unbanned = re.sub(r"<meta[^>]*Content-Security-Policy[^>]*>", "", page)

    assert unbanned != page
    assert _seen(unbanned, tmp_path, 1280)["asked"] == []


def test_the_browser_would_have_told(tmp_path: Path) -> None:
    """A page that does ask for something is seen to."""
    asked = _seen("<img src='http://127.0.0.1:9/x.png'>", tmp_path, 400)["asked"]

    assert asked == ["http://127.0.0.1:9/x.png"]

"""The picture of the reading view that the README shows."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from eval.browser import open_browser

__all__ = ["take_picture"]

_WIDTH, _HEIGHT = 1000, 860


def take_picture(article: Path, path: Path) -> None:
    """Label an article with the command line, open the page in Chromium, and write what is in sight to a PNG file.

    Raises:
        FileNotFoundError: if there is no Chromium.
    """
    paratype = str(Path(sys.executable).with_name("paratype"))
    with tempfile.TemporaryDirectory() as folder, open_browser(width=_WIDTH, height=_HEIGHT) as browser:
        page = Path(folder) / "page.html"
        subprocess.run([paratype, "label", "--quiet", article.name, "-o", page], cwd=article.parent, check=True)
        browser.open(page)
        path.parent.mkdir(exist_ok=True)
        browser.picture(path)

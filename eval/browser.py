"""Chromium without a window, driven over a pipe, to look at pages and to measure them."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Browser", "find_chromium", "open_browser"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SECONDS = 60.0


def find_chromium() -> str | None:
    """Return the browser's path; None if there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def open_browser(*, width: int = 1100, height: int = 900, aloud: bool = False) -> Iterator[Browser]:
    """Give a browser with one empty page of so many pixels; ``aloud`` as if a screen reader were running.

    Raises:
        FileNotFoundError: if there is no Chromium.
    """
    chromium = find_chromium()
    if chromium is None:
        raise FileNotFoundError("no Chromium; install it, for example with apt-get install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        pipes = [Path(folder) / name for name in ("in", "out")]
        for pipe in pipes:
            os.mkfifo(pipe)
        options = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--remote-debugging-pipe",
            f"--window-size={width},{height}",
            f"--user-data-dir={folder}/user",
            *(["--force-renderer-accessibility"] if aloud else []),
        ]
        # It takes commands from file 3 and answers to file 4, which only a shell gives by number.
        command = ["sh", "-c", 'in=$1 out=$2; shift 2; exec "$@" 3<"$in" 4>"$out"', "sh", *pipes, chromium, *options]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            with pipes[0].open("wb", buffering=0) as commands, pipes[1].open("rb", buffering=0) as answers:
                yield Browser(commands.fileno(), answers.fileno(), width, height)
        finally:
            process.kill()
            process.wait()


class Browser:
    """One page in a browser; `call` gives all that the DevTools protocol offers."""

    def __init__(self, commands: int, answers: int, width: int, height: int) -> None:
        self._commands, self._answers = commands, answers
        self._count, self._waiting, self._session = 0, b"", {}
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {
            "sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"],
        }
        self.resize(width, height)
        for domain in ("Page", "Log", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result; what comes before that goes to ``events``."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params, **self._session}
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + _SECONDS
        while b"\0" not in self._waiting:
            ready, _, _ = select.select([self._answers], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(self._answers, 1 << 20) if ready else b""
            if not piece:
                raise RuntimeError("the browser gave no answer")
            self._waiting += piece
        line, self._waiting = self._waiting.split(b"\0", 1)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def resize(self, width: int, height: int, *, scale: float = 1) -> None:
        """Set the size of the page in pixels of its own, and how many of the picture's one of these has."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded."""
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def run(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if kind == "keyDown" and len(key) == 1 else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **text)

    def prefer(self, scheme: str, *, media: str = "") -> None:
        """Show the page as to who likes it ``light`` or ``dark``; as ``print`` puts it on paper."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)

    def picture(self, path: Path) -> None:
        """Write what is in sight to a PNG file."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def paper(self, path: Path) -> None:
        """Write the page to a PDF file."""
        path.write_bytes(base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"]))

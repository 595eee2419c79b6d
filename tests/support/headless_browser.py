"""Debian's Chromium without a screen, spoken to through a pipe (DevTools protocol): what a page does in a browser, in tests."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """One tab."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive, self._number, self._rest = send, receive, 0, b""
        self.session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command and its result; what the browser tells besides is passed over."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self._send, content) :]
        while True:
            while b"\0" not in self._rest:
                received = os.read(self._receive, 2**20)
                if not received:
                    raise RuntimeError("the browser has gone")
                self._rest += received
            told, _, self._rest = self._rest.partition(b"\0")
            answer = json.loads(told)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(answer["error"]["message"])
                return answer["result"]

    def open(self, address: str, *, width: int = 1280, height: int = 900, reduced_motion: bool = False) -> None:
        """Loads a page, at a size."""
        motion = "reduce" if reduced_motion else "no-preference"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": motion}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Page.navigate", url=address)
        self.run("document.readyState === 'complete' || new Promise(done => addEventListener('load', done)).then(() => true)")

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; promises are waited for."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(json.dumps(found["exceptionDetails"])[:2000])
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """A key, down and up."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def picture(self) -> bytes:
        """What is to be seen, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser for as long as the block runs; the test is skipped where there is none."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium is installed")
    to_browser, from_browser = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        flags = f"--headless --no-sandbox --disable-gpu --no-first-run --user-data-dir={profile} --remote-debugging-pipe"
        line = f"exec {program} {flags} about:blank 3<&{to_browser[0]} 4>&{from_browser[1]}"
        fds = (to_browser[0], from_browser[1])
        process = subprocess.Popen(["bash", "-c", line], pass_fds=fds, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in fds:
            os.close(fd)
        try:
            yield Browser(to_browser[1], from_browser[0])
        finally:
            process.kill()
            process.wait()
            os.close(to_browser[1])
            os.close(from_browser[0])

# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window, driven over the DevTools protocol, and axe-core's verdict on what it shows."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import aiohttp

from tools.browser.getting import Found

FLAGS = (
    "--headless=shell",
    "--no-sandbox",  # needs user namespaces, which a container seldom has; it opens our own pages only
    "--no-zygote",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-port=0",
)
START_SECONDS = 60.0
CALL_SECONDS = 60.0
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""WCAG 2.2 AA by axe-core's names, and what it advises beyond."""
FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""
"""The package's own fonts and no others: letters are drawn, and the same ones on every machine."""
TAB = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What axe-core found, by the names of its rules."""

    violations: Mapping[str, list[str]]
    """With the elements, as HTML."""
    undecided: frozenset[str]
    """What a person would have to look at."""
    passes: frozenset[str]


class Page:
    """A tab of its own."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A method of the protocol."""
        return await self._browser.call(method, self._session, **parameters)

    async def evaluate(self, script: str) -> Any:
        """The value of an expression, in the page; promises are waited for."""
        told = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise RuntimeError(json.dumps(told["exceptionDetails"]))
        return told["result"].get("value")

    async def open(self, url: str, headers: Mapping[str, str], *, width: int, dark: bool) -> None:
        """Go there as somebody with these headers, this screen and this taste; waits until it is shown."""
        await self.call("Page.enable")
        await self.call("Network.enable")
        await self.call("Network.setExtraHTTPHeaders", headers=dict(headers))
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **screen)
        went = await self.call("Page.navigate", url=url)
        if "errorText" in went:
            raise RuntimeError(f"{url}: {went['errorText']}")
        shown = f"document.readyState === 'complete' && location.href === {json.dumps(url)}"
        async with asyncio.timeout(CALL_SECONDS):
            while True:
                if await self.evaluate(shown):
                    return
                await asyncio.sleep(0.01)

    async def press_tab(self) -> None:
        """As somebody without a mouse."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, **TAB)

    async def judged(self, axe: str) -> Verdict:
        """What axe-core, by its script, says of the page as it is shown now."""
        await self.evaluate(f"{axe};0")
        options = json.dumps({"runOnly": {"type": "tag", "values": TAGS}})
        found = await self.evaluate(f"axe.run(document, {options})")
        return Verdict(
            {rule["id"]: [node["html"] for node in rule["nodes"]] for rule in found["violations"]},
            frozenset(rule["id"] for rule in found["incomplete"]),
            frozenset(rule["id"] for rule in found["passes"]),
        )


class Browser:
    """A running Chromium. One call at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._calls = 0

    async def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """A method of the protocol; what happens meanwhile is not looked at."""
        self._calls += 1
        told: dict[str, Any] = {"id": self._calls, "method": method, "params": parameters}
        await self._socket.send_json(told | ({"sessionId": session} if session else {}))
        async with asyncio.timeout(CALL_SECONDS):
            while True:
                answer = await self._socket.receive_json()
                if answer.get("id") == self._calls:
                    break
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """A new tab, which remembers nothing of the others."""
        context = (await self.call("Target.createBrowserContext"))["browserContextId"]
        made = await self.call("Target.createTarget", url="about:blank", browserContextId=context)
        session = await self.call("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        try:
            yield Page(self, session["sessionId"])
        finally:
            await self.call("Target.disposeBrowserContext", browserContextId=context)


@asynccontextmanager
async def started(found: Found) -> AsyncIterator[Browser]:
    """Chromium with a profile that is thrown away; it is gone at the end of the block."""
    folder = found.chromium.parent
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": profile,
            "LD_LIBRARY_PATH": str(folder / "lib"),
            "FONTCONFIG_FILE": str(_fonts(folder / "fonts", Path(profile))),
        }
        process = await asyncio.create_subprocess_exec(
            *(str(found.chromium), *FLAGS, f"--user-data-dir={profile}", "about:blank"),
            env=environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            url = await _devtools(process, Path(profile))
            async with aiohttp.ClientSession() as client, client.ws_connect(url, max_msg_size=0) as socket:
                yield Browser(socket)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def _fonts(fonts: Path, profile: Path) -> Path:
    told = FONTS.format(fonts=escape(str(fonts)), cache=escape(str(profile / "font-cache")))
    path = profile / "fonts.conf"
    path.write_text(told)
    return path


async def _devtools(process: asyncio.subprocess.Process, profile: Path) -> str:
    """Where it listens, once it has written that down."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            if (url := _written(profile)) is not None:
                return url
            if process.returncode is not None:
                raise RuntimeError(f"Chromium ended with {process.returncode}")
            await asyncio.sleep(0.02)


def _written(profile: Path) -> str | None:
    try:
        port, path = (profile / "DevToolsActivePort").read_text().split("\n")
    except (FileNotFoundError, ValueError):  # not there yet, or half written
        return None
    return f"ws://127.0.0.1:{port}{path}"

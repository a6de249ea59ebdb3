"""An exported page in Node and in Chromium, for benchmarks and tests."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

NODE = shutil.which("node")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

PHONE: dict[str, dict[str, Any]] = {
    "Emulation.setDeviceMetricsOverride": {"width": 390, "height": 844, "deviceScaleFactor": 3, "mobile": True},
    "Emulation.setTouchEmulationEnabled": {"enabled": True},
    "Emulation.setCPUThrottlingRate": {"rate": 4},
}
"""Commands that make Chromium a phone with a processor a quarter as fast."""

_SHOWN = 'document.getElementById("answer")?.textContent'


def in_node(page: Path, texts: Sequence[str], folder: Path) -> dict[str, Any]:
    """`probabilities` of n texts, `effects` of the first ones, and the `seconds` of processor time of all."""
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    command = [str(NODE), str(Path(__file__).with_name("web.js")), str(page), str(folder / "texts.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@dataclass(frozen=True)
class Opened:
    """What came of a page: seconds from its address to the first answer, and the values of the scripts."""

    seconds: float
    values: list[Any]


async def in_browser(
    page: Path,
    folder: Path,
    scripts: Sequence[str] = (),
    device: Mapping[str, dict[str, Any]] | None = None,
) -> Opened:
    """Open a page in Chromium, made another device by its commands, and run scripts one after the other."""
    options = ["--headless", "--no-sandbox", "--remote-debugging-port=0", f"--user-data-dir={folder}"]
    browser = await asyncio.create_subprocess_exec(str(CHROMIUM), *options, "about:blank", stderr=subprocess.DEVNULL)
    try:
        while not (folder / "DevToolsActivePort").exists():
            await asyncio.sleep(0.05)
        port = (folder / "DevToolsActivePort").read_text(encoding="utf-8").splitlines()[0]
        async with aiohttp.ClientSession() as session:
            targets = await (await session.get(f"http://127.0.0.1:{port}/json/list")).json()
            address = next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page")
            async with session.ws_connect(address, max_msg_size=0) as socket:
                for method, parameters in (device or {}).items():
                    await _call(socket, method, **parameters)
                began = time.perf_counter()
                await _call(socket, "Page.navigate", url=page.resolve().as_uri())
                async with asyncio.timeout(60):
                    while not await _value(socket, _SHOWN):
                        await asyncio.sleep(0.02)
                seconds = time.perf_counter() - began
                return Opened(seconds, [await _value(socket, script) for script in scripts])
    finally:
        browser.terminate()
        await browser.wait()


async def _value(socket: aiohttp.ClientWebSocketResponse, script: str) -> Any:
    """The value of an expression of JavaScript; None if it fails."""
    return (await _call(socket, "Runtime.evaluate", expression=script))["result"]["result"].get("value")


async def _call(socket: aiohttp.ClientWebSocketResponse, method: str, **parameters: Any) -> dict[str, Any]:
    await socket.send_json({"id": 1, "method": method, "params": parameters})
    answer: dict[str, Any] = await socket.receive_json()
    return answer

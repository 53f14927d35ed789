"""Window/level drag on three linked panes of 512 × 512: frames per second and delay, with real mouse events.

python -m benchmarks.window_drag [--home HOME] [--seconds 5] [--draw table|gl]

HOME is a home with the demo (it is copied); without it the demo is loaded first. The reading is the demo's CT style
transfer: input, reference and output, all linked. A delay is the time from the event's own stamp to the end of the
display frame in which the panes were drawn.
"""

import argparse
import asyncio
import math
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import django
from playwright.async_api import Page, async_playwright

SIZES = ((1366, 768), (1920, 1080))
RATE_HZ = 125  # of a common mouse
WATCH = """() => {
  const log = { delays: [], frames: 0, changed: 0, events: 0 };
  let waiting = null;
  const channel = new MessageChannel();
  const stamps = [];
  channel.port1.onmessage = () => log.delays.push(performance.now() - stamps.shift());
  const words = document.querySelector(".corner.bl");
  let shown = words.textContent;
  addEventListener("pointermove", (event) => {
    log.events += event.getCoalescedEvents().length || 1;
    if (waiting !== null) return;
    waiting = event.timeStamp;
    requestAnimationFrame(() => {
      log.frames += 1;
      if (words.textContent !== shown) log.changed += 1;
      shown = words.textContent;
      stamps.push(waiting);
      waiting = null;
      channel.port2.postMessage(0);
    });
  });
  window.dragLog = log;
}"""
RENDERER = """() => {
  const table = "table (2D canvas)";
  if (sessionStorage.getItem("medgen.draw") !== "gl" && !location.search.includes("draw=gl")) return table;
  const gl = new OffscreenCanvas(8, 8).getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  return gl ? `WebGL2 (${gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)})` : table;
}"""
READY = """() => document.documentElement.dataset.ready === "yes"
  && [...document.querySelectorAll(".corner.bl")].filter((each) => each.textContent).length === 3"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--draw", choices=("table", "gl"), help="force a renderer; otherwise the viewer's own trial")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medgen.settings")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MEDGEN_HOME"] = folder
        django.setup()
        from tests.browser.server import copy_home, load_demo, serving

        home = Path(folder) / "home"
        if options.home:
            copy_home(options.home, home)
        else:
            load_demo(home)
        with serving(home) as base:
            state, address = prepare(base)
            address += f"?draw={options.draw}" if options.draw else ""
            asyncio.run(measure_all(base, state, address, options.seconds))


def prepare(base: str) -> tuple[Any, str]:
    """Sign in and find the reading; makes sure that it has three pictures of 512 × 512."""
    from tests.browser.readings import EDIT, Readings
    from tests.browser.visitor import chromium, new_context, sign_in

    with chromium() as browser:
        context = new_context(browser, base)
        sign_in(context.new_page(), "reader3")
        readings = Readings(context.request)
        reading = readings.find(EDIT, task="style-transfer", modality="ct")
        headers = [readings.header(pane["frames"]) for pane in reading["panes"]]
        shapes = [(header["rows"], header["cols"]) for header in headers]
        assert shapes == [(512, 512)] * 3, shapes
        return context.storage_state(), str(reading["urls"]["page"])


async def measure_all(base: str, state: Any, address: str, seconds: float) -> None:
    from tests.browser.visitor import CHROMIUM

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**CHROMIUM)
        print(f"Chromium {browser.version}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        for size in SIZES:
            page = await browser.new_page(
                base_url=base, storage_state=state, viewport={"width": size[0], "height": size[1]}
            )
            print(report(size, await measure(page, address, seconds)))
            await page.close()
        await browser.close()


async def measure(page: Page, address: str, seconds: float) -> dict[str, Any]:
    """One drag in a fresh window; every pane must follow."""
    await page.goto(address)
    for _ in range(400):  # asked from here: waiting in the page needs eval, which the policy forbids
        if await page.evaluate(READY):
            break
        await page.wait_for_timeout(50)
    await page.wait_for_timeout(2500)  # the next readings are fetched ahead by then
    corners = page.locator(".corner.bl")
    before = await corners.all_inner_texts()
    took = await drag(page, seconds)
    after = await corners.all_inner_texts()
    assert all(old != new for old, new in zip(before, after, strict=True)), "a pane did not follow"
    log = dict(await page.evaluate("() => window.dragLog"))
    pane = await page.locator(".pane").first.bounding_box()
    return log | {"seconds": took, "renderer": await page.evaluate(RENDERER), "pane": pane}


async def drag(page: Page, seconds: float) -> float:
    """Circle with the left button down in the first pane, at the rate of a mouse; the seconds it took."""
    box = await page.locator(".pane").first.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    radius = 0.35 * min(box["width"], box["height"])
    await page.mouse.move(x + radius, y)
    await page.mouse.down()
    await page.evaluate(WATCH)
    moves = []
    started = time.perf_counter()
    while (passed := time.perf_counter() - started) < seconds:
        angle = 2 * math.pi * passed / 1.7
        move = page.mouse.move(x + radius * math.cos(angle), y + radius * math.sin(angle * 1.3))
        moves.append(asyncio.ensure_future(move))
        await asyncio.sleep(max(0, started + passed + 1 / RATE_HZ - time.perf_counter()))
    await asyncio.gather(*moves)
    took = time.perf_counter() - started
    await page.mouse.up()
    return took


def report(size: tuple[int, int], log: dict[str, Any]) -> str:
    """One line of results."""
    delays = sorted(log["delays"])
    p95 = delays[min(len(delays) - 1, math.ceil(0.95 * len(delays)) - 1)]
    pane = log["pane"]
    return (
        f"{size[0]} × {size[1]}, panes {pane['width']:.0f} × {pane['height']:.0f} px, {log['renderer']}: "
        f"{log['frames'] / log['seconds']:.0f} frames/s ({log['changed'] / log['seconds']:.0f} with a new window), "
        f"event to drawn frame p50 {statistics.median(delays):.0f} ms, p95 {p95:.0f} ms "
        f"({log['events']} events in {log['seconds']:.1f} s)"
    )


if __name__ == "__main__":
    main()

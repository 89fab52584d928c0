"""Nothing gets out of a page under inspection, and nothing is left of the browser."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import async_playwright
from small_apps import CHROMIUM, NEVER, QUICK, TITLE_IS_T, app, browsers_of, children_of

from slipway_common.events import Check, JsCheck
from slipway_generator.browser import NO_BROWSER, Inspector

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER)

# Each probe tells that it ended, one way or the other; `PORT` and `UDP` are where the test listens.
PROBES = """
const probes = [];
const settle = (make) => probes.push(new Promise((done) => {
  setTimeout(() => done("time"), 1500);
  try { make(done); } catch (error) { done(String(error)); }
}));
const element = (name, attributes) => (done) => {
  const it = Object.assign(document.createElement(name), attributes);
  it.onload = () => done("load"); it.onerror = () => done("error");
  document.documentElement.append(it);
};
const opened = (it) => (done) => { it.onopen = () => done("open"); it.onerror = () => done("x"); };
const tried = (promise) => (done) => promise.then((told) => done(String(told)), () => done("x"));
for (const host of ["127.0.0.1", "localhost", "[::1]", "0.0.0.0"]) {
  const url = `http://${host}:PORT/`;
  settle((done) => fetch(url, { mode: "no-cors" }).then(() => done("answer"), () => done("refused")));
  settle(element("img", { src: url + "img" }));
  settle(element("script", { src: url + "script" }));
  settle(element("iframe", { src: url + "frame" }));
  settle(element("link", { rel: "stylesheet", href: url + "style" }));
  settle(opened(new WebSocket(`ws://${host}:PORT/`)));
  settle(opened(new EventSource(url)));
  settle((done) => done(navigator.sendBeacon(url + "beacon", "x")));
}
settle(tried(fetch("http://169.254.169.254/latest/meta-data/", { mode: "no-cors" }).then(() => "ANSWER")));
settle(tried(fetch("file:///etc/passwd").then((answer) => answer.text()).then((text) => "FILE " + text)));
const frame = Object.assign(document.createElement("iframe"), { src: "file:///etc/passwd" });
document.documentElement.append(frame);
settle((done) => setTimeout(() => {
  let text = "";
  try { text = frame.contentDocument?.body?.textContent ?? ""; } catch { /* another origin */ }
  done(text && "FILE " + text);
}, 500));
for (const rel of ["preconnect", "prefetch", "dns-prefetch", "preload", "modulepreload"])
  settle(element("link", { rel, href: "http://127.0.0.1:PORT/" + rel, as: "fetch" }));
settle((done) => {
  const code = "fetch('http://127.0.0.1:PORT/worker', {mode: 'no-cors'}).finally(() => postMessage('done'))";
  new Worker(URL.createObjectURL(new Blob([code]))).onmessage = () => done("x");
});
settle(tried(new WebTransport("https://127.0.0.1:UDP/").ready));
settle((done) => {
  const peer = new RTCPeerConnection({ iceServers: [
    { urls: "stun:127.0.0.1:UDP" }, { urls: "turn:127.0.0.1:UDP", username: "u", credential: "c" },
    { urls: "turn:127.0.0.1:PORT?transport=tcp", username: "u", credential: "c" } ] });
  peer.createDataChannel("x");
  peer.onicecandidate = (event) => {
    const candidate = "candidate:1 1 udp 2113937151 127.0.0.1 UDP typ host";
    if (event.candidate) peer.addIceCandidate({ candidate, sdpMid: "0" }).catch(() => {});
    else done("gathered");
  };
  peer.createOffer().then((offer) => peer.setLocalDescription(offer));
});
Promise.all(probes).then((all) => { window.probed = all; document.title = "T"; });
"""


@dataclass
class Neighbourhood:
    """Ports of this machine that a page might try, and what reached them."""

    tcp: int = 0
    udp: int = 0
    reached: list[str] = field(default_factory=list)

    def probes(self) -> str:
        return PROBES.replace("PORT", str(self.tcp)).replace("UDP", str(self.udp))


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, neighbourhood: Neighbourhood) -> None:
        self._neighbourhood = neighbourhood

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        self._neighbourhood.reached.append("udp")


@pytest.fixture
async def neighbourhood() -> AsyncIterator[Neighbourhood]:
    state = Neighbourhood()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        state.reached.append(line.decode(errors="replace").strip() or "tcp")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        writer.close()

    server = await asyncio.start_server(take, "0.0.0.0", 0)
    state.tcp = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(state), local_addr=("127.0.0.1", 0))
    state.udp = transport.get_extra_info("sockname")[1]
    yield state
    transport.close()
    server.close()


@needs_chromium
async def test_a_page_reaches_nothing_on_this_machine(neighbourhood: Neighbourhood) -> None:
    async with Inspector(CHROMIUM, limits=QUICK) as inspector:
        settled = JsCheck(js="window.probed.length >= 40 /* within 4 s */")
        no_file = JsCheck(js="window.probed.every((told) => !/^(FILE|ANSWER)/.test(told)) /* within 4 s */")
        evidence = await inspector.inspect(app(neighbourhood.probes()), "o", "r", [(1, settled), (1, no_file)])
    assert [check.outcome for check in evidence.checks] == ["true", "true"], evidence.checks
    assert neighbourhood.reached == []


@needs_chromium
async def test_the_same_probes_reach_it_from_a_browser_without_guards(neighbourhood: Neighbourhood) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{neighbourhood.tcp}/")
        await page.evaluate(f"() => {{ {neighbourhood.probes()} }}")
        await page.wait_for_function("window.probed", timeout=10_000)
        await browser.close()
    assert "udp" in neighbourhood.reached
    assert len(neighbourhood.reached) > 10


@needs_chromium
@pytest.mark.parametrize("part", ["chromium", "run-driver"])
async def test_killing_it_in_the_middle_costs_one_retry(part: str) -> None:
    slow = app("setTimeout(() => { window.late = 1; }, 700);")
    async with Inspector(CHROMIUM, limits=QUICK) as inspector:
        assert (await inspector.inspect(app(), "o", "r", [(1, TITLE_IS_T)])).available
        checks: list[tuple[int, Check]] = [(1, JsCheck(js="window.late === 1 /* within 4 s */"))]
        first = asyncio.create_task(inspector.inspect(slow, "o", "r", checks))
        second = asyncio.create_task(inspector.inspect(slow, "o", "r", checks))
        await asyncio.sleep(0.4)
        for pid, command in browsers_of(os.getpid()).items():
            if part in command and "--type=" not in command:
                os.kill(pid, signal.SIGKILL)
        for evidence in (await first, await second):
            assert evidence.checks[0].outcome == "true", evidence
            assert len(evidence.notes) == 1, "one retry, told in a note"
        assert (await inspector.inspect(app(), "o", "r", [(1, TITLE_IS_T)])).notes == ()
    assert browsers_of(os.getpid()) == {}


@needs_chromium
async def test_a_worn_browser_is_replaced_between_apps() -> None:
    async with Inspector(CHROMIUM, limits=QUICK, uses=2) as inspector:
        seen = []
        for _ in range(3):
            assert (await inspector.inspect(app(), "o", "r", [(1, TITLE_IS_T)])).checks[0].outcome == "true"
            seen.append([pid for pid, command in browsers_of(os.getpid()).items() if "run-driver" in command])
    assert seen[0] == seen[1] != seen[2]


@needs_chromium
@pytest.mark.parametrize("after_s", [0.05, 0.3, 1.5])
async def test_nothing_runs_on_when_it_is_cancelled_and_closed(after_s: float) -> None:
    async with Inspector(CHROMIUM, limits=QUICK) as inspector:
        task = asyncio.create_task(inspector.inspect(app("while (true);"), "o", "r", [(1, NEVER)]))
        await asyncio.sleep(after_s)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await inspector.inspect(app(), "o", "r", [(1, TITLE_IS_T)])).checks[0].outcome == "true"
    assert browsers_of(os.getpid()) == {}


ORPHAN = """
import asyncio, sys
from small_apps import CHROMIUM, app
from slipway_generator.browser import Inspector

async def main():
    inspector = Inspector(CHROMIUM)
    print((await inspector.inspect(app(), "o", "r", [])).available, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@needs_chromium
def test_nothing_runs_on_when_the_process_is_killed() -> None:
    path = os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"True\n"
        left = set(children_of(process.pid))
        assert len(left) >= 3
        process.kill()
    until = time.monotonic() + 10
    while time.monotonic() < until and left & set(children_of(1) | browsers_of(os.getpid())):
        time.sleep(0.1)
    assert not [pid for pid in left if _lives(pid)]


def _lives(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_without_a_browser_nothing_is_passed_that_needs_one() -> None:
    checks: list[tuple[int, Check]] = [
        (1, TITLE_IS_T), (1, "index.html exists"), (2, "Page displays the value passed at ?a=b"),
    ]  # fmt: skip
    async with Inspector(None) as inspector:
        evidence = await inspector.inspect(app(), "o", "r", checks)
    assert (evidence.available, evidence.reason) == (False, NO_BROWSER)
    assert [check.outcome for check in evidence.checks] == ["not_run", "true", "not_run"]
    assert evidence.checks[0].detail == NO_BROWSER


async def test_a_browser_that_does_not_start_is_none(tmp_path: Path) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    async with Inspector(program) as inspector:
        evidence = await inspector.inspect(app(), "o", "r", [(1, TITLE_IS_T)])
    assert not evidence.available
    assert evidence.reason.startswith("Chromium failed")
    assert evidence.checks[0].outcome == "not_run"
    assert browsers_of(os.getpid()) == {}

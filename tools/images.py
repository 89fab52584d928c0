"""Tries the container images without a container engine: `images.py installs [DOCKERFILE ...]`, `images.py single`.

`installs` executes every RUN line of the stage `build` of each service's Dockerfile as it stands, in a folder that
holds what its COPY lines brought, with /opt/slipway replaced by a clean virtual environment, and imports every module
that came out. So a dependency that is missing from a requirement file, a COPY of what is not there or a module that was
not packed shows before an image is built.

`single` does the same for the root Dockerfile, from its first COPY on: in a clean folder, as an unprivileged user, with
the image's environment, up to a job that is notified. Debian's packages have to be installed on this machine.
"""

import contextlib
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = "/opt/slipway"
# Where these stand in for a layer's cache they would only make this slow.
NOT_HERE = ("PIP_NO_CACHE_DIR", "UV_NO_CACHE", "UV_COMPILE_BYTECODE")
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
modules = [name for _, name, _ in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in modules:
    importlib.import_module(name)
print(len(modules))
"""


@dataclass
class Stage:
    """One FROM with what follows it."""

    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)


def stages(dockerfile: Path) -> list[Stage]:
    text = re.sub(r"(?m)^\s*#.*\n", "", dockerfile.read_text())
    found: list[Stage] = []
    for line in re.sub(r"\\\n", "", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            found.append(Stage(rest.partition(" AS ")[2]))
        elif word:
            found[-1].instructions.append((word, rest.strip()))
    return found


def pairs(env: str) -> Iterator[tuple[str, str]]:
    for pair in env.split():
        name, _, value = pair.partition("=")
        yield name, value


def copy(rest: str, folder: Path) -> None:
    *sources, target = [part for part in rest.split() if not part.startswith("--")]
    into = folder / target
    for source in sources:
        path = ROOT / source
        if path.is_dir():
            shutil.copytree(path, into, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            place = into / path.name if target.endswith("/") else into
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)


def check(dockerfile: Path, python: Path, scratch: Path) -> str:
    """Builds it; says what was installed. Raises CalledProcessError with the output of what failed."""
    build, final = stages(dockerfile)
    folder, installed = scratch / "build", scratch / "installed"
    folder.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment["PATH"] = f"{python.parent}:{environment['PATH']}"
    for word, rest in build.instructions:
        if word == "ENV":
            environment |= {name: value for name, value in pairs(rest) if name not in NOT_HERE}
        elif word == "COPY":
            copy(rest, folder)
        elif word == "RUN":
            run(["bash", "-euc", rest.replace(INSTALLED, str(installed))], folder, environment)
    command = [part for word, rest in final.instructions if word in ("ENTRYPOINT", "CMD") for part in json.loads(rest)]
    module = command[command.index("-m") + 1]
    empty = scratch / "empty"
    empty.mkdir()
    modules = run([str(installed / "bin" / "python"), "-I", "-c", IMPORT_ALL, module], empty, environment)
    site_packages = next((installed / "lib").glob("python3*/site-packages"))
    package = module.partition(".")[0]
    source = next(ROOT.glob(f"*/*/{package}"))
    missing = [str(path) for path in files_of(source) - files_of(site_packages / package)]
    if missing:
        raise subprocess.CalledProcessError(1, ["compare"], f"not packed: {', '.join(missing)}\n", "")
    packages = len(list(site_packages.glob("*.dist-info")))
    return f"{packages} packages, {modules.strip()} modules of {module}"


def files_of(package: Path) -> set[Path]:
    files = (path.relative_to(package) for path in package.rglob("*") if path.is_file())
    return {path for path in files if "__pycache__" not in path.parts}


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.stdout


def installs(named: list[str]) -> int:
    dockerfiles = [Path(name).resolve() for name in named] or [
        *sorted(ROOT.glob("services/*/Dockerfile")), *sorted(ROOT.glob("tools/*/Dockerfile")),
    ]  # fmt: skip
    failed = 0
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "var", prefix="dockerfiles-") as name:
        scratch = Path(name)
        # stands for the Python of the image, into which the build stage installs its tools
        subprocess.run([sys.executable, "-m", "venv", str(scratch / "python")], check=True)
        for dockerfile in dockerfiles:
            began = time.monotonic()
            folder = scratch / dockerfile.parent.name
            folder.mkdir()
            try:
                said = check(dockerfile, scratch / "python" / "bin" / "python", folder)
            except subprocess.CalledProcessError as error:
                print(f"{dockerfile.relative_to(ROOT)}: {error.cmd[-1]}\n{error.stdout}{error.stderr}", file=sys.stderr)
                failed += 1
                continue
            print(f"{dockerfile.relative_to(ROOT)}: {said}, {time.monotonic() - began:.1f} s", flush=True)
            shutil.rmtree(folder)
    return 1 if failed else 0


def single() -> int:
    """Exit code 0 when a job was notified and nothing stayed behind; ends the program or raises CalledProcessError."""
    began = time.monotonic()
    instructions = stages(ROOT / "Dockerfile")[0].instructions
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="slipway-image-") as name:
        home = Path(name)
        folder = home / "app"
        folder.mkdir()
        ports = (f"{part}_PORT={free_port()}" for part in ("INTAKE", "GENERATOR", "DEPLOYER", "NOTIFIER", "SANDBOX"))
        environment = {"PATH": os.environ["PATH"], "HOME": name, **dict(pairs(" ".join(ports))), **machine_settings()}
        setup = ""
        for word, rest in instructions:
            if word == "COPY":
                copy(rest, folder)
            elif word == "RUN" and rest.startswith("./run"):
                setup = rest
            elif word == "ENV":
                environment |= dict(pairs(rest))
        account = give_away(home)
        command = json.loads(next(rest for word, rest in instructions if word == "CMD"))
        subprocess.run(["bash", "-euc", setup], cwd=folder, env=environment, check=True, **account)
        print(f"set up after {time.monotonic() - began:.1f} s", flush=True)

        refused = subprocess.run(
            command, cwd=folder, env=environment, check=False, capture_output=True, text=True, **account
        )
        demand(refused.returncode != 0, "it started without any key")
        demand("GITHUB_TOKEN" in refused.stderr, f"it does not name what is missing: {refused.stderr}")

        environment["SLIPWAY_WORLD"] = "sandbox"
        with subprocess.Popen(command, cwd=folder, env=environment, **account) as running:
            try:
                wait_for(folder / "var" / "up.json", running)
                request = "examples/sum-of-sales/round-1/request.json"
                submit = ["./run", "slipway", "submit", request, "--watch"]
                subprocess.run(submit, cwd=folder, env=environment, check=True, timeout=120, **account)
                health = next(rest for word, rest in instructions if word == "HEALTHCHECK").partition("CMD ")[2]
                probe = json.loads(health.replace("7860", environment["INTAKE_PORT"]))
                subprocess.run(probe, cwd=folder, env=environment, check=True, **account)
            finally:
                running.terminate()
            demand(running.wait(20) == 0, f"it ended with {running.returncode}")
        left = processes_in(folder)
        demand(not left, f"left behind: {left}")
    print(f"the single container works, {time.monotonic() - began:.1f} s")
    return 0


def demand(holds: bool, otherwise: str) -> None:
    if not holds:
        sys.exit(f"the single container: {otherwise}")


def machine_settings() -> dict[str, str]:
    """How this machine reaches its package index; an image is built where that is not needed."""
    names = ("PIP_", "UV_", "SSL_CERT_", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if name.upper().startswith(names)} | {
        # of a user who may not write to ours
        "PIP_NO_CACHE_DIR": "1",
    }


def give_away(folder: Path) -> dict[str, Any]:
    """Who shall run it: nobody, when we are root, with the folder as its own; else we ourselves."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def wait_for(file: Path, running: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 90
    while not file.exists():
        demand(running.poll() is None, f"it ended with {running.returncode}")
        demand(time.monotonic() < until, "it is not up after 90 s")
        time.sleep(0.2)


def processes_in(folder: Path) -> list[str]:
    """The command lines of processes that name the folder."""
    time.sleep(1)  # some are told to end by the death of another
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if str(folder) in line]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["installs", *named]:
            sys.exit(installs(named))
        case ["single"]:
            sys.exit(single())
        case _:
            sys.exit(str(__doc__))

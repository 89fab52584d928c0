"""The import rule: a service imports slipway_common and its own package, and nothing imports a service.

Checked by `./run lint`. The sandbox imports no package of the workspace at all: it must not agree with the services by
sharing their code. The benchmarks alone may import the generator and the deployer: how long a function takes, or a
block of the event loop lasts, is only seen from inside the process.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVICES = {f"slipway_{path.parent.name}" for path in ROOT.glob("services/*/pyproject.toml")}
MEASURED = {"slipway_generator", "slipway_deployer"}
PROGRAMS = {"slipway_common", "slipway_cli", "slipway_sandbox", "slipway_bench", *SERVICES}


def main() -> None:
    """Prints every import that breaks the rule and exits 1 if there is one."""
    faults = [fault for package in _packages() for fault in _faults(package)]
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


def _packages() -> Iterator[Path]:
    for pattern in ("libs/*/slipway_*", "services/*/slipway_*", "tools/*/slipway_*"):
        yield from sorted(ROOT.glob(pattern))


def _forbidden(package: str) -> set[str]:
    if package == "slipway_sandbox":
        return PROGRAMS - {package}
    if package in SERVICES or package == "slipway_common":
        return PROGRAMS - {package, "slipway_common"}
    return SERVICES - MEASURED if package == "slipway_bench" else SERVICES


def _faults(package: Path) -> Iterator[str]:
    forbidden = _forbidden(package.name)
    for path in sorted(package.rglob("*.py")):
        for line, module in _imports(path):
            if module.split(".")[0] in forbidden:
                yield f"{path.relative_to(ROOT)}:{line}: {package.name} must not import {module}"


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(), path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


if __name__ == "__main__":
    main()

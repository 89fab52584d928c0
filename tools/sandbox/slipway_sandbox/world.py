"""The state of the imitated world; every part of the sandbox is given this."""

from dataclasses import dataclass, field
from pathlib import Path

from slipway_sandbox.faults.board import Board
from slipway_sandbox.records import Records
from slipway_sandbox.repositories import Repositories
from slipway_sandbox.scripts import Scripts
from slipway_sandbox.settings import Settings
from slipway_sandbox.sites import Sites


@dataclass
class World:
    """One imitated world."""

    settings: Settings
    records: Records
    faults: Board
    scripts: Scripts
    repositories: Repositories
    sites: Sites = field(init=False)

    def __post_init__(self) -> None:
        self.sites = Sites(self.repositories, self.faults, self.settings)


def make_world(settings: Settings, data: Path, examples: Path | None) -> World:
    """Blocking; for the start of the process. Raises scripts.BadExampleError for an example that cannot be read."""
    return World(settings, Records(), Board(), Scripts.load(examples), Repositories(data))

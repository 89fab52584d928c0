"""A folder for one run of a command, under var/: nobody else's while it lasts, left for reading afterwards."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def run_folder(var: Path, command: str) -> Iterator[Path]:
    """`var`/`command`/1, or the next one if a run is on there; what an earlier run left in it is removed first."""
    number = 1
    while True:
        folder = var / command / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                number += 1
                continue
            _empty(folder)
            yield folder
            return


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        # The broker's folder says which processes of a killed run may still be there; it is emptied with them.
        if path.is_dir() and path.name != "broker":
            shutil.rmtree(path)

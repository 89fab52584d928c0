"""What a running `./run up` tells of itself in var/up.json, so that the operator's program finds it."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError


class Running(BaseModel):
    """One running system. `pid` is the process that started it and ends it; `sandbox_url` is None in the real world."""

    model_config = ConfigDict(frozen=True)

    pid: int
    url: str
    amqp_url: str
    management_url: str | None = None
    broker_user: str = ""
    broker_password: str = ""
    admin_token: str
    student_secret: str
    sandbox_url: str | None = None
    model: Literal["gemini", "sandbox"]
    forge: Literal["github", "sandbox"]

    def write(self, path: Path) -> None:
        """Write it whole or not at all, readable by its owner only: it holds passwords."""
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.model_dump_json(indent=2) + "\n")
        new.rename(path)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The system that the file tells of; None without a file, when it is unreadable or its process is gone."""
        try:
            found = cls.model_validate_json(path.read_text())
            os.kill(found.pid, 0)
        except PermissionError:  # another user's process, or another user's file
            return None
        except (OSError, ValidationError):
            return None
        return found

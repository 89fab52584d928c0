"""The intake's own settings."""

from pathlib import Path

from pydantic import Field, SecretStr

from slipway_common.settings import CommonSettings


class IntakeSettings(CommonSettings):
    """Environment of the intake besides what every service reads."""

    student_secret: SecretStr
    intake_port: int = Field(7860, ge=0, le=65535)
    max_request_bytes: int = Field(5 * 1024**2, gt=0, le=11 * 1024**2, description="an event must fit into 12 MiB")
    task_deadline_s: float = Field(600.0, gt=0)
    max_backlog: int = Field(0, ge=0, description="unfinished jobs above which requests are put off; 0: no limit")
    max_tasks_per_minute: int = Field(
        0, ge=0, description="tasks that one sender may start within a minute; 0: no limit"
    )
    var_dir: Path | None = None

"""The notifier's own settings."""

from pydantic import Field

from slipway_common.settings import CommonSettings


class NotifierSettings(CommonSettings):
    """Environment of the notifier besides what every service reads."""

    notifier_port: int = Field(7863, ge=0, le=65535)
    notifier_concurrency: int = Field(32, ge=1, description="notifications on their way at the same time")
    notify_timeout_s: float = Field(30.0, gt=0, description="one try: from connecting to the evaluator's status line")
    notify_give_up_s: float = Field(3600.0, gt=0, description="seconds after the first failure; then a dead letter")

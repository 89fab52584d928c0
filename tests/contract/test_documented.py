"""Every setting of every service is documented in .env.example, and what is generated is up to date."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from slipway_common.settings import CommonSettings
from slipway_deployer.settings import DeployerSettings
from slipway_generator.settings import GeneratorSettings
from slipway_intake.settings import IntakeSettings
from slipway_notifier.settings import NotifierSettings

ROOT = Path(__file__).resolve().parents[2]
SET_BY_WHO_STARTS_IT = {"slipway_model", "slipway_forge", "var_dir", "cdn_dir"}


@pytest.mark.parametrize("settings", [IntakeSettings, GeneratorSettings, DeployerSettings, NotifierSettings])
def test_every_setting_is_documented(settings: type[CommonSettings]) -> None:
    documented = set(re.findall(r"(?m)^(\w+)=", (ROOT / ".env.example").read_text()))
    wanted = {name.upper() for name in settings.model_fields if name not in SET_BY_WHO_STARTS_IT}
    assert wanted <= documented


def test_what_is_generated_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "tools" / "generated.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout

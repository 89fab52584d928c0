"""What is blotted out of log lines. Its credentials are put together when the test runs: this file holds none."""

import json
import random
import string

import pytest

from slipway_common.credentials import FORMS, blotted
from slipway_common.logs import Masking


def some(count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(random.Random(count).choices(alphabet, k=count))


HEX, DIGITS, UPPER = "0123456789abcdef", string.digits, string.ascii_uppercase + string.digits
ONE_OF_EACH = {
    "AWS access key": "AKIA" + some(16, UPPER),
    "Google API key": "AIza" + some(35),
    "Google OAuth secret": "GOCSPX-" + some(28),
    "GitHub token": "ghs_" + some(36),
    "GitHub fine-grained token": "github_pat_" + some(82),
    "GitLab token": "glpat-" + some(20),
    "OpenAI or Anthropic key": "sk-proj-" + some(60),
    "Hugging Face token": "hf_" + some(34),
    "Slack token": "xoxb-" + some(12, DIGITS) + "-" + some(24),
    "Slack webhook": "https://hooks.slack.com/services/T" + some(8) + "/B" + some(9) + "/" + some(24),
    "Discord webhook": "https://discord.com/api/webhooks/" + some(18, DIGITS) + "/" + some(68),
    "Stripe key": "sk_live_" + some(24),
    "npm token": "npm_" + some(36),
    "PyPI token": "pypi-AgEIcHlwaS5vcmc" + some(70),
    "SendGrid key": "SG." + some(22) + "." + some(43),
    "Twilio key": "SK" + some(32, HEX),
    "Telegram bot token": some(9, DIGITS) + ":AA" + some(33),
    "private key": "-----BEGIN RSA PRIVATE KEY-----\n" + some(64) + "\n" + some(63),
}


def test_each_form_is_tried_here() -> None:
    assert ONE_OF_EACH.keys() == {form.kind for form in FORMS}


@pytest.mark.parametrize("kind", ONE_OF_EACH)
@pytest.mark.parametrize("said", ["{}", "GET /x?key={}&y=1", "Traceback:\n{}\nend", "is '{}', which"])
def test_a_credential_is_told_by_its_form_and_blotted_out_of_a_line(kind: str, said: str) -> None:
    value = ONE_OF_EACH[kind]
    [form] = [form for form in FORMS if form.kind == kind]
    assert form.may_be_in(value)
    assert form.pattern.search(value)
    line = blotted(json.dumps({"event": said.format(value)}))
    assert value[-12:] not in line
    assert json.loads(line).keys() == {"event"}, "the line is still JSON"


@pytest.mark.parametrize("kind", [form.kind for form in FORMS if form.token])
def test_the_beginning_of_a_token_is_blotted_out_too(kind: str) -> None:
    [form] = [form for form in FORMS if form.kind == kind]
    sign = next(sign for sign in form.signs if ONE_OF_EACH[kind].startswith(sign))
    cut = sign + some(18)
    assert cut not in blotted(f"refused: {cut}")


def test_user_and_password_of_an_address_are_blotted_out() -> None:
    assert blotted("amqp://user:hush@broker:5672/x") == "amqp://***@broker:5672/x"


@pytest.mark.parametrize(
    "line",
    [
        "task-0123456789abcdefghij deployed",
        "commit 0a4d55a8d778e5022fab701977c5d840bbc486d0 of https://github.com/owner/desk-planner-of-mine-1f2e3d4c",
        "sk-fading-circle, sk-circle, npm_config",
    ],
)
def test_what_is_no_credential_stays(line: str) -> None:
    assert blotted(line) == line


def test_the_values_of_our_own_settings_are_blotted_out_and_short_ones_are_not() -> None:
    mask = Masking(["correct-horse", "abc"])
    assert mask("correct-horse abc") == "*** abc"

"""The first screen of `./run up`: where everything is, and how to begin."""

import json
import secrets
import shlex

from slipway_cli.preparation import Prepared
from slipway_cli.running import Running
from slipway_cli.stack import EXAMPLES, LOOPBACK, ROOT, Stack
from slipway_common.sign_in import sign_in_code

WORDS = {
    "gemini": "the real one",
    "github": "the real one",
    "sandbox": "imitated on this machine",
}


def first_screen(stack: Stack, found: Prepared, told: Running) -> str:
    """The lines to print, without any secret but those that a person needs to begin."""
    plan = stack.plan
    generators = ", ".join(f"http://{LOOPBACK}:{port}/health" for port in stack.generator_ports)
    lines = [
        "",
        "Slipway is up",
        f"  model: {told.model} ({WORDS[told.model]})",
        f"  forge: {told.forge} ({WORDS[told.forge]})",
        f"  POST tasks to   {told.url}/ready",
        f"  live page       {told.url}/?token={sign_in_code(told.admin_token)}   (signs in once)",
        f"  status          {told.url}/status",
        f"  generator       {generators}",
        f"  deployer        http://{LOOPBACK}:{plan.ports.deployer}/health",
        f"  notifier        http://{LOOPBACK}:{plan.ports.notifier}/health",
        f"  broker          {_broker(told)}",
        f"  browser         {found.browser.version or 'NONE, pages are not checked: ' + found.browser.reason}",
        f"  logs            {plan.folder / 'logs'}",
    ]
    if plan.world.model == "sandbox" and stack.sandbox:
        lines += ["", "No model is called: the examples have scripted replies, other briefs get a plain page."]
    if plan.world.forge == "sandbox" and stack.sandbox:
        lines += ["", "Send a task:", "", _curl(told, stack.sandbox.evaluator)]
        example = min(EXAMPLES.glob("*/round-1/request.json"), default=None)
        if example:
            lines += ["", "or an example: ", "", f"./run slipway submit {example.relative_to(ROOT)} --watch"]
    return "\n".join([*lines, "", "Ctrl-C stops everything.", ""])


def _broker(told: Running) -> str:
    if told.management_url is None:
        return "as AMQP_URL says (no management page found)"
    return f"{told.management_url}   user {told.broker_user}, password {told.broker_password}"


def _curl(told: Running, evaluator: str) -> str:
    secret = told.student_secret if told.model == "sandbox" else "<STUDENT_SECRET>"
    request = {
        "email": "student@example.com",
        "secret": secret,
        "task": "hello",
        "round": 1,
        "nonce": secrets.token_hex(4),
        "brief": "Show the text of hello.txt in a heading.",
        "checks": ["Repo has MIT license", {"js": "document.title.length > 0"}],
        "evaluation_url": evaluator,
        "attachments": [{"name": "hello.txt", "url": "data:text/plain;base64,SGVsbG8sIHdvcmxkIQo="}],
    }
    return f"curl {told.url}/ready -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(request))}"

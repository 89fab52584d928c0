"""The bundled examples played without a bus: what a project holds after each round."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.request import urlopen

from pydantic import BaseModel, ConfigDict

from slipway_common.events import Attachment, Check
from slipway_generator.assembly import assemble, mit_license
from slipway_generator.attachments import Material, place
from slipway_generator.edits import Applied, apply_reply
from slipway_generator.reply import Reply, parse_reply

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SERIAL = "{{serial}}"
PROJECTS = {"captcha-solver": 2, "markdown-summary": 2, "markdown-to-html": 4, "sum-of-sales": 4}
ROUNDS = [(project, number) for project, count in PROJECTS.items() for number in range(1, count + 1)]


class Asked(BaseModel):
    """request.json, as far as the tests read it."""

    email: str
    secret: str
    task: str
    round: int
    nonce: str
    brief: str
    checks: list[Check]
    evaluation_url: str
    attachments: list[Attachment]


class Promised(BaseModel):
    """expected.json; figures beyond these three are extra."""

    model_config = ConfigDict(extra="allow")

    files: list[str]
    title: str
    shows: dict[str, str]


@dataclass(frozen=True)
class Played:
    """A project after one of its rounds. `before` and `app` are all files; `checks` are those of all rounds so far."""

    asked: Asked
    promised: Promised
    reply: Reply
    applied: Applied
    before: Mapping[str, bytes]
    app: Mapping[str, bytes]
    checks: tuple[tuple[int, Check], ...]


@cache
def play(project: str, upto: int) -> Played:
    """The project with the first replies of rounds 1 to `upto`, applied one after the other."""
    earlier = play(project, upto - 1) if upto > 1 else None
    before = earlier.app if earlier else {}
    folder = EXAMPLES / project / f"round-{upto}"
    asked = Asked.model_validate_json((folder / "request.json").read_bytes())
    reply = parse_reply((folder / "reply-1.md").read_text().replace(SERIAL, f"{upto}-serial"))
    applied = apply_reply(before, reply)
    materials = [material(attachment) for attachment in asked.attachments]
    return Played(
        asked,
        Promised.model_validate_json((folder / "expected.json").read_bytes()),
        reply,
        applied,
        before,
        assemble(applied.over(before), materials, mit_license(2025, "someone")),
        (*(earlier.checks if earlier else ()), *((upto, check) for check in asked.checks)),
    )


def material(attachment: Attachment) -> Material:
    """An attachment with the bytes of its data URL."""
    with urlopen(attachment.url) as response:
        return Material(attachment.name, place(attachment.name), "", response.read())

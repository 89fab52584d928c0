"""The bundled examples played without a bus: what each revision does to the page that the rounds before it made."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from slipway_cli.stack import EXAMPLES
from slipway_common.events import Attachment, EditReport
from slipway_generator.assembly import assemble, is_models, mit_license
from slipway_generator.attachments import Material, place
from slipway_generator.edits import apply_reply
from slipway_generator.proof import edit_report
from slipway_generator.reply import parse_reply


class _Asked(BaseModel):
    attachments: list[Attachment] = []


@dataclass(frozen=True)
class Revision:
    """One round after the first: how its scripted reply changed the app."""

    name: str
    edit: EditReport


def revisions() -> Iterator[Revision]:
    """All of them, project by project. Raises ReplyError, ChangeRefused where a script does not apply."""
    for project in sorted(path for path in EXAMPLES.iterdir() if path.is_dir()):
        app: dict[str, bytes] = {}
        attached: set[str] = set()
        for number in range(1, len(list(project.glob("round-*"))) + 1):
            folder = project / f"round-{number}"
            asked = _Asked.model_validate_json((folder / "request.json").read_bytes())
            materials = [_material(attachment) for attachment in asked.attachments]
            attached |= {material.path for material in materials}
            base = {path: data for path, data in app.items() if is_models(path, frozenset(attached))}
            reply = parse_reply((folder / "reply-1.md").read_text().replace("{{serial}}", f"bench-{number}"))
            applied = apply_reply(base, reply)
            if number > 1:
                edit = edit_report(base, applied.over(base), rewritten=applied.rewrite)
                yield Revision(f"{project.name}-{number}", edit)
            app = assemble({**app, **applied.over(base)}, materials, mit_license(2025, "someone"))


def _material(attachment: Attachment) -> Material:
    data = base64.b64decode(attachment.url.partition(",")[2])
    return Material(attachment.name, place(attachment.name), "", data)

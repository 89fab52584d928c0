"""The bundled example tasks: what is sent, project by project, round after round."""

import re
from collections import defaultdict
from pathlib import Path

from pydantic import BaseModel, ConfigDict

ROUND = re.compile(r"round-(\d+)")


class Request(BaseModel):
    """A sender's request. What is not named here is sent as it stands."""

    model_config = ConfigDict(extra="allow")

    email: str
    secret: str
    task: str
    round: int
    nonce: str
    evaluation_url: str

    def addressed(self, *, secret: str, evaluation_url: str) -> bytes:
        """The request as JSON, with the secret of the system it is sent to and the evaluator that shall be told."""
        changes = {"secret": secret, "evaluation_url": evaluation_url}
        return self.model_copy(update=changes).model_dump_json().encode()


def read_projects(folder: Path) -> dict[str, list[Request]]:
    """The requests of each project in the order of their rounds."""
    found: dict[str, list[tuple[int, Request]]] = defaultdict(list)
    for path in folder.glob("*/round-*/request.json"):
        match = ROUND.fullmatch(path.parent.name)
        if match:
            request = Request.model_validate_json(path.read_text())
            found[path.parent.parent.name].append((int(match[1]), request))
    ordered = {project: sorted(rounds, key=lambda pair: pair[0]) for project, rounds in sorted(found.items())}
    return {project: [request for _, request in rounds] for project, rounds in ordered.items()}


def replies(folder: Path) -> list[Path]:
    """All scripted replies."""
    return sorted(folder.glob("*/round-*/reply-*.md"))

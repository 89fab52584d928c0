"""Writes what follows from other files: json-post-requests.txt from examples/, the settings in the README from
.env.example. `python tools/generated.py` writes, `python tools/generated.py --check` (in `./run lint`) only compares.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- settings: generated from .env.example -->", "<!-- end of settings -->"
_SHOWN_CHARS = 120


def main() -> None:
    """Exits 1 with one line for each file that is not as it should be; with no argument, writes them."""
    wanted = {ROOT / "json-post-requests.txt": post_requests(), ROOT / "README.md": readme()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.name} is not what it is generated from says: run python tools/generated.py")
        sys.exit(1 if stale else 0)
    for path in stale:
        path.write_text(wanted[path])


def post_requests() -> str:
    """Every example request, readable and as a curl line that works from the project's folder."""
    parts = [
        "Sample requests, one for each round of each example. `./run up` must be running; secret and evaluation_url",
        "are those of the sandbox. The curl lines read the whole request from its file; long attachments are cut here.",
    ]
    for path in sorted(ROOT.glob("examples/*/round-*/request.json")):
        request = json.loads(path.read_text()) | {"evaluation_url": "http://127.0.0.1:7864/notify"}
        shown = request | {"attachments": [_short(item) for item in request["attachments"]]}
        place = path.relative_to(ROOT)
        parts += [
            "",
            f"=== {path.parent.parent.name}, round {request['round']} ===",
            "",
            json.dumps(shown, indent=2, ensure_ascii=False),
            "",
            f"sed 's#https://example.com/notify#http://127.0.0.1:7864/notify#' {place} | "
            "curl http://127.0.0.1:7860/ready -H 'Content-Type: application/json' -d @-",
        ]
    return "\n".join(parts) + "\n"


def _short(attachment: dict[str, str]) -> dict[str, str]:
    url = attachment["url"]
    if len(url) <= _SHOWN_CHARS:
        return attachment
    return attachment | {"url": f"{url[:_SHOWN_CHARS]}... ({len(url)} characters)"}


def readme() -> str:
    """The README with its settings table."""
    text = (ROOT / "README.md").read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{settings_table()}\n\n{END}{after}"


def settings_table() -> str:
    """Name and meaning of every variable; several that one comment describes share a row."""
    rows = ["| variable | meaning |", "| --- | --- |"]
    comment: list[str] = []
    names: list[str] = []

    def close() -> None:
        if names:
            rows.append(f"| {'<br>'.join(f'`{name}`' for name in names)} | {' '.join(comment)} |")
        comment.clear()
        names.clear()

    for line in (ROOT / ".env.example").read_text().splitlines():
        if line.startswith("# ---"):
            close()
        elif line.startswith("#"):
            if names:
                close()
            comment.append(line[2:])
        elif "=" in line:
            names.append(line.partition("=")[0])
        elif not names:
            comment.clear()  # a comment on the file, not on a variable
    close()
    return "\n".join(rows)


if __name__ == "__main__":
    main()

"""The page for a brief that has no script: made from the attachments, and it says that no model wrote it."""

import html
import json
import re
from dataclasses import dataclass

_FILES = re.compile(r"^# Current files[ \t]*$", re.MULTILINE)
_BRIEF = re.compile(
    r"^# Brief[ \t]*\n(?P<text>.*?)(?=^# (?:Checks|Attachments|Current files)[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_ATTACHMENT = re.compile(
    r"^## (?P<name>.+) \((?P<media_type>[^(),]*), (?P<size>\d+) bytes\)[ \t]*$"
    r"(?:\s*^In the app it lies at (?P<path>.+)\.$)?",
    re.MULTILINE,
)
_FENCED = re.compile(r"^(?P<fence>`{3,})[^\n`]*\n(?P<path>[^\n]+)\n(?P<text>.*?)\n?^(?P=fence)[ \t]*$", re.M | re.S)
_ANCHORS = ("</main>", "</body>")


@dataclass(frozen=True)
class Attachment:
    """One attachment as the prompt tells of it; `path` is where it lies in the app."""

    path: str
    media_type: str
    size: int


def shows_files(prompt: str) -> bool:
    """Whether the prompt carries the current files, so asks for an edit."""
    return _FILES.search(prompt) is not None


def reply(prompt: str, serial: str) -> str:
    """A whole plain page, or an edit of the page that the prompt shows."""
    found = _BRIEF.search(prompt)
    brief = found["text"].strip() if found else ""
    if shows_files(prompt):
        edited = _edit(_current_page(prompt), brief, serial)
        if edited is not None:
            return edited
    attachments = [
        Attachment(m["path"] or m["name"], m["media_type"], int(m["size"])) for m in _ATTACHMENT.finditer(prompt)
    ]
    return _page(brief, list(dict.fromkeys(attachments)), serial)


def _current_page(prompt: str) -> str:
    start = _FILES.search(prompt)
    shown = prompt[start.end() :] if start else ""
    return next((match["text"] for match in _FENCED.finditer(shown) if match["path"].strip() == "index.html"), "")


def _edit(page: str, brief: str, serial: str) -> str | None:
    """Insert a section before the end of the page; None when no line of the page is a safe place for it."""
    lines = page.split("\n")
    for anchor in _ANCHORS:
        if page.count(anchor) != 1:
            continue
        line = next(line for line in lines if anchor in line)
        before, _, after = line.partition(anchor)
        section = (
            f"{before}<section><!-- {serial} -->\n"
            f"<h2>Asked for later</h2>\n<p>{_text(brief)}</p>\n"
            f"<p>This section was put in by the sandbox; no model wrote it.</p>\n"
            f"</section>\n{anchor}{after}"
        )
        edit = f"index.html\n<<<<<<< SEARCH\n{line}\n=======\n{section}\n>>>>>>> REPLACE"
        return f"No model was called. The brief goes into a section of its own.\n\n{_fence('html', edit)}\n"
    return None


def _fence(info: str, text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{info}\n{text}\n{fence}"


def _text(brief: str) -> str:
    """A brief as HTML. A line of `=` in it would divide an edit block in the wrong place."""
    return html.escape(brief).replace("=======", "&#61;" * 7)


def _item(attachment: Attachment) -> str:
    name = html.escape(attachment.path)
    link = f'<a href="{name}">{name}</a> ({html.escape(attachment.media_type)}, {attachment.size} bytes)'
    if attachment.media_type.startswith("image/"):
        return f'<li>{link}<br><img src="{name}" alt="{name}"></li>'
    return f'<li>{link}<pre data-file="{name}"></pre></li>'


def _page(brief: str, attachments: list[Attachment], serial: str) -> str:
    items = "\n".join(_item(attachment) for attachment in attachments)
    listed = f"<h2>Attachments</h2>\n<ul>\n{items}\n</ul>" if attachments else "<p>No attachments came with it.</p>"
    texts = [a.path for a in attachments if not a.media_type.startswith("image/")]
    names = json.dumps(texts).replace("</", "<\\/")
    page = f"""index.html
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Plain page</title>
<!-- {serial} -->
<script>
const names = {names};
async function show(name) {{
  const shown = [...document.querySelectorAll("pre")].find((pre) => pre.dataset.file === name);
  const response = await fetch(name.split("/").map(encodeURIComponent).join("/"));
  shown.textContent = response.ok ? await response.text() : `HTTP status ${{response.status}}`;
}}
document.addEventListener("DOMContentLoaded", () => names.forEach((name) => show(name)));
</script>
</head>
<body>
<main>
<h1>Plain page</h1>
<p>This page was put together by the sandbox; no model wrote it.</p>
<h2>Brief</h2>
<p>{_text(brief)}</p>
{listed}
</main>
</body>
</html>"""
    readme = f"""README.md
# Plain page

## Summary

A stand-in made without a model: it shows the brief and the files that came with it ({len(attachments)}).

## Setup

None. It is a static page; any web server can serve the folder.

## Usage

Open `index.html`.

## Code explanation

The script in `index.html` fetches every text attachment and shows it below its name.

## License

MIT, see `LICENSE`."""
    return (
        "No model was called: this is the sandbox's plain page.\n\n"
        f"{_fence('html', page)}\n\n{_fence('markdown', readme)}\n"
    )

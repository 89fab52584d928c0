"""Recognises file paths in a reply's headings and fences, and decides which of them may be written."""

import re

from slipway_generator.reply.errors import PathError

_BARE_NAMES = "(?-i:LICENSE|CNAME|Dockerfile|Makefile|Procfile)"
_DOT_NAMES = r"\.nojekyll|\.gitignore|\.gitattributes|\.editorconfig"
# Wider than what may be written, so that an unsafe path is refused by name instead of taken for chatter.
_CHARACTER = r"[^\s<>\"'`|*?(){}\[\];=,:]"
_PATH = (
    rf"(?:[A-Za-z]:)?{_CHARACTER}*?"
    rf"(?:(?![/\\]){_CHARACTER}\.[A-Za-z][A-Za-z0-9]{{0,9}}|(?:(?<=/)|^)(?:{_BARE_NAMES}|{_DOT_NAMES}))"
)
_PATH_ALONE = re.compile(_PATH)
_COMMENTED = re.compile(rf"(?:<!--\s*({_PATH})\s*-->|/\*+\s*({_PATH})\s*\*/|(?://|\#|;)\s*({_PATH}))")
_LABELLED = re.compile(
    rf"(?:(?:(?:new|updated|modified|changed|full|complete)\s+)?(?:file\s*name|file|path)\s*:?\s*)?({_PATH})\s*(?:\([^()]*\))?\s*:?",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"(?:title|file|filename|path|name)\s*[=:]\s*[\"']?([^\"'\s}]+)[\"']?", re.IGNORECASE)
_SEGMENT = re.compile(r"[\w.@+~() -]*[\w@+~()-]")
_LIST_OR_HEADING = re.compile(r"^(?:#{1,6}\s+|[-*+]\s+|\d+[.)]\s+)+")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
MAX_PATH = 200


def visible(line: str) -> str:
    """A heading, path or marker line without zero-width characters, with plain spaces, and stripped."""
    return line.translate(_INVISIBLE).replace("\u00a0", " ").strip()


def path_on_line(line: str) -> str | None:
    """The path that is all there is on a line, bare or in backticks or bold; None if there is more or none."""
    text = visible(line).strip("*`")
    return text if _PATH_ALONE.fullmatch(text) and "://" not in text else None


def path_in_comment(line: str) -> str | None:
    """The path that is all there is in a comment on its own line (`<!-- index.html -->`, `// app.js`)."""
    match = _COMMENTED.fullmatch(visible(line))
    return next(group for group in match.groups() if group) if match else None


def path_in_label(line: str) -> str | None:
    """The path that a line above a fence announces (`**index.html**`, `### File: app.js`); None for prose."""
    text = _LIST_OR_HEADING.sub("", visible(line))
    match = _LABELLED.fullmatch(re.sub(r"[*`]+|(?<!\w)__|__(?!\w)", "", text).strip())
    return match[1] if match else None


def path_in_info(info: str) -> str | None:
    """The path in a fence's info string (`html index.html`, `html:index.html`, `title="index.html"`)."""
    attribute = _ATTRIBUTE.search(info)
    if attribute and _PATH_ALONE.fullmatch(attribute[1]):
        return attribute[1]
    for word in visible(info).split():
        candidate = word.rpartition(":")[2].strip("{}\"'`*")
        if _PATH_ALONE.fullmatch(candidate) and "=" not in word and "://" not in word:
            return candidate
    return None


def checked_path(path: str, line: int) -> str:
    """The path as the app's files are keyed: relative, forward slashes, nothing that leads out of the app.

    Raises PathError.
    """
    clean = path.removeprefix("./")
    segments = clean.split("/")
    if clean.startswith("/") or "\\" in clean or re.match(r"[A-Za-z]:", clean):
        way_out = "write it relative to the app's root, with forward slashes, such as `index.html`"
    elif ".." in segments or "." in segments or "" in segments:
        way_out = "write it without `.`, `..` or empty parts; every file lies inside the app"
    elif any(segment.lower() in (".git", ".slipway") for segment in segments):
        way_out = "that directory is not yours to write"
    elif len(clean) > MAX_PATH or not all(_SEGMENT.fullmatch(segment) for segment in segments):
        way_out = f"use letters, digits, dots, dashes and underscores, {MAX_PATH} characters at most"
    else:
        return clean
    raise PathError(f"the path {path[:MAX_PATH]!r} cannot be written: {way_out}", line=line, path=path[:MAX_PATH])

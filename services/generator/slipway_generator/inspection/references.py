"""Local references: what pages, styles and scripts load from the app is there, and is asked for relatively."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from slipway_common.events import Finding
from slipway_generator.inspection.app import App, finding, line_of

_ATTRIBUTES = {
    "src": ("script", "img", "iframe", "audio", "video", "source", "track", "embed", "input"),
    "href": ("link", "a", "area", "image", "use"),
    "poster": ("video",),
    "data": ("object",),
    "srcset": ("img", "source"),
}
_CSS = re.compile(r"""url\(\s*(?:"([^"]+)"|'([^']+)'|([^"')\s]+))\s*\)|@import\s+(?:"([^"]+)"|'([^']+)')""")
_LITERAL = r"""(?:"([^"\n$`]+)"|'([^'\n$`]+)'|`([^`\n$]+)`)"""
_JS = re.compile(
    rf"\bfetch\(\s*{_LITERAL}\s*[,)]"
    rf"|(?:^|[;{{}}])\s*(?:import|export)\s[^'\"`;]*?from\s*{_LITERAL}"
    rf"|\bimport\s*\(?\s*{_LITERAL}\s*[);\n]"
    rf"|\bnew\s+(?:Shared)?Worker\(\s*{_LITERAL}"
    rf"|\bnew\s+URL\(\s*{_LITERAL}\s*,\s*import\.meta\.url"
    rf"|\bd3\.(?:csv|tsv|json|text|xml|html|svg|dsv)\(\s*{_LITERAL}"
    rf"|\b(?:axios\.get|Papa\.parse|XMLHttpRequest\(\)\.open|\.open)\(\s*(?:[\"']GET[\"']\s*,\s*)?{_LITERAL}"
    rf"|\.(?:src|poster)\s*=\s*{_LITERAL}",
    re.MULTILINE,
)
_FILE_LIKE = re.compile(r"(?:\.{0,2}/)?[\w@%+~ ()./-]+\.[A-Za-z][A-Za-z0-9]{0,9}(?:[?#].*)?")
_ELSEWHERE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|#|\?|\{\{|$")
_FIX = "Refer to a file that the app has, or add the file, or remove the reference."


@dataclass(frozen=True)
class _Reference:
    line: int
    target: str
    certain: bool = True
    """A bare module name or a text that only may be a file is not."""


def inspect(app: App, files: Mapping[str, bytes]) -> list[Finding]:
    """References to files that are not in `files`, and such that lead out of the app."""
    built = "\n".join(text for path, text in app.texts.items() if path.startswith(".github/workflows/"))
    found: list[Finding] = []
    for path, reference in _references(app):
        target = reference.target.strip()
        if _ELSEWHERE.match(target):
            continue
        if target.startswith("/"):
            message = (
                f"{target!r} begins with a slash: the app is published under a directory, so this leads out of it."
            )
            found.append(finding(path, reference.line, message, "Make it relative, without the slash."))
            continue
        resolved = _resolve(path, target)
        if resolved is None:
            message = f"{target!r} leads out of the app."
            found.append(finding(path, reference.line, message, _FIX))
        elif not _exists(resolved, files) and not _exists(_resolve("", target) or "", files):
            # What a workflow makes is there only after it ran.
            if posixpath.basename(resolved) and posixpath.basename(resolved) in built:
                continue
            message = f"there is no file {resolved!r} in the app."
            found.append(finding(path, reference.line, message, _FIX))
    return found


def _references(app: App) -> Iterator[tuple[str, _Reference]]:
    for path, page in app.pages.items():
        if any(tag.name == "base" and tag.get("href") for tag in page.start_tags):
            continue
        for tag in page.start_tags:
            for attribute in tag.attributes:
                line = page.line(attribute.start)
                if tag.name in _ATTRIBUTES.get(attribute.name, ()):
                    values = [attribute.value]
                    if attribute.name == "srcset":
                        values = [part.split()[0] for part in attribute.value.split(",") if part.split()]
                    yield from ((path, _Reference(line, value)) for value in values if value.strip())
                elif attribute.name == "style":
                    yield from ((path, _Reference(line, value)) for _, value in _in_css(attribute.value))
        for style in page.styles():
            for at, value in _in_css(style.text):
                yield path, _Reference(page.line(style.start + at), value)
        for script in page.scripts():
            for at, value in _in_js(script.text):
                yield path, _Reference(page.line(script.start + at), value)
    for path, text in app.ending(".css").items():
        yield from ((path, _Reference(line_of(text, at), value)) for at, value in _in_css(text))
    for path, text in app.ending(".js", ".mjs").items():
        yield from ((path, _Reference(line_of(text, at), value)) for at, value in _in_js(text))


def _in_css(text: str) -> Iterator[tuple[int, str]]:
    for match in _CSS.finditer(text):
        yield match.start(), next(group for group in match.groups() if group)


def _in_js(text: str) -> Iterator[tuple[int, str]]:
    for match in _JS.finditer(text):
        value = next(group for group in match.groups() if group)
        if _FILE_LIKE.fullmatch(value):
            yield match.start(), value


def _resolve(path: str, target: str) -> str | None:
    plain = unquote(re.split(r"[?#]", target, maxsplit=1)[0])
    resolved = posixpath.normpath(posixpath.join(posixpath.dirname(path), plain)) if plain else path
    if resolved == ".." or resolved.startswith("../"):
        return None
    return resolved + "/" if plain.endswith("/") and resolved != "." else resolved


def _exists(path: str, files: Mapping[str, bytes]) -> bool:
    if path in files or path == ".":
        return True
    return f"{path.rstrip('/')}/index.html" in files

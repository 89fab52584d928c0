"""Checks in prose that code can decide on the app's files, each as a rule from files to (holds, what was found)."""

import json
import re
from collections.abc import Callable, Mapping
from xml.etree import ElementTree as ET

from slipway_generator.checks import json_shape

Files = Mapping[str, bytes]
Rule = Callable[[Files], tuple[bool, str]]

_PATH = r"[\w.@-]+(?:/[\w.@-]+)*\.[A-Za-z][\w]{0,9}|(?:[\w.@-]+/)*(?:LICENSE|Dockerfile|Makefile|CNAME|\.nojekyll)"
_NUMBERS = dict(
    zip("zero one two three four five six seven eight nine ten eleven twelve".split(), range(13), strict=True)
)
_COUNT = r"(\d[\d,]*|" + "|".join(_NUMBERS) + ")"
_LICENSE = re.compile(r"\bMIT\b.{0,20}\blicen[cs]e|\blicen[cs]e\b.{0,30}\bMIT\b", re.IGNORECASE)
_MIT_TEXT = (
    "permission is hereby granted, free of charge, to any person obtaining a copy",
    "the above copyright notice and this permission notice shall be included in all copies",
    'the software is provided "as is", without warranty of any kind',
)
_SECTIONS = {
    "summary": r"summary|overview|about|introduction|description",
    "setup": r"set.?up|install|getting started|prerequisites",
    "usage": r"usage|how to use|using|examples?",
    "code": r"code|how it works|implementation|architecture|explanation",
    "license": r"licen[cs]e|licensing",
}


def rule_for(text: str) -> Rule | None:
    """The rule that decides `text`, or None when it takes a person (or more than one thing is asked)."""
    if _LICENSE.search(text) and not re.search(r"\bREADME", text):
        return _mit_license
    paths = list(dict.fromkeys(re.findall(rf"(?<![\w/#.])`?({_PATH})`?(?![\w/])", text)))
    if len(paths) != 1:
        return None
    return _file_rule(text, paths[0])


def _file_rule(text: str, path: str) -> Rule | None:
    words = re.search(
        rf"\b(exactly\s+|between\s+)?{_COUNT}(?:\s*(?:-|to|and|\u2013)\s*{_COUNT})?\s+words?\b", text, re.I
    )
    if words is not None:
        low = _number(words[2])
        if words[3]:
            return lambda files: _words(files, path, low, _number(words[3]))
        at_least = re.search(r"at least|minimum|more than", text, re.I)
        at_most = re.search(r"at most|maximum|up to|under|fewer than|less than", text, re.I)
        if at_least or at_most:
            return (
                None
                if at_least and at_most
                else lambda files: _words(files, path, low if at_least else 0, low if at_most else None)
            )
        return (lambda files: _words(files, path, low, low)) if words[1] else None
    if re.search(r"\bSVG\b", text) and re.search(r"\bvalid|well-formed|parses?\b", text, re.I):
        return lambda files: _svg(files, path)
    if path.endswith(".json") and re.search(r"\bvalid|JSON|keys?|fields?|shape|object|array\b", text, re.I):
        return _json_rule(text, path)
    if path.lower().endswith("readme.md") and re.search(r"sections?|contains|includes|covers|has", text, re.I):
        wanted = [name for name, names in _SECTIONS.items() if re.search(rf"\b(?:{names})\b", text, re.I)]
        return (lambda files: _sections(files, path, wanted)) if wanted else None
    if re.fullmatch(
        rf"\W*(?:the\s+|a\s+|file\s+|repo(?:sitory)?\s+(?:has|contains|includes)\s+)*\W*{re.escape(path)}\W*"
        r"(?:\s*(?:file\s+)?(?:exists?|is present|is in the repo(?:sitory)?|is committed|is included))?"
        r"(?:\s+(?:in|at) the (?:repo(?:sitory)?|root)(?: of the repo(?:sitory)?)?)?\W*",
        text,
        re.I,
    ):
        return lambda files: (path in files, "present" if path in files else _missing(path))
    return None


def _missing(path: str) -> str:
    return f"the app has no file {path}"


def _number(word: str) -> int:
    return _NUMBERS.get(word.lower(), -1) if not word[0].isdigit() else int(word.replace(",", ""))


def _text(files: Files, path: str) -> str | None:
    data = files.get(path)
    return None if data is None else data.decode("utf-8", "replace")


def _words(files: Files, path: str, low: int, high: int | None) -> tuple[bool, str]:
    text = _text(files, path)
    if text is None:
        return False, _missing(path)
    count = len(text.split())
    return count >= low and (high is None or count <= high), f"{path} has {count} words"


def _mit_license(files: Files) -> tuple[bool, str]:
    for path in ("LICENSE", "LICENSE.md", "LICENSE.txt"):
        text = _text(files, path)
        if text is not None:
            flat = re.sub(r"\s+", " ", text.replace("\u201c", '"').replace("\u201d", '"')).lower()
            whole = all(part in flat for part in _MIT_TEXT)
            return whole, f"{path} is the MIT text" if whole else f"{path} is not the full MIT text"
    return False, _missing("LICENSE")


def _svg(files: Files, path: str) -> tuple[bool, str]:
    text = _text(files, path)
    if text is None:
        return False, _missing(path)
    if "<!ENTITY" in text:
        return False, f"{path} declares entities"
    try:
        root = ET.fromstring(text)  # noqa: S314 - no entity declarations, see above
    except ET.ParseError as error:
        return False, f"{path} is not well-formed XML: {error}"
    name = root.tag.rpartition("}")[2]
    return root.tag == "{http://www.w3.org/2000/svg}svg", f"the root of {path} is {name}" + (
        "" if root.tag.startswith("{http://www.w3.org/2000/svg}") else ", not in the SVG namespace"
    )


def _json_rule(text: str, path: str) -> Rule | None:
    drawn = re.search(r"\{.*\}|\[.*\]", text, re.S)
    if drawn is not None:
        shape = json_shape.read(drawn.group())
        return None if shape is None else lambda files: _json(files, path, shape)
    keys = re.findall(r"[`\"']([A-Za-z_]\w*)[`\"']", text)
    if not keys and re.search(r"\b(?:keys?|fields?|properties|shape|array|object)\b", text, re.I):
        return None
    return lambda files: _json(files, path, dict.fromkeys(keys, json_shape.ANY) if keys else json_shape.ANY)


def _json(files: Files, path: str, shape: json_shape.Shape) -> tuple[bool, str]:
    text = _text(files, path)
    if text is None:
        return False, _missing(path)
    try:
        value = json.loads(text)
    except ValueError as error:
        return False, f"{path} is not JSON: {error}"
    flaw = json_shape.flaw(value, shape)
    return not flaw, f"{path}: {flaw}" if flaw else f"{path} is JSON of that shape"


def _sections(files: Files, path: str, wanted: list[str]) -> tuple[bool, str]:
    text = _text(files, next((name for name in files if name.lower() == path.lower()), path))
    if text is None:
        return False, _missing(path)
    headings = " \n".join(re.findall(r"^(?:#{1,6}\s+.*|.+(?=\n[=-]{3,}\s*$))", text, re.M))
    absent = [name for name in wanted if not re.search(rf"\b(?:{_SECTIONS[name]})", headings, re.I)]
    return not absent, f"{path} has no section on {', '.join(absent)}" if absent else f"{path} has its sections"

"""Finds elisions: comments that stand where a file's content belongs ("... existing code ...")."""

import re

_COMMENT = re.compile(
    r"<!--(?P<html>.*?)-->|\{?/\*+(?P<block>.*?)\*+/\}?|(?:^|(?<=[\s;{}>]))//(?P<line>.*)|^\s*(?:#|--)\s*(?P<hash>.*)"
)
_PROSE = (".md", ".markdown", ".txt", ".csv", ".json")
_THING = (
    r"(?:code|content|contents|markup|html|css|js|javascript|styles?|rules?|scripts?|functions?|logic|page|file"
    r"|body|section|sections|elements?|implementation|methods?|lines?|part)"
)
_DOTS = r"(?:\.{3,}|\u2026)"
_HINT = r"(?:existing|rest|remain\w*|unchanged|previous|same|other|omitted|original|as before|above|more)"
_STATE = r"(?:unchanged|the same|as before|omitted\b.*|here|above|below)"
_ELISIONS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        _DOTS,
        rf"{_DOTS}.*\b{_HINT}\b.*",
        rf"(?:the )?(?:existing|rest|remaining|previous|other|same)\b.{{0,40}}{_DOTS}",
        rf"(?:the )?(?:rest|remainder) of (?:the |your |this )?(?:\w+ ){{0,3}}"
        rf"(?:{_STATE}|(?:is|are|stays?|remains?|goes)\b.*)",
        rf"(?:the )?(?:existing|previous|original|other|remaining|all other) (?:\w+ ){{0,2}}?{_THING}"
        rf" (?:(?:is|are|stays?|remains?|goes) )?{_STATE}",
        rf"existing {_THING}",
        rf"{_THING} (?:is |are |stays? |remains? )?(?:unchanged|the same|omitted\b.*|as before)",
        r"(?:rest )?(?:unchanged|same as before|same as above|no changes?(?: here| needed)?|omitted for brevity)",
        rf"(?:keep|leave|retain) (?:all )?(?:of )?(?:the )?(?:existing|rest|other|previous|remaining)"
        rf"(?: of (?:the|your))? {_THING}.*",
        rf"(?:your|add your|insert(?: your)?|put(?: your)?) (?:\w+ )?{_THING} (?:goes )?here",
    )
)


def elision(line: str, path: str) -> str | None:
    """The comment on this line of a file that elides content, or None.

    In code a line of three dots alone counts as one; in prose it does not, and only HTML comments are comments.
    """
    prose = path.lower().endswith(_PROSE)
    if prose and "<!--" not in line:
        return None
    if re.fullmatch(rf"\s*{_DOTS}\s*", line):
        return line.strip()
    for match in _COMMENT.finditer(line):
        if prose and match["html"] is None:
            continue
        words = re.sub(r"\s+", " ", next(group for group in match.groups() if group is not None)).strip(" -=*()[]:")
        if any(pattern.fullmatch(text) for pattern in _ELISIONS for text in (words, words.rstrip(".")) if text):
            return match[0].strip()
    return None

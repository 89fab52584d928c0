"""JavaScript that came as a check: does it parse, and which of its `${...}` were never filled in. Nothing is run."""

import json
import re
from typing import Literal

from slipway_generator.v8 import evaluate

Form = Literal["expression", "script", "body"]
"""How a check is written: a value, statements whose last value counts, or statements that `return`."""

# Both wrappings must parse: `1); (2` and `1]; [2` get through one of them each, only an expression through both.
_PARSE = """
(() => {
  const source = %s;
  const AsyncFunction = (async () => {}).constructor;
  const error = (text) => { try { new AsyncFunction(text); return ""; } catch (e) { return e.message; } };
  const inner = source.replace(/[;\\s]+$/, "");
  if (inner && !error(`return (${inner}\\n)`) && !error(`return [${inner}\\n]`)) return "expression";
  const statements = error(source);
  if (statements) return "!" + statements;
  // A dead block: nothing in it runs, and `return` is refused where no function is around it.
  try { (0, eval)(`if (false) {${source}\n}`); } catch (e) { if (/return/.test(e.message)) return "body"; }
  return "script";
})()
"""
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_KNOWN = frozenset(
    "document window location navigator localStorage sessionStorage performance history screen self parent top "
    "Math JSON Number String Object Array Date RegExp Boolean Symbol Intl Map Set Promise BigInt parseInt parseFloat "
    "isNaN isFinite encodeURIComponent decodeURIComponent encodeURI decodeURI undefined null true false NaN Infinity "
    "this globalThis typeof void new await getComputedStyle innerWidth innerHeight URL URLSearchParams".split()
)


class NotJavaScriptError(ValueError):
    """The text does not parse; the message is V8's."""


def form_of(source: str) -> Form:
    """Whether `source` is an expression, a script, or the body of a function. Raises NotJavaScriptError."""
    answer = str(evaluate(_PARSE % json.dumps(source)))
    if answer.startswith("!"):
        raise NotJavaScriptError(answer[1:])
    return "expression" if answer == "expression" else "body" if answer == "body" else "script"


def unresolved(source: str) -> str:
    """The first `${...}` that nobody filled in, or "".

    Outside a template literal every `${...}` is one. Inside, it is one when its first name stands nowhere else in
    the check: a variable that the check itself made has a declaration outside of `${...}`.
    """
    outside, inside = _placeholders(source)
    if outside:
        return outside[0]
    rest = source
    for expression in inside:
        rest = rest.replace("${" + expression + "}", " ")
    names_elsewhere = set(_IDENTIFIER.findall(rest)) | _KNOWN
    for expression in inside:
        name = _IDENTIFIER.match(expression.strip())
        if name is not None and name.group() not in names_elsewhere:
            return "${" + expression + "}"
    return ""


def _placeholders(source: str) -> tuple[list[str], list[str]]:
    """`${...}` outside of template literals (whole), and the expressions of those inside."""
    outside: list[str] = []
    inside: list[str] = []
    quote = ""
    position = 0
    while position < len(source):
        char = source[position]
        if char == "\\":
            position += 2
            continue
        if source.startswith("${", position):
            end = _closing_brace(source, position + 2)
            expression = source[position + 2 : end]
            if quote == "`":
                inside.append(expression)
            else:
                outside.append("${" + expression + "}")
            position = end + 1
            continue
        if quote:
            if char == quote:
                quote = ""
        elif char in "\"'`":
            quote = char
        position += 1
    return outside, inside


def _closing_brace(source: str, start: int) -> int:
    depth = 1
    for position in range(start, len(source)):
        depth += {"{": 1, "}": -1}.get(source[position], 0)
        if not depth:
            return position
    return len(source)

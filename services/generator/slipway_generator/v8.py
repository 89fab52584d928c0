"""JavaScript syntax by V8 itself: scripts are compiled, nothing of them is ever run.

There is one V8 in the process, used by one thread at a time: two of them side by side crash or hang (seen with
mini-racer 0.14, whose V8 runs with `--single-threaded`).
"""

import json
import re
import threading
from dataclasses import dataclass

from py_mini_racer import JSEvalException, JSTimeoutException, MiniRacer

_TIMEOUT_S = 5.0
_ERROR = re.compile(r"^[^\n]*?:(\d+): (SyntaxError: [^\n]*)")
_STRICT = re.compile(r"(?:\s|//[^\n]*\n|/\*.*?\*/)*(?:'use strict'|\"use strict\")", re.DOTALL)
# Declarations of modules, which a script may not have. Their text may stand in a template literal as well: blanking
# it there does no harm, because only the syntax is of interest.
_IMPORT = re.compile(
    r"(?:^|(?<=[;}]))[ \t]*import\s*+(?:(?:[\w$]++|\*\s*+as\s++[\w$]++|\{[^{}'\"]*+\})\s*+,?\s*+)*+"
    r"(['\"])[^'\"\n]*+\1(?:\s*(?:with|assert)\s*\{[^{}]*\})?",
    re.MULTILINE,
)
_EXPORT_FROM = re.compile(
    r"(?:^|(?<=[;}]))[ \t]*export\s*(?:\*(?:\s*as\s+[\w$]+)?|\{[^{}]*\})(?:\s*from\s*(['\"])[^'\"\n]*\1)?", re.MULTILINE
)
_EXPORT_DEFAULT = re.compile(r"(?:^|(?<=[;}]))([ \t]*)export\s+default\b", re.MULTILINE)
_EXPORT = re.compile(r"(?:^|(?<=[;}]))([ \t]*)export\b(?=\s+(?:const|let|var|function|class|async)\b)", re.MULTILINE)

_HASHBANG = re.compile(r"\A#![^\n]*")

_lock = threading.Lock()
_engine: MiniRacer | None = None


@dataclass(frozen=True)
class SyntaxFault:
    """Why a script does not compile, and on which of its lines (from 1)."""

    line: int
    message: str


def script_fault(source: str) -> SyntaxFault | None:
    """What is wrong with a classic script."""
    strict = "'use strict';" if _STRICT.match(source) else ""
    return _compiled(f"{strict}throw 0;{_HASHBANG.sub('', source)}")


def module_fault(source: str) -> SyntaxFault | None:
    """What is wrong with a module: strict code, with imports, exports and await at the top."""
    body = _IMPORT.sub(_blank, _HASHBANG.sub("", source))
    body = _EXPORT_FROM.sub(_blank, body)
    body = _EXPORT_DEFAULT.sub(r"\1 0,", body)
    body = _EXPORT.sub(r"\1", body).replace("import.meta", "import_meta")
    fault = _compiled(f"'use strict';throw 0;{body}")
    if fault and "await" in fault.message:
        fault = _compiled(f"'use strict';throw 0;(async()=>{{{body}\n}})")
    return fault


def handler_fault(source: str) -> SyntaxFault | None:
    """What is wrong with the body of an event handler attribute."""
    return _compiled(f"throw 0;(function(event){{{source}\n}})")


def _blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n") + ";"


def evaluate(source: str) -> object:
    """The value of a script of ours. Raises JSEvalException, JSTimeoutException after 5 s."""
    global _engine  # noqa: PLW0603 (it takes 60 ms to start)
    with _lock:
        if _engine is None:
            _engine = MiniRacer()
        return _engine.eval(source, timeout_sec=_TIMEOUT_S)


def _compiled(source: str) -> SyntaxFault | None:
    """Compile as the text of an indirect eval: its declarations stay its own, and its first statement ends it."""
    try:
        evaluate(f"(0,eval)({json.dumps(source)})")
    except JSTimeoutException:
        return None
    except JSEvalException as error:
        match = _ERROR.match(str(error))
        return SyntaxFault(int(match[1]), match[2]) if match else None
    return None

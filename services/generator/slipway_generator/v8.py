"""JavaScript syntax by V8 itself: scripts are compiled, nothing of them is ever run.

There is one V8 in the process, made and used by one thread and never closed: one that is made in one thread and used
or closed in another crashes or hangs now and then (seen in 1 of 8 starts with mini-racer 0.14.1).
"""

import json
import re
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue

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

_Task = tuple[str, Future[object]]
_tasks: SimpleQueue[_Task] = SimpleQueue()
_starting = threading.Lock()
_thread: threading.Thread | None = None


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
    """The value of a script of ours; blocks until it is there. Raises JSEvalException, JSTimeoutException after 5 s."""
    global _thread  # noqa: PLW0603 (started when it is first needed: V8 takes 60 ms)
    with _starting:
        if _thread is None:
            _thread = threading.Thread(target=_serve, name="v8", daemon=True)
            _thread.start()
    answer: Future[object] = Future()
    _tasks.put((source, answer))
    return answer.result()


def _serve() -> None:
    engine = MiniRacer()
    while True:
        source, answer = _tasks.get()
        try:
            answer.set_result(engine.eval(source, timeout_sec=_TIMEOUT_S))
        except Exception as error:  # noqa: BLE001 (whatever it is, it belongs to whoever asked)
            answer.set_exception(error)


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

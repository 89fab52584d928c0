"""The corpus of model replies, which lies with the tests: what its edits of long pages save."""

import sys
from collections.abc import Mapping

from slipway_bench.figures import NotMeasuredError
from slipway_cli.stack import ROOT
from slipway_generator.edits import ChangeRefused, Staging
from slipway_generator.prompt import show_file
from slipway_generator.reply import ReplyError, parse_reply

LONG = 400
"""Lines of a page on which an edit has to be worth it."""


def edit_shares() -> Mapping[str, float]:
    """Size of the edit replies, repairs included / size of a reply with the whole page, by the name of the case.

    Raises NotMeasuredError where the tests are not there.
    """
    if not (ROOT / "tests" / "corpus").is_dir():
        raise NotMeasuredError(f"the corpus of replies is not there: {ROOT}/tests/corpus")
    sys.path.append(str(ROOT / "tests"))
    from corpus.loading import load_cases  # noqa: PLC0415 (no package: it lies where pytest looks)

    cases = [case for case in load_cases() if case.outcome != "refused" and case.diff() and not case.rewrite]
    shares = {case.name: _share(case.base(), case.replies()) for case in cases}
    return {name: share for name, share in shares.items() if share is not None}


def _share(base: Mapping[str, bytes], replies: list[str]) -> float | None:
    """None where no long page is changed."""
    staging = Staging(base)
    result: Mapping[str, bytes] = base
    for text in replies:
        try:
            result = staging.offer(parse_reply(text, base)).over(base)
        except (ReplyError, ChangeRefused):
            continue  # it is repaired by the next one
    changed = {path: data.decode() for path, data in result.items() if base.get(path) != data}
    if max((len(base[path].splitlines()) for path in changed if path in base), default=0) < LONG:
        return None
    return sum(map(len, replies)) / sum(len(show_file(path, text)) for path, text in changed.items())

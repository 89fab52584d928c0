"""The corpus of model replies, which lies with the tests: its edits of long pages that were not written for a test."""

import sys
from collections.abc import Mapping

from slipway_bench.figures import NotMeasuredError
from slipway_cli.stack import ROOT

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

    found: dict[str, float] = {}
    for case in load_cases():
        if not case.installed or case.outcome == "refused" or case.rewrite or not case.diff():
            continue
        [(path, data)] = case.base().items()
        page = data.decode()
        if len(page.split("\n")) >= LONG:
            found[case.name] = sum(map(len, case.replies())) / len(f"```html\n{path}\n{page}```\n")
    return found

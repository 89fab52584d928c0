"""The proof of a candidate: static inspection, the browser, and what a revision left untouched."""

from collections.abc import Mapping, Sequence

from slipway_common.events import Check
from slipway_generator.browser import Inspector
from slipway_generator.verdict import Verdict


class Prover:
    """Shared by all jobs of the process."""

    def __init__(self, inspector: Inspector, owner: str) -> None:
        self._inspector = inspector
        self._owner = owner

    async def prove(
        self,
        files: Mapping[str, bytes],
        *,
        base: Mapping[str, bytes] | None,
        repository: str,
        checks: Sequence[tuple[int, Check]],
    ) -> Verdict:
        """All that can be said of the app in `files`; `base` is what it was made from."""
        evidence = await self._inspector.inspect(files, self._owner, repository, checks)
        return Verdict(evidence.checks, evidence.findings, screenshots=evidence.screenshots, notes=evidence.notes)

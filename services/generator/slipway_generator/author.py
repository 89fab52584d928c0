"""The loop with the model: ask, read, apply, prove, feed back what is wrong, keep the best candidate."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

import structlog

from slipway_common.events import Check, CheckResult
from slipway_common.stage import Outcome, Reject
from slipway_generator.assembly import assemble, is_models
from slipway_generator.attachments import Material
from slipway_generator.edits import ChangeRefused, Staging
from slipway_generator.feedback import Superseded, of_refusal, of_verdict, superseded_in
from slipway_generator.inspection import without_integrity
from slipway_generator.model import Turn
from slipway_generator.model.chain import Chain
from slipway_generator.model.ledger import Ledger, SpentError
from slipway_generator.prompt import Assignment, first_prompt, system_prompt
from slipway_generator.proof import Prover
from slipway_generator.reply import NoBlockError, Reply, ReplyError, parse_reply
from slipway_generator.verdict import Verdict

log = structlog.get_logger()


@dataclass(frozen=True)
class Commission:
    """All that the author needs for one job.

    `base` holds every file of the published app (None for a build), `attached` the paths of all rounds' attachments,
    which are not the model's to write; `checks` are those of all rounds, each with its round.
    """

    assignment: Assignment
    repository: str
    license_text: bytes
    checks: Sequence[tuple[int, Check]]
    base: Mapping[str, bytes] | None = None
    attached: frozenset[str] = field(default_factory=frozenset)

    @property
    def materials(self) -> tuple[Material, ...]:
        return self.assignment.materials

    def is_models(self, path: str) -> bool:
        """Whether the model may write this path."""
        return is_models(path, self.attached)


@dataclass(frozen=True)
class Candidate:
    """One version of the app that could be shipped."""

    files: Mapping[str, bytes]
    verdict: Verdict
    rewritten: bool = False
    notes: tuple[str, ...] = ()


class Author:
    """Writes or revises apps, each within its ledger."""

    def __init__(self, chain: Chain, prover: Prover, *, max_repairs: int) -> None:
        self._chain = chain
        self._prover = prover
        self._max_repairs = max_repairs

    async def write(self, commission: Commission, ledger: Ledger) -> Candidate:
        """The best version within the limits.

        Raises Reject when there is none, or none that leaves working what earlier rounds asked for; and the outcomes
        that Chain.ask raises.
        """
        # the published page is proved while the model writes
        held = asyncio.create_task(self._held(commission))
        try:
            return await self._write(commission, ledger, held)
        finally:
            held.cancel()

    async def _write(
        self, commission: Commission, ledger: Ledger, held: asyncio.Task[frozenset[tuple[int, str]]]
    ) -> Candidate:
        prompt = first_prompt(commission.assignment)
        turns: tuple[Turn, ...] = (prompt.turn,)
        staging = _staging(commission, dict(commission.base or {}))
        told_of_violations = False
        best: Candidate | None = None
        superseded: tuple[Superseded, ...] = ()
        trouble = ""
        for turn in range(self._max_repairs + 1):
            try:
                answer = await self._chain.ask(system_prompt(), turns, ledger)
            except SpentError as error:
                trouble = f"{error}; {trouble}" if trouble else str(error)
                break
            except Outcome as outcome:
                if best is None or best.verdict.broken:
                    raise
                trouble = f"not improved further: {outcome.reason}"
                break
            turns += (Turn("model", answer.text),)
            words = superseded_in(answer.text)
            superseded += words
            try:
                applied = staging.offer(_models_part(parse_reply(answer.text), commission))
            except (ReplyError, ChangeRefused) as error:
                if best is None or not words or not isinstance(error, NoBlockError):
                    trouble = str(error)
                    log.info("reply not applied", reason=trouble, turn=turn + 1)
                    turns += (Turn("user", of_refusal(error)),)
                    continue
                candidate = best  # the answer is its word alone: the version stays, its checks are seen anew
            else:
                rewritten = applied.rewrite or (best is not None and best.rewritten)
                candidate = await self._candidate(applied.over(staging.files), rewritten, commission)
            candidate = _with_broken(candidate, await held, superseded)
            if best is None or candidate.verdict.rank() > best.verdict.rank():
                best = candidate
            log.info("candidate", turn=turn + 1, clean=candidate.verdict.clean, kept=best is candidate)
            trouble = "" if best.verdict.clean else "shipped with faults that the model did not mend"
            violates = bool(candidate.verdict.violations) and not told_of_violations
            if (candidate.verdict.clean and not violates) or monotonic() >= ledger.allowance.improve_until:
                break
            told_of_violations = True
            staging = _staging(commission, dict(best.files))
            turns += (Turn("user", of_verdict(candidate.verdict, kept=best is candidate)),)
        if best is None:
            raise Reject(f"no version of the app could be made: {trouble}")
        if best.verdict.broken:
            broken = "; ".join(f"round {check.round}: {check.check}" for check in best.verdict.broken)
            raise Reject(f"every version breaks what worked before, the published page stays: {broken}")
        cut = tuple(f"not shown to the model: {what}" for what in prompt.cut)
        said = tuple(f"round {s.round} check {s.number} is superseded by this brief: {s.why}" for s in superseded)
        return replace(best, notes=cut + said + ((trouble,) if trouble else ()))

    async def _candidate(self, written: Mapping[str, bytes], rewritten: bool, commission: Commission) -> Candidate:
        mended, removed = without_integrity(_only(written, commission.is_models))
        files = assemble({**written, **mended}, commission.materials, commission.license_text)
        verdict = await self._prover.prove(
            files,
            brief=commission.assignment.brief,
            given=files.keys() - mended.keys(),
            base=_only(commission.base, commission.is_models) if commission.base is not None else None,
            rewritten=rewritten,
            repository=commission.repository,
            checks=commission.checks,
        )
        return Candidate(files, replace(verdict, findings=(*verdict.findings, *removed)), rewritten)

    async def _held(self, commission: Commission) -> frozenset[tuple[int, str]]:
        """The checks of earlier rounds that hold on the published page."""
        earlier = [(number, check) for number, check in commission.checks if number < commission.assignment.round]
        if commission.base is None or not earlier:
            return frozenset()
        verdict = await self._prover.prove(commission.base, base=None, repository=commission.repository, checks=earlier)
        return frozenset((check.round, check.check) for check in verdict.checks if check.outcome == "true")


def _staging(commission: Commission, files: Mapping[str, bytes]) -> Staging:
    """Where the next answer is applied; a revision takes a whole file only if it still is the old one with a change."""
    return Staging(files, guarded=commission.base is not None)


def _with_broken(candidate: Candidate, held: frozenset[tuple[int, str]], superseded: Sequence[Superseded]) -> Candidate:
    """The candidate with the earlier checks that it breaks; those that the new brief contradicts do not count."""
    excused = {(item.round, item.number) for item in superseded}
    broken: list[CheckResult] = []
    checks: list[CheckResult] = []
    number: dict[int, int] = {}
    for check in candidate.verdict.checks:
        number[check.round] = number.get(check.round, 0) + 1
        if check.outcome == "false" and (check.round, check.check) in held:
            if (check.round, number[check.round]) in excused:
                checks.append(check.model_copy(update={"outcome": "not_run", "detail": "superseded by the new brief"}))
                continue
            broken.append(check)
        checks.append(check)
    return replace(candidate, verdict=replace(candidate.verdict, checks=tuple(checks), broken=tuple(broken)))


def _only(files: Mapping[str, bytes], wanted: Callable[[str], bool]) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if wanted(path)}


def _models_part(reply: Reply, commission: Commission) -> Reply:
    """The reply without files that code writes. Raises NoBlockError when nothing else was in it."""
    parts = tuple(part for part in reply.parts if commission.is_models(part.path))
    if not parts:
        raise NoBlockError("the reply only writes files that are not yours to write; send index.html and README.md")
    return Reply(parts)

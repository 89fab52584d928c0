"""The stage function: from a received task to a generated app."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

import structlog
from pydantic import ValidationError

from slipway_common.delivery import carried, carry
from slipway_common.events import Check, File, Generated, KeptFile, ModelUse, Received, Report, Request
from slipway_common.naming import repository_name
from slipway_common.project import RECORD_PATH
from slipway_common.stage import Reject, Wait
from slipway_generator.assembly import is_models, mit_license
from slipway_generator.attachments import Material, collect
from slipway_generator.attachments.fetching import Fetcher
from slipway_generator.attachments.spreadsheets import with_tables
from slipway_generator.author import Author, Commission
from slipway_generator.ground import Ground, Patience, survey
from slipway_generator.model.chain import Chain
from slipway_generator.model.ledger import Allowance, Ledger
from slipway_generator.prompt import Assignment, EarlierRound, prompt_version
from slipway_generator.settings import GeneratorSettings
from slipway_generator.turns import Turns

log = structlog.get_logger()

TURN_PAUSE_S = 1.0
SHIPPING_RESERVE_S = 45.0
"""What deploying and notifying need before the deadline."""


@dataclass(frozen=True)
class Tools:
    """What the stage works with."""

    settings: GeneratorSettings
    author: Author
    chain: Chain
    fetcher: Fetcher
    turns: Turns = field(default_factory=Turns)


async def generate(event: Received, tools: Tools) -> Generated:
    """Write the app of round 1, or change the published one. A job whose commit is there already costs no call."""
    settings, job = tools.settings, event.job
    repository = repository_name(job.email, job.task)
    patience = Patience(settings.predecessor_wait_s, settings.predecessor_pause_s)
    ground = await survey(event, settings.github_git_url, settings.github_username, repository, patience)
    if ground.done:
        return _as_committed(event, ground)
    if not tools.turns.take(repository, job.id, ground.head, settings.generate_budget_s):
        raise Wait("another job of this project is on its way", TURN_PAUSE_S)
    try:
        generated = await _generate(event, tools, repository, ground)
    except BaseException:
        tools.turns.give_up(repository, job.id)
        raise
    tools.turns.hand_on(repository, job.id)
    return generated


def _as_committed(event: Received, ground: Ground) -> Generated:
    """The event came again after its commit was made: the deployer finds it by its trailers and reports it."""
    assert ground.app  # noqa: S101 (a job is done only where there is an app)
    kept = tuple(KeptFile(path=path, mode=f.mode, sha=f.sha) for path, f in sorted(ground.app.files.items()))
    return Generated(
        job=event.job,
        base_commit=ground.head,
        files=(),
        kept=kept,
        request=Request(brief=event.brief, checks=event.checks),
        report=Report(notes=("the event came again; its commit was there already",)),
        hand_backs=event.hand_backs,
    )


async def _generate(event: Received, tools: Tools, repository: str, ground: Ground) -> Generated:
    settings, job = tools.settings, event.job
    materials = await with_tables(await collect(event.attachments, tools.fetcher, max_bytes=settings.max_app_bytes))
    earlier_materials = await _earlier_materials(ground, {material.name for material in materials})
    published = {path: file.data for path, file in ground.app.files.items()} if ground.app and ground.revises else None
    size = sum(map(len, (published or {}).values())) + sum(len(material.data) for material in materials)
    if size > settings.max_app_bytes:
        raise Reject(f"the app would be {size} bytes, over the limit of {settings.max_app_bytes} (MAX_APP_BYTES)")

    request = Request(brief=event.brief, checks=event.checks, attachments=tuple(m.ref() for m in materials))
    record = ground.record.with_round(job, request)
    attached = frozenset(ref.path for item in record.rounds for ref in item.attachments)
    earlier = [item for item in record.rounds if item.round < job.round] if ground.revises else []
    checks: list[tuple[int, Check]] = [(item.round, check) for item in earlier for check in item.checks]
    checks += [(job.round, check) for check in event.checks]
    commission = Commission(
        assignment=Assignment(
            round=job.round,
            brief=event.brief,
            checks=event.checks,
            materials=(*materials, *earlier_materials),
            current=_editable(published, attached) if published is not None else None,
            earlier=[EarlierRound(item.round, item.brief, item.checks) for item in earlier],
        ),
        repository=repository,
        license_text=mit_license(job.accepted_at.year, settings.github_username),
        checks=checks,
        base=published,
        attached=attached,
    )
    ledger = _ledger(event, settings)
    candidate = await tools.author.write(commission, ledger)
    files = {**candidate.files, RECORD_PATH: record.dump()}
    changed, kept = _against(ground, files, {material.path for material in materials})
    verdict = candidate.verdict
    return Generated(
        job=job,
        base_commit=ground.head,
        files=changed,
        kept=kept,
        request=request,
        report=Report(
            checks=verdict.checks,
            findings=verdict.findings,
            edit=verdict.edit,
            usage=ledger.used.model_copy(update={"prompts": prompt_version()}),
            notes=ground.notes + candidate.notes + verdict.notes,
            screenshots=verdict.screenshots,
        ),
        hand_backs=event.hand_backs,
    )


def _ledger(event: Received, settings: GeneratorSettings) -> Ledger:
    """What the job may spend. The deadline only ends improving; a job that is late already gets a fresh budget."""
    now = monotonic()
    left = (event.job.due_at - datetime.now(UTC)).total_seconds() - SHIPPING_RESERVE_S
    late = left <= -SHIPPING_RESERVE_S
    improve = settings.generate_budget_s if late else min(settings.generate_budget_s, left)
    allowance = Allowance(
        settings.max_model_calls, settings.max_tokens, now + settings.generate_budget_s, now + improve
    )
    priced = settings.slipway_model == "gemini" and settings.gemini_base_url is None
    return Ledger(allowance, _used_before(event), lambda used: carry(used.model_dump_json()), priced=priced)


def _used_before(event: Received) -> ModelUse:
    """What earlier attempts at the job have spent, those before the deployer gave it back included."""
    try:
        return ModelUse.model_validate_json(carried())
    except ValidationError:
        return event.spent


async def _earlier_materials(ground: Ground, replaced: set[str]) -> tuple[Material, ...]:
    """Attachments of earlier rounds, as the published app has them: the model is shown them in every round."""
    if not ground.revises or ground.app is None:
        return ()
    found: dict[str, Material] = {}
    for item in ground.record.rounds:
        for ref in item.attachments:
            file = ground.app.files.get(ref.path)
            if file is not None and ref.name not in replaced:
                found[ref.name] = Material(ref.name, ref.path, ref.media_type, file.data[: ref.size])
    described = await with_tables(tuple(found.values()))
    return tuple(material for material in described if material.name in found)


def _editable(files: Mapping[str, bytes], attached: frozenset[str]) -> dict[str, str]:
    """The text files that are the model's to edit."""
    editable = {}
    for path, data in files.items():
        if not is_models(path, attached):
            continue
        try:
            editable[path] = data.decode()
        except UnicodeDecodeError:
            continue
    return editable


def _against(
    ground: Ground, files: Mapping[str, bytes], inline: set[str]
) -> tuple[tuple[File, ...], tuple[KeptFile, ...]]:
    """What is new or changed, with its bytes, and what stays, by its sha. Paths in `inline` always come with bytes."""
    old = ground.app.files if ground.app is not None and ground.revises else {}
    changed: list[File] = []
    kept: list[KeptFile] = []
    for path, data in sorted(files.items()):
        before = old.get(path)
        if before is not None and before.data == data and path not in inline:
            kept.append(KeptFile(path=path, mode=before.mode, sha=before.sha))
        else:
            changed.append(File.of(path, data, before.mode if before else "100644"))
    return tuple(changed), tuple(kept)

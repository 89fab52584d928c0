"""`.slipway/task.json`: what a project's repository says of the rounds that made it. No email, no nonce."""

from typing import Self

from pydantic import AwareDatetime, ValidationError

from slipway_common.events import AttachmentRef, Check, Job, Model, Request

RECORD_PATH = ".slipway/task.json"
KEPT_JOBS = 50


class RoundRecord(Model):
    """What one round asked for, and the job that built it last."""

    round: int
    job: str
    replay: int
    accepted_at: AwareDatetime
    brief: str
    checks: tuple[Check, ...] = ()
    attachments: tuple[AttachmentRef, ...] = ()


class JobRef(Model):
    """One commit's job: its trailers `Job:` and `Replay:`."""

    job: str
    replay: int


class ProjectRecord(Model):
    """The rounds that the app of this commit answers, by number, and the last jobs that were committed."""

    version: int = 1
    rounds: tuple[RoundRecord, ...] = ()
    jobs: tuple[JobRef, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> Self | None:
        """The record in the bytes of RECORD_PATH; None where they are no such record (edited by hand)."""
        try:
            return cls.model_validate_json(data)
        except ValidationError:
            return None

    def with_round(self, job: Job, request: Request) -> Self:
        """The record of the commit that adds `job`. Round 1 builds anew: what other rounds asked for is gone."""
        added = RoundRecord(
            round=job.round,
            job=job.id,
            replay=job.replay,
            accepted_at=job.accepted_at,
            brief=request.brief,
            checks=request.checks,
            attachments=request.attachments,
        )
        others = () if job.round == 1 else tuple(r for r in self.rounds if r.round != job.round)
        rounds = sorted((*others, added), key=lambda item: item.round)
        jobs = (*self.jobs, JobRef(job=job.id, replay=job.replay))[-KEPT_JOBS:]
        return self.model_copy(update={"rounds": tuple(rounds), "jobs": jobs})

    def commits_of(self, job: Job) -> int:
        """How often this job, in this replay, is among the last jobs that were committed."""
        return sum(ref.job == job.id and ref.replay == job.replay for ref in self.jobs)

    def supersedes(self, job: Job) -> bool:
        """Whether a higher round is in the repository that was accepted after `job`."""
        return any(r.round > job.round and r.accepted_at >= job.accepted_at for r in self.rounds)

    def dump(self) -> bytes:
        """The bytes to commit at RECORD_PATH."""
        return (self.model_dump_json(indent=2, exclude_none=True) + "\n").encode()

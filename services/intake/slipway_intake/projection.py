"""The projection: what the history says of every job, in a SQLite file that may be deleted at any time."""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from slipway_common.events import Budget
from slipway_intake.history_entry import Entry, Position, StoryLine, story_line
from slipway_intake.record import JobRecord, record_of

log = structlog.get_logger()

STORY_LINES = 200
_EXPECTED = 10_000
_SCHEMA_VERSION = 2
_SCHEMA = f"""
CREATE TABLE jobs (job TEXT PRIMARY KEY, state TEXT NOT NULL, finished INTEGER NOT NULL, accepted_at REAL NOT NULL,
                   record TEXT NOT NULL);
CREATE INDEX jobs_by_time ON jobs (accepted_at, job);
CREATE INDEX jobs_by_state ON jobs (state, accepted_at, job);
CREATE INDEX jobs_unfinished ON jobs (accepted_at) WHERE finished = 0;
CREATE TABLE budgets (name TEXT PRIMARY KEY, at REAL NOT NULL, budget TEXT NOT NULL);
CREATE TABLE story (offset INTEGER PRIMARY KEY, line TEXT NOT NULL);
CREATE TABLE position (one INTEGER PRIMARY KEY CHECK (one = 1), offset INTEGER NOT NULL, message_id TEXT NOT NULL);
PRAGMA user_version = {_SCHEMA_VERSION};
"""


class ProjectionLostError(Exception):
    """The file was deleted or broken while it was in use: rebuild and read the history from its beginning."""


@dataclass(frozen=True)
class Counts:
    """How many jobs stand where."""

    by_state: dict[str, int]
    unfinished: int
    oldest_unfinished: datetime | None

    @property
    def total(self) -> int:
        return sum(self.by_state.values())


class Projection:
    """Fold of the history on disk. Methods block for as long as a batch takes (milliseconds) and are thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._expected: OrderedDict[str, JobRecord] = OrderedDict()
        self._db = self._open()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def rebuild(self) -> None:
        """Forget everything; the next position is the beginning."""
        with self._lock:
            with suppress(sqlite3.Error):
                self._db.close()
            self._delete()
            self._db = self._open()

    def position(self) -> Position | None:
        """How far the history has been folded; None: not at all."""
        with self._lock:
            row = self._db.execute("SELECT offset, message_id FROM position").fetchone()
        return Position(*row) if row else None

    def apply(self, entries: Sequence[Entry]) -> None:
        """Fold entries in, with the new position in the same transaction. Raises ProjectionLostError."""
        with self._lock:
            self._check_file()
            try:
                with self._db:
                    self._fold(entries)
            except sqlite3.DatabaseError as error:
                raise ProjectionLostError(str(error)) from error

    def expect(self, record: JobRecord) -> None:
        """Know a job that the broker has confirmed before the history brings it."""
        with self._lock:
            self._expected[record.job] = record
            while len(self._expected) > _EXPECTED:
                self._expected.popitem(last=False)

    def get(self, job: str) -> JobRecord | None:
        with self._lock:
            row = self._db.execute("SELECT record FROM jobs WHERE job = ?", (job,)).fetchone()
            return JobRecord.model_validate_json(row[0]) if row else self._expected.get(job)

    def counts(self) -> Counts:
        with self._lock:
            by_state = dict(self._db.execute("SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state"))
            unfinished, oldest = self._db.execute(
                "SELECT count(*), min(accepted_at) FROM jobs WHERE finished = 0"
            ).fetchone()
        return Counts(by_state, unfinished, datetime.fromtimestamp(oldest, UTC) if oldest is not None else None)

    def budgets(self) -> list[tuple[datetime, Budget]]:
        """What services have used of the outside world's limits, each with the time at which it was last told."""
        with self._lock:
            rows = self._db.execute("SELECT at, budget FROM budgets ORDER BY rowid").fetchall()
        return [(datetime.fromtimestamp(at, UTC), Budget.model_validate_json(budget)) for at, budget in rows]

    def unfinished(self) -> int:
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM jobs WHERE finished = 0").fetchone()[0])

    def page(self, *, state: str, before: tuple[float, str] | None, limit: int) -> list[JobRecord]:
        """Jobs from the newest on, of one state (empty: of all), those older than `before` (accepted at, job)."""
        where, values = ["1"], list[object]()
        if state:
            where.append("state = ?")
            values.append(state)
        if before:
            where.append("(accepted_at, job) < (?, ?)")
            values += before
        query = f"SELECT record FROM jobs WHERE {' AND '.join(where)} ORDER BY accepted_at DESC, job DESC LIMIT ?"  # noqa: S608 (fixed texts)
        with self._lock:
            rows = self._db.execute(query, [*values, limit]).fetchall()
        return [JobRecord.model_validate_json(row[0]) for row in rows]

    def story(self) -> list[StoryLine]:
        """The last lines of the story of all services, oldest first."""
        with self._lock:
            rows = self._db.execute("SELECT line FROM story ORDER BY offset").fetchall()
        return [StoryLine.model_validate_json(row[0]) for row in rows]

    def _fold(self, entries: Sequence[Entry]) -> None:
        touched: dict[str, JobRecord] = {}
        for entry in entries:
            if entry.event is None:
                continue
            record = record_of(entry.event, entry.dead)
            known = touched.get(record.job) or self._stored(record.job)
            touched[record.job] = known.merge(record) if known else record
        self._db.executemany(
            "INSERT INTO jobs (job, state, finished, accepted_at, record) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (job) DO UPDATE SET state = excluded.state, finished = excluded.finished,"
            " accepted_at = excluded.accepted_at, record = excluded.record",
            [
                (r.job, r.state, r.finished, r.identity.accepted_at.timestamp(), r.model_dump_json(exclude_none=True))
                for r in touched.values()
            ],
        )
        self._db.executemany(
            "INSERT INTO budgets VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at,"
            " budget = excluded.budget WHERE excluded.at > at",
            [
                (budget.name, entry.event.data.at.timestamp(), budget.model_dump_json())
                for entry in entries
                if entry.event
                for budget in entry.event.data.budgets
            ],
        )
        self._tell(entries)
        last = entries[-1].position
        self._db.execute("INSERT OR REPLACE INTO position VALUES (1, ?, ?)", (last.offset, last.message_id))
        for job in touched:
            self._expected.pop(job, None)

    def _tell(self, entries: Iterable[Entry]) -> None:
        told = [(entry.position.offset, line.model_dump_json()) for entry in entries if (line := story_line(entry))]
        self._db.executemany("INSERT OR REPLACE INTO story VALUES (?, ?)", told[-STORY_LINES:])
        self._db.execute(
            "DELETE FROM story WHERE offset <= (SELECT offset FROM story ORDER BY offset DESC LIMIT 1 OFFSET ?)",
            (STORY_LINES,),
        )

    def _stored(self, job: str) -> JobRecord | None:
        row = self._db.execute("SELECT record FROM jobs WHERE job = ?", (job,)).fetchone()
        return JobRecord.model_validate_json(row[0]) if row else None

    def _check_file(self) -> None:
        try:
            there = self._path.stat().st_ino
        except FileNotFoundError:
            there = None
        if there != self._inode:
            raise ProjectionLostError(f"{self._path.name} was deleted or replaced")

    def _open(self) -> sqlite3.Connection:
        """The file if it is one of ours, a new one otherwise."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            db = self._connect()
            if db.execute("PRAGMA user_version").fetchone()[0] == _SCHEMA_VERSION:
                return db
            db.close()
        except sqlite3.DatabaseError as error:
            log.warning("projection unreadable, made anew", file=self._path.name, error=str(error))
        self._delete()
        db = self._connect()
        db.executescript(_SCHEMA)
        self._inode = self._path.stat().st_ino
        return db

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, check_same_thread=False)
        # what is lost in a power cut is read again from the history: no need to wait for the disk
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA journal_mode = TRUNCATE")
        self._inode = self._path.stat().st_ino
        return db

    def _delete(self) -> None:
        for path in (self._path, Path(f"{self._path}-journal")):
            path.unlink(missing_ok=True)

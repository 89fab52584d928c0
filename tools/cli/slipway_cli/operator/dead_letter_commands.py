"""`slipway dead-letters`: list, show, replay, drop."""

import asyncio
import json
from typing import Annotated

import typer
from pydantic import AwareDatetime, BaseModel
from rich.table import Table

from slipway_cli.operator.dead_letters import DEFAULT_LIMIT, drop_letter, list_letters, open_letter, replay_letter
from slipway_cli.operator.letter import Address, Letter, readable_body, work_queue
from slipway_cli.operator.plain import cell, printable
from slipway_cli.operator.reach import find_running_system
from slipway_cli.operator.screen import screen, write
from slipway_common.topology import WORK_QUEUES, dead_queue

SHORT = 400

dead_letters_app = typer.Typer(no_args_is_help=True, help="Events that a stage gave up on, kept whole.")

Which = Annotated[
    str, typer.Argument(metavar="LETTER", help="a job's id (or how it begins), or QUEUE/POSITION as `list` shows it")
]
Limit = Annotated[int, typer.Option(min=1, help="how many letters of each queue are looked at")]


class ListedLetter(BaseModel):
    """One line of `dead-letters list --json`."""

    letter: str
    queue: str
    job: str | None
    task: str | None
    round: int | None
    replay: int | None
    attempts: int
    first_failure: AwareDatetime | None
    last_failure: AwareDatetime | None
    service: str
    version: str
    error: str
    message: str
    bytes: int

    @classmethod
    def of(cls, letter: Letter) -> "ListedLetter":
        job = letter.job
        return cls(
            letter=letter.name,
            queue=dead_queue(letter.queue),
            job=job.id if job else None,
            task=job.task if job else None,
            round=job.round if job else None,
            replay=job.replay if job else None,
            attempts=letter.delivery.attempt,
            first_failure=letter.delivery.first_failure,
            last_failure=letter.delivery.last_failure,
            service=letter.service,
            version=letter.version,
            error=letter.error,
            message=letter.message,
            bytes=letter.bytes,
        )


@dead_letters_app.command("list")
def list_command(
    queue: Annotated[str, typer.Option(help=f"only this one of {', '.join(WORK_QUEUES)}")] = "",
    limit: Limit = DEFAULT_LIMIT,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON list instead of a table")] = False,
) -> None:
    """Show the dead letters; none is taken out."""
    queues = (work_queue(queue),) if queue else WORK_QUEUES

    async def ask() -> list[Letter]:
        async with find_running_system().bus() as bus:
            return await list_letters(bus, queues, limit)

    letters = asyncio.run(ask())
    if as_json:
        write(json.dumps([ListedLetter.of(letter).model_dump(mode="json") for letter in letters], indent=2))
        return
    if not letters:
        write("no dead letters")
        return
    table = Table("letter", "job", "task", "round", "attempts", "died", "error", "message", box=None)
    for letter in letters:
        job, died = letter.job, letter.delivery.last_failure
        table.add_row(
            *map(
                cell,
                (
                    letter.name,
                    job.id if job else "not an event",
                    job.task if job else "",
                    str(job.round) if job else "",
                    str(letter.delivery.attempt),
                    died.isoformat(timespec="seconds") if died else "",
                    letter.error,
                    letter.message,
                ),
            )
        )
    screen().print(table)
    if any(letter.position == limit for letter in letters):
        write(f"only the first {limit} of each queue were looked at; --limit shows more")


@dead_letters_app.command("show")
def show_command(
    letter: Which,
    full: Annotated[bool, typer.Option("--full", help=f"also what is longer than {SHORT} characters")] = False,
    limit: Limit = DEFAULT_LIMIT,
) -> None:
    """Show one dead letter with its headers and its event; it stays where it is."""
    address = Address.parse(letter)

    async def ask() -> None:
        async with find_running_system().bus() as bus:
            opened = await open_letter(bus, address, limit)
        for name, value in sorted(opened.headers.items()):
            write(printable(f"{name}: {value}"))
        write("")
        write(printable(readable_body(opened.body, None if full else SHORT)))

    asyncio.run(ask())


@dead_letters_app.command("replay")
def replay_command(letter: Which, limit: Limit = DEFAULT_LIMIT) -> None:
    """Send one dead letter back to the queue that it died in, as if it came for the first time."""
    address = Address.parse(letter)

    async def ask() -> Letter:
        async with find_running_system().bus() as bus:
            return await replay_letter(bus, address, limit)

    replayed = asyncio.run(ask())
    write(f"replayed into {replayed.queue}: job {replayed.job_id or 'unknown'}")


@dead_letters_app.command("drop")
def drop_command(
    letter: Which,
    limit: Limit = DEFAULT_LIMIT,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Remove one dead letter for good; its job counts as dropped."""
    address = Address.parse(letter)
    if not yes:
        typer.confirm(f"drop the dead letter {letter} for good?", abort=True)

    async def ask() -> Letter:
        async with find_running_system().bus() as bus:
            return await drop_letter(bus, address, limit)

    dropped = asyncio.run(ask())
    write(f"dropped from {dead_queue(dropped.queue)}: job {dropped.job_id or 'unknown'}")

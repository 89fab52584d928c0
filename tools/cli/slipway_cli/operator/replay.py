"""`slipway replay JOB --from STAGE`: runs a job again from one of its stages, from what the history has of it."""

import asyncio
import uuid
from typing import Literal

from aio_pika.abc import AbstractIncomingMessage

from slipway_cli.operator.errors import OperatorError
from slipway_common.bus import Bus, PublishError
from slipway_common.events import (
    Deployed,
    Generated,
    ReadEvent,
    Received,
    UnreadableEventError,
    dump_event,
    read_event,
)
from slipway_common.topology import HISTORY, WORK_EXCHANGE

StageName = Literal["generator", "deployer", "notifier"]
_EVENT_OF_STAGE: dict[str, type[Received | Generated | Deployed]] = {
    "generator": Received,
    "deployer": Generated,
    "notifier": Deployed,
}
_MARKER_TYPE = "slipway.marker"
_IN_HAND = 16
_SILENCE_S = 60.0


async def replay_job(bus: Bus, job: str, stage: StageName) -> int:
    """Publish the newest event that `stage` had of the job, as its next replay; the number of that replay.

    The queue gets it before the history does, as everywhere. Raises OperatorError.
    """
    events = await _events_of(bus, job)
    if not events:
        raise OperatorError(f"{job}: the history knows no such job (it keeps HISTORY_MAX_AGE, HISTORY_MAX_BYTES)")
    wanted = _EVENT_OF_STAGE[stage]
    candidates = [event for event in events if isinstance(event.data, wanted)]
    if not candidates:
        raise OperatorError(f"{job}: never came to the {stage}; replay it --from an earlier stage")
    newest = max(candidates, key=lambda event: (event.data.job.replay, event.data.at))
    replay = 1 + max(event.data.job.replay for event in events)
    job_again = newest.data.job.model_copy(update={"replay": replay})
    again = newest.data.model_copy(update={"job": job_again})
    body = dump_event(again, source="operator", traceparent=newest.traceparent)
    try:
        await bus.publish(WORK_EXCHANGE, again.type, body, event_type=again.type)
        await bus.write_history(body, event_type=again.type)
    except PublishError as error:
        raise OperatorError(f"{job}: not sure that it was replayed: {error}; look at its status first") from None
    return replay


async def _events_of(bus: Bus, job: str) -> list[ReadEvent]:
    """All that the history has of the job, up to now."""
    found: list[ReadEvent] = []
    marker = str(uuid.uuid4())
    async with bus.open_channel("history", prefetch=_IN_HAND) as channel:
        arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        queue = await channel.get_queue(HISTORY, ensure=False)
        await queue.consume(arrived.put, arguments={"x-stream-offset": "first"})
        # our own marker tells where the history ended when we asked; readers of the history pass over its type
        await bus.write_history(marker.encode(), event_type=_MARKER_TYPE)
        while True:
            async with asyncio.timeout(_SILENCE_S):
                message = await arrived.get()
            await message.ack()
            if message.type == _MARKER_TYPE:
                if message.body == marker.encode():
                    return found
            # most events are of other jobs, and large: a look at the bytes is cheaper than to read them
            elif job.encode() in message.body:
                try:
                    event = read_event(message.body)
                except UnreadableEventError:
                    continue
                if event.data.job.id == job:
                    found.append(event)

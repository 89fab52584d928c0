"""The whole bus: every exchange, queue and binding, written once; declaration and checks derive from it."""

from dataclasses import dataclass, field
from typing import Literal

from aio_pika.abc import AbstractChannel

WORK_EXCHANGE = "slipway"
DEAD_EXCHANGE = "slipway.dead"
RETRY_EXCHANGE = "slipway.retry"
HISTORY = "task.history"
WORK_QUEUES = ("task.received", "task.generated", "task.deployed", "task.notified")
DELAY_TIERS_S = (1, 2, 4, 8, 16, 32, 64, 128, 256)

_DELIVERY_LIMIT = 20
_NEVER = 2**31 - 1  # an inspected dead letter must never meet a delivery limit; 4.x has 20 as its default
_AT_LEAST_ONCE = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}

Argument = str | int


def dead_queue(work_queue: str) -> str:
    """The dead-letter queue of a work queue."""
    return f"{work_queue}.dead"


def delay_name(seconds: int) -> str:
    """Name of both the exchange and the queue of one delay tier."""
    return f"slipway.delay.{seconds}s"


def delay_tier(after_s: float) -> int:
    """The shortest tier that waits at least `after_s`, the longest one where none does."""
    return next((tier for tier in DELAY_TIERS_S if tier >= after_s), DELAY_TIERS_S[-1])


@dataclass(frozen=True)
class Exchange:
    name: str
    type: Literal["direct", "fanout"]


@dataclass(frozen=True)
class Queue:
    name: str
    arguments: dict[str, Argument] = field(default_factory=dict)


@dataclass(frozen=True)
class Binding:
    exchange: str
    queue: str
    routing_key: str


@dataclass(frozen=True)
class Topology:
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]


def topology(history_max_bytes: int = 8 * 1024**3, history_max_age: str = "30D") -> Topology:
    """Everything Slipway declares, in the order of declaration: a dead-letter queue stands before its source."""
    history = Queue(
        HISTORY,
        {
            "x-queue-type": "stream",
            "x-max-length-bytes": history_max_bytes,
            "x-max-age": history_max_age,
            "x-stream-max-segment-size-bytes": 64 * 1024**2,
        },
    )
    dead = [Queue(dead_queue(name), {"x-queue-type": "quorum", "x-delivery-limit": _NEVER}) for name in WORK_QUEUES]
    work = [
        Queue(
            name,
            {
                "x-queue-type": "quorum",
                "x-delivery-limit": _DELIVERY_LIMIT,
                "x-dead-letter-exchange": DEAD_EXCHANGE,
                "x-dead-letter-routing-key": name,
                **_AT_LEAST_ONCE,
            },
        )
        for name in WORK_QUEUES
    ]
    delays = [
        Queue(
            delay_name(tier),
            {
                "x-queue-type": "quorum",
                "x-message-ttl": tier * 1000,
                "x-dead-letter-exchange": RETRY_EXCHANGE,
                **_AT_LEAST_ONCE,
            },
        )
        for tier in DELAY_TIERS_S
    ]
    return Topology(
        exchanges=(
            Exchange(DEAD_EXCHANGE, "direct"),
            Exchange(RETRY_EXCHANGE, "direct"),
            Exchange(WORK_EXCHANGE, "direct"),
            *(Exchange(delay_name(tier), "fanout") for tier in DELAY_TIERS_S),
        ),
        queues=(history, *dead, *work, *delays),
        bindings=(
            *(Binding(DEAD_EXCHANGE, dead_queue(name), name) for name in WORK_QUEUES),
            *(Binding(DEAD_EXCHANGE, HISTORY, name) for name in WORK_QUEUES),
            *(Binding(RETRY_EXCHANGE, name, name) for name in WORK_QUEUES),
            *(Binding(WORK_EXCHANGE, name, name) for name in WORK_QUEUES),
            *(Binding(delay_name(tier), delay_name(tier), "") for tier in DELAY_TIERS_S),
        ),
    )


async def declare(channel: AbstractChannel, wanted: Topology) -> None:
    """Declare everything; harmless where it already stands. Raises ChannelPreconditionFailed where it differs."""
    for exchange in wanted.exchanges:
        await channel.declare_exchange(exchange.name, exchange.type, durable=True)
    bindings: dict[str, list[Binding]] = {}
    for binding in wanted.bindings:
        bindings.setdefault(binding.queue, []).append(binding)
    # bindings into a dead-letter target first, so that a source queue never has nowhere to give up to
    for queue in wanted.queues:
        declared = await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
        for binding in bindings.get(queue.name, ()):
            await declared.bind(binding.exchange, binding.routing_key)

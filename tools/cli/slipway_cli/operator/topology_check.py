"""Compares what the broker has with the topology that Slipway declares; changes nothing."""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import quote, unquote, urlsplit

import httpx
from aio_pika.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from slipway_cli.operator.errors import OperatorError
from slipway_common.bus import Bus
from slipway_common.topology import Binding, Exchange, Queue, Topology

_TIMEOUT_S = 10.0


class _Bound(BaseModel):
    """A binding as the management API tells it (GET /api/bindings/<vhost>)."""

    model_config = ConfigDict(extra="ignore")

    source: str
    destination: str
    destination_type: str
    routing_key: str


async def differing_objects(bus: Bus, wanted: Topology) -> list[str]:
    """What is missing or differs among exchanges and queues; nothing is declared that is not there.

    The broker does the comparing: a declaration of what exists changes nothing and is refused where an argument differs
    (AMQP 0-9-1 reference, queue.declare: precondition-failed).
    """
    objects: Sequence[Exchange | Queue] = (*wanted.exchanges, *wanted.queues)
    return [problem for item in objects if (problem := await _difference(bus, item))]


async def _difference(bus: Bus, item: Exchange | Queue) -> str:
    kind = "exchange" if isinstance(item, Exchange) else "queue"
    async with bus.open_channel("topology") as channel:  # a refusal closes the channel
        try:
            if isinstance(item, Exchange):
                await channel.get_exchange(item.name, ensure=True)
                await channel.declare_exchange(item.name, item.type, durable=True)
            else:
                await channel.get_queue(item.name, ensure=True)
                await channel.declare_queue(item.name, durable=True, arguments=dict(item.arguments))
        except ChannelNotFoundEntity:
            return f"{kind} {item.name}: missing"
        except ChannelPreconditionFailed as error:
            return f"{kind} {item.name}: {error}"
    return ""


async def differing_bindings(management_url: str, amqp_url: str, wanted: Topology) -> list[str]:
    """Bindings that are missing, and those at Slipway's exchanges that do not belong there. Raises OperatorError."""
    parts = urlsplit(amqp_url)
    vhost = unquote(parts.path[1:]) if len(parts.path) > 1 else "/"
    url = f"{management_url}/api/bindings/{quote(vhost, safe='')}"
    user = (unquote(parts.username or "guest"), unquote(parts.password or "guest"))
    try:
        async with httpx.AsyncClient(auth=user, timeout=_TIMEOUT_S, trust_env=False) as client:
            answer = await client.get(url)
        if answer.status_code != HTTPStatus.OK:
            raise OperatorError(
                f"the management API at {management_url} answers {answer.status_code} to {parts.username}"
            )
        found = TypeAdapter(list[_Bound]).validate_json(answer.content)
    except httpx.HTTPError as error:
        raise OperatorError(f"the management API at {management_url} does not answer: {type(error).__name__}") from None
    except ValidationError:
        raise OperatorError(f"what answers at {management_url} is not RabbitMQ's management API") from None
    return compare_bindings(found, wanted)


def compare_bindings(found: Sequence[_Bound], wanted: Topology) -> list[str]:
    """One line for each binding that is missing or too many; other applications' exchanges are none of our business."""
    ours = {exchange.name for exchange in wanted.exchanges}
    there = {
        (Binding(one.source, one.destination, one.routing_key), one.destination_type)
        for one in found
        if one.source in ours
    }
    expected = {(binding, "queue") for binding in wanted.bindings}
    return [
        *(f"binding {_text(binding, kind)}: missing" for binding, kind in sorted(expected - there, key=str)),
        *(
            f"binding {_text(binding, kind)}: does not belong there"
            for binding, kind in sorted(there - expected, key=str)
        ),
    ]


def _text(binding: Binding, kind: str) -> str:
    return f"{binding.exchange} -[{binding.routing_key}]-> {kind} {binding.queue}"

"""The broker: whether it answers, which version it is, and whether its topology is the one that Slipway declares."""

import re

from slipway_cli.operator.doctor.finding import Finding, not_seen, ok, problem
from slipway_cli.operator.errors import OperatorError
from slipway_cli.operator.reach import Reach
from slipway_cli.operator.topology_check import differing_bindings, differing_objects

OLDEST = (3, 10)
"""At-least-once dead-lettering of quorum queues came with it."""
UNSOUND = ((4, 3, 0), (4, 3, 1), (4, 3, 2))
"""Their at-least-once dead-lettering can stick (RabbitMQ release notes of 4.3.3)."""
_SHOWN = 5


async def examine_broker(reach: Reach) -> list[Finding]:
    """Nothing is declared that is not there."""
    if not reach.amqp_url:
        way_out = "`./run up` brings a broker of its own; or set AMQP_URL"
        return [not_seen("broker", "AMQP_URL is not set and no `./run up` is running here", way_out)]
    try:
        async with reach.bus() as bus:
            async with bus.open_channel("doctor") as channel:
                told = (await channel.get_underlay_channel()).connection.server_properties.get("version", b"")
            version = told.decode() if isinstance(told, bytes) else str(told)
            found = [_judged(version)]
            differing = await differing_objects(bus, reach.topology)
        if reach.management_url:
            differing += await differing_bindings(reach.management_url, reach.amqp_url, reach.topology)
    except OperatorError as error:
        what, _, way_out = str(error).partition("; ")
        return [problem("broker", what, way_out or "see AMQP_URL and the broker's log")]
    return [*found, *_topology(differing, bindings_too=bool(reach.management_url))]


def _judged(version: str) -> Finding:
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if not numbers or numbers[:2] < OLDEST:
        return problem("broker", f"RabbitMQ {version or 'of unknown version'} is too old", "3.10 or newer is needed")
    if numbers in UNSOUND:
        return problem("broker", f"RabbitMQ {version} may keep dead letters back", "take 4.3.3 or newer, or 4.2")
    return ok("broker", f"RabbitMQ {version} answers")


def _topology(differing: list[str], *, bindings_too: bool) -> list[Finding]:
    if not differing:
        checked = "exchanges, queues and bindings are" if bindings_too else "exchanges and queues are"
        return [ok("topology", f"{checked} as they should be")]
    if all(one.endswith(": missing") for one in differing):
        way_out = "`slipway topology apply` declares what is missing, and so does every service when it starts"
    else:
        way_out = "`slipway topology check` lists all that differs; drain and delete such a queue, then apply again"
    more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
    return [problem("topology", "; ".join(differing[:_SHOWN]) + more, way_out)]

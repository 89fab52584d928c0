"""`slipway topology`: apply, check."""

import asyncio
from typing import Annotated

import typer
from aio_pika.exceptions import ChannelPreconditionFailed

from slipway_cli.operator.errors import OperatorError
from slipway_cli.operator.reach import find_running_system
from slipway_cli.operator.screen import write
from slipway_cli.operator.topology_check import differing_bindings, differing_objects
from slipway_common.topology import declare

topology_app = typer.Typer(no_args_is_help=True, help="The broker's exchanges, queues and bindings.")


@topology_app.command("apply")
def apply_command() -> None:
    """Declare what is missing. Every service does the same when it starts; nothing that exists is changed."""
    reach = find_running_system()

    async def ask() -> None:
        async with reach.bus() as bus, bus.open_channel("topology") as channel:
            try:
                await declare(channel, reach.topology)
            except ChannelPreconditionFailed as error:
                raise OperatorError(
                    f"the broker has it with other arguments: {error}. `slipway topology check` lists "
                    "all that differs; drain and delete the queue, then apply again"
                ) from None

    asyncio.run(ask())
    write(f"{len(reach.topology.exchanges)} exchanges, {len(reach.topology.queues)} queues are as they should be")


@topology_app.command("check")
def check_command(
    management_url: Annotated[
        str, typer.Option(help="where RabbitMQ's management API answers (for the bindings)")
    ] = "",
) -> None:
    """Compare the broker with the topology and say what differs; exit 1 if anything does. Changes nothing."""
    reach = find_running_system()

    async def ask() -> list[str]:
        async with reach.bus() as bus:
            return await differing_objects(bus, reach.topology)

    problems = asyncio.run(ask())
    api = (management_url or reach.management_url).rstrip("/")
    if api:
        problems += asyncio.run(differing_bindings(api, reach.amqp_url, reach.topology))
    for problem in problems:
        write(problem)
    if not api:
        write("bindings were not compared: no management API is known; give --management-url or MANAGEMENT_URL")
    if problems:
        raise typer.Exit(1)
    checked = "exchanges, queues and bindings are" if api else "exchanges and queues are"
    write(f"{checked} as they should be")

"""The world that the keys make, and whether what runs here is of it."""

from collections.abc import Mapping

import httpx

from slipway_cli.operator.doctor.finding import Finding, ok, problem
from slipway_cli.running import Running
from slipway_cli.worlds import World, WorldRefusedError, choose_world

_TIMEOUT_S = 10.0


def examine_world(variables: Mapping[str, str]) -> tuple[World | None, list[Finding]]:
    """The world of these variables; None where they make none."""
    try:
        world = choose_world(variables)
    except WorldRefusedError as error:
        what, _, way_out = str(error).partition(". " if ". " in str(error) else "; ")
        return None, [problem("world", what, way_out or "see .env.example")]
    imitated = "" if world.forge == "github" else "; nothing is published"
    return world, [ok("world", f"model: {world.model}, forge: {world.forge}{imitated}")]


async def examine_running(running: Running | None, world: World | None) -> list[Finding]:
    """Whether the system that `./run up` started here is ready, and of the world that the keys make now."""
    if running is None:
        return []
    found = [await _ready(running.url)]
    if world and (world.model, world.forge) != (running.model, running.forge):
        said = f"`./run up` was started with model: {running.model}, forge: {running.forge}"
        found.append(problem("running", said, "start it again: keys are read when it starts"))
    return found


async def _ready(url: str) -> Finding:
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
            answer = await client.get(f"{url}/health/ready")
    except httpx.HTTPError as error:
        said = f"the intake at {url} does not answer: {type(error).__name__}"
        return problem("running", said, "look at the screen of `./run up`, or at var/up/logs")
    if answer.status_code != httpx.codes.OK:
        return problem("running", f"the intake is not ready: {answer.text[:300]}", "`slipway status`, /logs")
    return ok("running", f"the intake at {url} is ready")

"""The count of a job's calls outlives the attempt: it goes with the event through every delay queue."""

from time import monotonic

import pytest
from model_world import a_chain
from shared_broker import SharedBroker
from stage_world import a_job, deployed, notified, open_vhost, running

from slipway_common.delivery import CARRIED, Delivery, Luggage, begin_attempt, carried, carry
from slipway_common.events import Deployed, ModelUse, Notified, Received
from slipway_common.stage import Pause, Reject, Retry, Stage
from slipway_generator.attachments.fetching import Fetcher
from slipway_generator.author import Author
from slipway_generator.browser import Inspector
from slipway_generator.generate import Tools, generate
from slipway_generator.proof import Prover
from slipway_generator.settings import GeneratorSettings
from slipway_sandbox.client import Sandbox


async def test_what_an_attempt_leaves_reaches_the_next_however_it_ends(broker: SharedBroker, worker_id: str) -> None:
    seen: list[str] = []
    ends = iter([Retry("later", after=0.1), Pause("no key"), ZeroDivisionError("of ours")])

    async def count(event: Deployed, _: None) -> Notified:
        seen.append(carried())
        carry(f"{carried()}+")
        for end in ends:
            raise end
        return notified(event)

    async def probe(_: None) -> None:
        return None

    async with open_vhost(broker.add_vhost(f"budget-{worker_id}")) as vhost:
        stage = Stage("notifier", Deployed, count, time_limit_s=5, probe=probe)
        async with running(vhost, stage):
            await vhost.send(deployed("counted"))
            following = await vhost.take("task.notified")
            assert CARRIED not in following.headers, "it belongs to the event of this stage, not to the next one's"
            await vhost.send(deployed("another"))
            await vhost.take("task.notified")
    assert seen == ["", "+", "++", "+++", ""]


@pytest.fixture
def event() -> Received:
    return Received(job=a_job(f"budget-{monotonic()}"), brief="Count the geese.")


@pytest.fixture
def settings(sandbox: Sandbox) -> GeneratorSettings:
    return GeneratorSettings.model_validate(
        {
            "amqp_url": "amqp://nowhere", "gemini_api_key": "k", "github_username": "sandbox",
            "github_git_url": sandbox.git_url, "max_model_calls": 3, "max_repairs": 5,
        }
    )  # fmt: skip


async def attempt(event: Received, settings: GeneratorSettings, sandbox: Sandbox, luggage: str = "") -> str:
    """One run of the stage's function; what it leaves to the next. Raises what the stage raises."""
    delivery = Delivery(luggage=Luggage(luggage))
    begin_attempt(delivery)
    async with a_chain(sandbox, "gemini-3.8-flash") as chain, Inspector(None) as inspector:
        author = Author(chain, Prover(inspector, "sandbox"), max_repairs=settings.max_repairs)
        try:
            await generate(event, Tools(settings, author, chain, Fetcher(1)))
        except Retry:
            return delivery.luggage.text
    raise AssertionError("it was meant to fail for now")


async def test_calls_of_an_earlier_attempt_count(
    event: Received, settings: GeneratorSettings, sandbox: Sandbox
) -> None:
    sandbox.script("Count the geese", ["rubbish"])
    sandbox.fault("gemini", "rate_limit", times=None, skip=2, retry_s=60)
    left = await attempt(event, settings, sandbox)
    used = ModelUse.model_validate_json(left)
    assert (used.calls, used.models) == (2, ("gemini-3.8-flash",))
    assert used.cost_usd is not None
    sandbox.remove_faults()
    with pytest.raises(Reject, match="all 3 model calls of this job are used"):
        await attempt(event, settings, sandbox, left)
    assert len(sandbox.replies()) == 3


async def test_calls_before_a_hand_back_count(event: Received, settings: GeneratorSettings, sandbox: Sandbox) -> None:
    sandbox.script("Count the geese", ["rubbish"])
    again = event.model_copy(update={"hand_backs": 1, "spent": ModelUse(models=("m",), calls=2)})
    with pytest.raises(Reject, match="all 3 model calls"):
        await attempt(again, settings, sandbox)
    assert len(sandbox.replies()) == 1


async def test_a_count_that_cannot_be_read_begins_anew(
    event: Received, settings: GeneratorSettings, sandbox: Sandbox
) -> None:
    sandbox.script("Count the geese", ["rubbish"])
    with pytest.raises(Reject):
        await attempt(event, settings, sandbox, "not a count")
    assert len(sandbox.replies()) == 3

"""What deployer and doctor ask of GitHub, and what the sandbox answers, against models of GitHub's OpenAPI description.

The models are generated from the description of REST version 2022-11-28 (githubkit-schemas), which the deployer names.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from deployer_world import DeployerWorld, deployer_world, made, new_job
from githubkit_schemas.v2022_11_28 import models
from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError

from slipway_cli.operator.doctor.github import examine_github
from slipway_common.stage import Outcome
from slipway_deployer.deploy import check_forge, deploy
from slipway_sandbox.client import Sandbox
from slipway_sandbox.process import running_sandbox

Models = tuple[type[BaseModel], ...]
WORKFLOW = b"on: push\njobs: {}\n"


@dataclass(frozen=True)
class Operation:
    """One call of the description: any of `asks` is a valid body (none: no body), any of an answer's its answer."""

    method: str
    path: str
    asks: Models
    answers: dict[int, Models] = field(default_factory=dict)


ERROR: Models = (models.BasicError,)
USER: Models = (models.PrivateUser, models.PublicUser)
Repositories = RootModel[list[models.Repository]]
INVALID: Models = (models.ValidationError, models.ValidationErrorSimple)
OPERATIONS = (
    Operation("GET", "/user", (), {200: USER, 401: ERROR, 403: ERROR}),
    Operation("GET", "/rate_limit", (), {200: (models.RateLimitOverview,)}),
    Operation("GET", "/users/[^/]+", (), {200: USER, 404: ERROR}),
    Operation("GET", "/user/memberships/orgs/[^/]+", (), {200: (models.OrgMembership,)}),
    Operation("GET", "/user/repos", (), {200: (Repositories,)}),
    Operation("GET", "/repos/[^/]+/[^/]+/actions/permissions", (), {200: (models.ActionsRepositoryPermissions,)}),
    Operation("GET", "/repos/[^/]+/[^/]+/pages/builds", (), {200: (RootModel[list[models.PageBuild]],)}),
    Operation("POST", "/user/repos", (models.UserReposPostBody,), {201: (models.FullRepository,), 422: INVALID}),
    Operation("POST", "/orgs/[^/]+/repos", (models.OrgsOrgReposPostBody,), {201: (models.FullRepository,)}),
    Operation("GET", "/repos/[^/]+/[^/]+", (), {200: (models.FullRepository,), 404: ERROR}),
    Operation(
        "POST",
        "/repos/[^/]+/[^/]+/pages",
        (models.ReposOwnerRepoPagesPostBodyAnyof0, models.ReposOwnerRepoPagesPostBodyAnyof1),
        {201: (models.Page,), 409: ERROR},
    ),
    Operation(
        "PUT",
        "/repos/[^/]+/[^/]+/pages",
        (models.ReposOwnerRepoPagesPutBodyAnyof0, models.ReposOwnerRepoPagesPutBodyAnyof1),
        {204: ()},
    ),
    Operation("GET", "/repos/[^/]+/[^/]+/pages", (), {200: (models.Page,), 404: ERROR}),
    Operation("GET", "/repos/[^/]+/[^/]+/pages/builds/latest", (), {200: (models.PageBuild,)}),
    Operation("POST", "/repos/[^/]+/[^/]+/pages/builds", (), {201: (models.PageBuildStatus,)}),
)


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, as they were on the wire."""

    method: str
    path: str
    version: str | None
    body: bytes
    status: int
    answer: bytes

    @property
    def operation(self) -> Operation:
        """Fails for a request that the description is not known to have."""
        found = [o for o in OPERATIONS if o.method == self.method and re.fullmatch(o.path, self.path)]
        assert len(found) == 1, f"{self.method} {self.path}"
        return found[0]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path, arguments=("--pages-build", "0")) as running:
        yield running


class Relay:
    """Stands between the deployer and the sandbox's REST interface and writes down what passes."""

    def __init__(self, api_url: str) -> None:
        self.exchanges: list[Exchange] = []
        self._api_url = api_url

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Its address while the block runs."""
        async with httpx.AsyncClient(trust_env=False) as client:
            self._client = client
            app = web.Application()
            app.router.add_route("*", "/api/{tail:.*}", self._pass_on)
            runner = web.AppRunner(app)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                yield f"http://127.0.0.1:{runner.addresses[0][1]}/api"
            finally:
                await runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.Response:
        body, path = await request.read(), request.path.removeprefix("/api")
        kept = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        answer = await self._client.request(request.method, self._api_url + path, content=body, headers=kept)
        version = request.headers.get("X-GitHub-Api-Version")
        self.exchanges.append(Exchange(request.method, path, version, body, answer.status_code, answer.content))
        told = {name: answer.headers[name] for name in ("Content-Type",) if name in answer.headers}
        return web.Response(status=answer.status_code, body=answer.content, headers=told)


def fits(data: bytes, allowed: Models) -> None:
    """Fails with every model's reasons when the JSON is none of them."""
    reasons = []
    for model in allowed:
        try:
            model.model_validate_json(data)
        except ValidationError as error:
            reasons.append(str(error))
        else:
            return
    raise AssertionError("\n".join(reasons) or f"nothing is expected here: {data!r}")


def known_fields(allowed: Models) -> set[str]:
    return {info.alias or name for model in allowed for name, info in model.model_fields.items()}


async def every_call(world: DeployerWorld) -> None:
    """Makes the deployer use everything of GitHub that it ever uses, refusals included."""
    sandbox = world.sandbox
    await check_forge(world.tools)
    job = new_job()
    await world.deploy(made(job))
    with_workflow = {".github/workflows/ci.yml": WORKFLOW}
    await world.deploy(made(new_job(job.task, round_=2), with_workflow, base=await world.head(job)))
    await world.deploy(made(new_job(job.task, nonce="again")))  # the name is taken, by us
    await world.tools.github.create_pages(world.project(job).name, "legacy")  # there already
    assert await world.tools.github.repository("not-there") is None
    assert await world.tools.github.pages("not-there") is None
    sandbox.fault("pages", "errored")
    await world.deploy(made(new_job()))


async def examine(sandbox: Sandbox, api_url: str, token: str, owner: str) -> None:
    """What `slipway doctor` asks for."""
    addresses = {"GITHUB_API_URL": api_url, "GITHUB_GIT_URL": sandbox.git_url}
    assert await examine_github({"GITHUB_TOKEN": token, "GITHUB_USERNAME": owner, **addresses})


async def test_requests_and_answers_are_those_of_githubs_description(sandbox: Sandbox) -> None:
    relay = Relay(sandbox.api_url)
    async with relay.listening() as api_url:
        async with deployer_world(sandbox, github_api_url=api_url, pages_wait_s=0.6) as world:
            await every_call(world)
        async with deployer_world(sandbox, github_api_url=api_url, github_username="sandbox-org") as world:
            await world.deploy(made(new_job()))
        async with deployer_world(sandbox, github_api_url=api_url, github_token="bad-token") as world:
            with pytest.raises(Outcome):
                await deploy(made(new_job()), world.tools)
        for token, owner in (("github_pat_" + "x" * 40, "sandbox"), ("ghs_x", "sandbox-org"), ("x", "sandbox-org")):
            await examine(sandbox, api_url, token, owner)
        await examine(sandbox, api_url, "x", "nobody")
    seen: set[tuple[str, str, int]] = set()
    for exchange in relay.exchanges:
        operation = exchange.operation
        seen.add((operation.method, operation.path, exchange.status))
        assert exchange.version == "2022-11-28"
        if operation.asks:
            fits(exchange.body, operation.asks)
            fields = TypeAdapter(dict[str, object]).validate_json(exchange.body)
            assert set(fields) <= known_fields(operation.asks)
        else:
            assert exchange.body in (b"", b"null")
        assert exchange.status in operation.answers, f"{exchange.method} {exchange.path} answered {exchange.status}"
        if operation.answers[exchange.status]:
            fits(exchange.answer, operation.answers[exchange.status])
        else:
            assert exchange.answer == b""
    assert seen == {(o.method, o.path, status) for o in OPERATIONS for status in o.answers}

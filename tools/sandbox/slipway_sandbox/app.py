"""Wires the parts of the sandbox into one aiohttp application."""

from aiohttp import web
from aiohttp.typedefs import Middleware

from slipway_sandbox.control import Control
from slipway_sandbox.evaluator import Evaluator
from slipway_sandbox.faults import board
from slipway_sandbox.faults import common as _common  # noqa: F401 - registers its faults
from slipway_sandbox.faults import evaluator as _evaluator  # noqa: F401
from slipway_sandbox.faults import gemini as _gemini  # noqa: F401
from slipway_sandbox.faults import github as _github  # noqa: F401
from slipway_sandbox.faults import openai as _openai  # noqa: F401
from slipway_sandbox.faults import pages as _pages  # noqa: F401
from slipway_sandbox.gemini import Gemini
from slipway_sandbox.git import Git
from slipway_sandbox.github import GitHub
from slipway_sandbox.github_accounts import GitHubAccounts
from slipway_sandbox.github_api import Front
from slipway_sandbox.github_pages import GitHubPages
from slipway_sandbox.openai import OpenAI
from slipway_sandbox.pages import Pages
from slipway_sandbox.world import World

_LARGEST_BODY = 128 * 1024 * 1024


def make_app(world: World) -> web.Application:
    """The whole outside world. What is recorded is what was really answered: faults act inside the records."""
    evaluator = Evaluator(world.records)
    middlewares: list[Middleware] = [world.records.observe, evaluator.observe, board.middleware(world)]
    app = web.Application(middlewares=middlewares, client_max_size=_LARGEST_BODY)
    front = Front(world)
    # GitHub answers whatever else is below /api, so it comes last.
    rest = (GitHubPages(world, front), GitHubAccounts(world, front), GitHub(world, front))
    for part in (evaluator, Gemini(world), OpenAI(world), *rest, Git(world), Pages(world), Control(world)):
        app.add_routes(part.routes())
    return app

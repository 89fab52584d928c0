"""The token: whether it is valid, of which kind, what it may do, and for whom it may make repositories."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from slipway_cli.operator.doctor.finding import Finding, not_seen, ok, problem

API = "https://api.github.com"
GIT = "https://github.com"
SCOPES = {
    "repo": "to make repositories and their Pages sites, and to push",
    "workflow": "to push what a task attaches below .github/workflows/",
}
PERMISSIONS = "Administration, Contents, Pages and Workflows: read and write, for all repositories"
# https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
KINDS = {
    "ghp_": "classic token",
    "github_pat_": "fine-grained token",
    "ghs_": "installation token",
    "gho_": "OAuth token",
    "ghu_": "user token of an app",
}
# Reads that need a permission even where the repository is public
# (https://docs.github.com/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens).
PROBES = {"Administration": "actions/permissions", "Pages": "pages/builds"}
_NEW_TOKEN = "https://github.com/settings/tokens"  # noqa: S105 (where tokens are made)
_TIMEOUT_S = 20.0
_API_VERSION = "2022-11-28"
_MARK = "[slipway:"


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Account(_Answer):
    login: str
    type: str = "User"


class _Membership(_Answer):
    state: str
    role: str


class _Repository(_Answer):
    name: str
    description: str | None = None
    owner: _Account


class _Refusal(_Answer):
    message: str = "no reason given"


@dataclass(frozen=True)
class _Place:
    """Where GitHub answers."""

    api: str
    git: str


async def examine_github(variables: Mapping[str, str]) -> list[Finding]:
    """Reads only: all that can be seen without writing; what cannot be seen is said."""
    token, owner = variables.get("GITHUB_TOKEN", "").strip(), variables.get("GITHUB_USERNAME", "").strip()
    if not token:
        return []
    place = _Place(
        (variables.get("GITHUB_API_URL") or API).rstrip("/"), (variables.get("GITHUB_GIT_URL") or GIT).rstrip("/")
    )
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": _API_VERSION,
    }
    try:
        async with httpx.AsyncClient(base_url=place.api, headers=headers, timeout=_TIMEOUT_S) as client:
            return await _examine(client, place, token, owner)
    except httpx.HTTPError as error:
        way_out = "look at the network, a proxy, GITHUB_API_URL"
        return [problem("token", f"{place.api} does not answer: {type(error).__name__}", way_out)]
    except ValidationError:
        return [problem("token", f"what answers at {place.api} is not GitHub", "look at GITHUB_API_URL")]


async def _examine(client: httpx.AsyncClient, place: _Place, token: str, owner: str) -> list[Finding]:
    answer = await client.get("/user")
    kind = next((kind for prefix, kind in KINDS.items() if token.startswith(prefix)), "token")
    # an installation is no user, so it may not ask which one it is
    installation = answer.status_code == httpx.codes.FORBIDDEN and kind == KINDS["ghs_"]
    if not installation and answer.status_code != httpx.codes.OK:
        return [_refused(answer, place)]
    login = "" if installation else _Account.model_validate_json(answer.content).login
    scopes = answer.headers.get("X-OAuth-Scopes")
    found = [_who(answer, "classic token" if scopes is not None and kind == "token" else kind, login)]
    if scopes is not None:
        found.append(_scopes({scope.strip() for scope in scopes.split(",")} - {""}))
    if not owner:
        return [*found, problem("owner", "GITHUB_USERNAME is missing", "name who is to own the repositories")]
    found += await _owner(client, login, owner)
    if scopes is None and not installation and all(finding.level != "problem" for finding in found):
        found += await _permissions(client, place, token, owner)
    return found


def _refused(answer: httpx.Response, place: _Place) -> Finding:
    status = answer.status_code
    if status == httpx.codes.UNAUTHORIZED:
        said = f"GITHUB_TOKEN is refused by {place.api} (401): mistyped, expired or revoked"
        return problem("token", said, f"make a new one at {_NEW_TOKEN}")
    if status >= 500 or answer.headers.get("X-RateLimit-Remaining") == "0" or "Retry-After" in answer.headers:
        return not_seen("token", f"{place.api} answers {status} for now", "try again later")
    return problem("token", f"{place.api} answers {status}: {_words(answer)}", f"make a new token at {_NEW_TOKEN}")


def _who(answer: httpx.Response, kind: str, login: str) -> Finding:
    ends = answer.headers.get("GitHub-Authentication-Token-Expiration")
    if not login:
        # https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
        return ok("token", f"{kind}, valid; it ends an hour after it was made, so a service should have another kind")
    return ok("token", f"{kind} of {login}, valid{f' until {ends}' if ends else ''}")


def _scopes(scopes: set[str]) -> Finding:
    missing = {scope: why for scope, why in SCOPES.items() if scope not in scopes}
    if not missing:
        return ok("scopes", ", ".join(sorted(scopes)))
    said = "; ".join(f"{scope} is missing ({why})" for scope, why in missing.items())
    return problem("scopes", said, f"edit the token at {_NEW_TOKEN} and tick it; its value stays")


async def _owner(client: httpx.AsyncClient, login: str, owner: str) -> list[Finding]:
    """Whether the token can make repositories for the owner, who is its user or an organisation."""
    if login and login.casefold() == owner.casefold():
        return [ok("owner", f"{owner} is the token's user")]
    answer = await client.get(f"/users/{owner}")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return [problem("owner", f"there is no user or organisation {owner}", "correct GITHUB_USERNAME")]
    answer.raise_for_status()
    if _Account.model_validate_json(answer.content).type != "Organization":
        whose = f"the token of {login}" if login else "an installation token"
        way_out = f"use a classic or fine-grained token of {owner}" + (f", or GITHUB_USERNAME={login}" if login else "")
        return [problem("owner", f"{whose} cannot make repositories for the user {owner}", way_out)]
    if not login:
        return [not_seen("owner", f"whether the app may make repositories in {owner}", f"it needs {PERMISSIONS}")]
    return [await _membership(client, login, owner)]


async def _membership(client: httpx.AsyncClient, login: str, owner: str) -> Finding:
    answer = await client.get(f"/user/memberships/orgs/{owner}")
    if answer.status_code == httpx.codes.OK:
        found = _Membership.model_validate_json(answer.content)
        if found.state != "active":
            return problem("owner", f"{login}'s membership of {owner} is {found.state}", "accept the invitation")
        if found.role == "admin":
            return ok("owner", f"{login} is an owner of the organisation {owner}")
    way_out = f"in {owner}'s settings, members must be allowed to create public repositories"
    if answer.status_code == httpx.codes.OK:
        return not_seen("owner", f"{login} is a member of {owner}; whether members may make repositories", way_out)
    return not_seen("owner", f"whether {login} may make repositories in the organisation {owner}", way_out)


async def _permissions(client: httpx.AsyncClient, place: _Place, token: str, owner: str) -> list[Finding]:
    """Fine-grained permissions are told nowhere: reads that need them are tried on a repository of the owner's."""
    name = await _repository(client, owner)
    if name is None:
        said = f"the permissions: {owner} has no repository yet that the token sees, to try them on"
        return [not_seen("scopes", said, f"it needs {PERMISSIONS}")]
    refused = [
        permission
        for permission, path in PROBES.items()
        if (await client.get(f"/repos/{owner}/{name}/{path}")).status_code == httpx.codes.FORBIDDEN
    ]
    git = await client.get(
        f"{place.git}/{owner}/{name}/info/refs?service=git-receive-pack", auth=("x-access-token", token)
    )
    if git.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        refused.append("Contents")
    if refused:
        said = f"{' and '.join(sorted(refused))} refused on {owner}/{name}"
        return [problem("scopes", said, f"give the token {PERMISSIONS}, at {_NEW_TOKEN}")]
    return [
        ok("scopes", f"reading Administration and Pages, and pushing, are allowed on {owner}/{name}"),
        not_seen("scopes", "writing Administration, Pages and Workflows, which only a deployment tries"),
    ]


async def _repository(client: httpx.AsyncClient, owner: str) -> str | None:
    """One of the owner's that the token sees, best one of our own."""
    answer = await client.get("/user/repos", params={"per_page": 100, "sort": "pushed"})
    if answer.status_code != httpx.codes.OK:
        return None
    seen = TypeAdapter(list[_Repository]).validate_json(answer.content)
    theirs = [repository for repository in seen if repository.owner.login.casefold() == owner.casefold()]
    theirs.sort(key=lambda repository: _MARK not in (repository.description or ""))
    return theirs[0].name if theirs else None


def _words(answer: httpx.Response) -> str:
    try:
        return _Refusal.model_validate_json(answer.content).message[:200]
    except ValidationError:
        return "no reason given"

"""What GitHub's REST answers look like: https://docs.github.com/rest, in the shapes of its OpenAPI description."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from slipway_sandbox.objects import Commit, Entry, Person
from slipway_sandbox.repositories import BuildRecord, PagesSite, Repository

Json = dict[str, object]

_USER_LINKS = (
    "followers_url:/followers", "following_url:/following{/other_user}", "gists_url:/gists{/gist_id}",
    "starred_url:/starred{/owner}{/repo}", "subscriptions_url:/subscriptions", "organizations_url:/orgs",
    "repos_url:/repos", "events_url:/events{/privacy}", "received_events_url:/received_events",
)  # fmt: skip
_ORGANIZATION_LINKS = (
    "repos_url:/repos", "events_url:/events", "hooks_url:/hooks", "issues_url:/issues",
    "members_url:/members{/member}", "public_members_url:/public_members{/member}",
)  # fmt: skip
_REPOSITORY_LINKS = (
    "archive_url:/{archive_format}{/ref}", "assignees_url:/assignees{/user}", "blobs_url:/git/blobs{/sha}",
    "branches_url:/branches{/branch}", "collaborators_url:/collaborators{/collaborator}",
    "comments_url:/comments{/number}", "commits_url:/commits{/sha}", "compare_url:/compare/{base}...{head}",
    "contents_url:/contents/{+path}", "contributors_url:/contributors", "deployments_url:/deployments",
    "downloads_url:/downloads", "events_url:/events", "forks_url:/forks", "git_commits_url:/git/commits{/sha}",
    "git_refs_url:/git/refs{/sha}", "git_tags_url:/git/tags{/sha}", "hooks_url:/hooks",
    "issue_comment_url:/issues/comments{/number}", "issue_events_url:/issues/events{/number}",
    "issues_url:/issues{/number}", "keys_url:/keys{/key_id}", "labels_url:/labels{/name}",
    "languages_url:/languages", "merges_url:/merges", "milestones_url:/milestones{/number}",
    "notifications_url:/notifications{?since,all,participating}", "pulls_url:/pulls{/number}",
    "releases_url:/releases{/id}", "stargazers_url:/stargazers", "statuses_url:/statuses/{sha}",
    "subscribers_url:/subscribers", "subscription_url:/subscription", "tags_url:/tags", "teams_url:/teams",
    "trees_url:/git/trees{/sha}",
)  # fmt: skip


@dataclass(frozen=True)
class Host:
    """The address under which the request came, so that every link in the answer leads back to it."""

    base: str

    @property
    def api(self) -> str:
        return f"{self.base}/api"

    def repository(self, repository: Repository) -> str:
        return f"{self.api}/repos/{repository.full_name}"

    def git(self, repository: Repository) -> str:
        return f"{self.base}/git/{repository.full_name}"

    def pages(self, repository: Repository) -> str:
        return f"{self.base}/pages/{repository.full_name}/"


def moment(at: float | datetime) -> str:
    """UTC to the second, with a Z."""
    value = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node(kind: str, value: object) -> str:
    return base64.b64encode(f"{kind}:{value}".encode()).decode()


def account_id(login: str) -> int:
    """The same for a login in every run."""
    return int.from_bytes(hashlib.sha256(login.lower().encode()).digest()[:3]) + 1


def _links(url: str, links: tuple[str, ...]) -> dict[str, str]:
    return {key: url + path for key, _, path in (link.partition(":") for link in links)}


def account(host: Host, login: str, *, organization: bool) -> Json:
    """GitHub's `simple-user`."""
    url = f"{host.api}/users/{login}"
    number = account_id(login)
    return {
        "login": login,
        "id": number,
        "node_id": node("User", number),
        "avatar_url": f"{host.base}/avatars/{number}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{host.base}/git/{login}",
        **_links(url, _USER_LINKS),
        "type": "Organization" if organization else "User",
        "user_view_type": "public",
        "site_admin": False,
    }


def public_user(host: Host, login: str, repositories: int, *, organization: bool = False) -> Json:
    """GitHub's `public-user`: an account, as GET /user gives it too to a token without the scope `user`."""
    return account(host, login, organization=organization) | {
        "name": login,
        "company": None,
        "blog": "",
        "location": None,
        "email": None,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": repositories,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z",
    }


def membership(host: Host, login: str, organization: str) -> Json:
    """GitHub's `org-membership`, of an owner of the organisation."""
    url, number = f"{host.api}/orgs/{organization}", account_id(organization)
    return {
        "url": f"{url}/memberships/{login}",
        "state": "active",
        "role": "admin",
        "organization_url": url,
        "organization": {
            "login": organization,
            "id": number,
            "node_id": node("Organization", number),
            "url": url,
            **_links(url, _ORGANIZATION_LINKS),
            "avatar_url": f"{host.base}/avatars/{number}",
            "description": None,
        },
        "user": account(host, login, organization=False),
    }


def repository(host: Host, repo: Repository) -> Json:
    """GitHub's `full-repository`."""
    url = host.repository(repo)
    html = host.git(repo)
    shown: Json = {
        "id": repo.id,
        "node_id": node("Repository", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": account(host, repo.owner, organization=repo.organization),
        "html_url": html,
        "description": repo.description,
        "fork": False,
        "url": url,
        **_links(url, _REPOSITORY_LINKS),
        "created_at": moment(repo.created_at),
        "updated_at": moment(repo.updated_at),
        "pushed_at": moment(repo.pushed_at),
        "git_url": html.replace("http", "git", 1) + ".git",
        "ssh_url": f"git@sandbox.invalid:{repo.full_name}.git",
        "clone_url": f"{html}.git",
        "svn_url": html,
        "homepage": repo.homepage,
        "size": 0,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": None,
        "has_issues": True,
        "has_projects": True,
        "has_downloads": True,
        "has_wiki": True,
        "has_pages": repo.pages is not None,
        "has_discussions": False,
        "forks_count": 0,
        "mirror_url": None,
        "archived": repo.archived,
        "disabled": False,
        "open_issues_count": 0,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "private" if repo.private else "public",
        "forks": 0,
        "open_issues": 0,
        "watchers": 0,
        "default_branch": repo.default_branch,
        "permissions": {"admin": True, "maintain": True, "push": True, "triage": True, "pull": True},
        "temp_clone_token": "",
        "allow_squash_merge": True,
        "allow_merge_commit": True,
        "allow_rebase_merge": True,
        "allow_auto_merge": False,
        "delete_branch_on_merge": False,
        "network_count": 0,
        "subscribers_count": 0,
    }
    if repo.organization:
        shown["organization"] = account(host, repo.owner, organization=True)
    return shown


def pages(host: Host, repo: Repository, site: PagesSite, at: float) -> Json:
    """GitHub's `page`. `status` is null until there is a build."""
    return {
        "url": f"{host.repository(repo)}/pages",
        "status": site.builds[-1].status(at) if site.builds else None,
        "cname": None,
        "custom_404": False,
        "html_url": host.pages(repo),
        "build_type": site.build_type,
        "source": {"branch": site.branch, "path": site.path},
        "public": True,
        "https_enforced": True,
    }


def page_build(host: Host, repo: Repository, build: BuildRecord, at: float) -> Json:
    """GitHub's `page-build`; the duration is in milliseconds."""
    ended = min(at, build.ready_at) if build.ready_at is not None else at
    return {
        "url": f"{host.repository(repo)}/pages/builds/{build.id}",
        "status": build.status(at),
        "error": {"message": build.error if build.status(at) == "errored" else None},
        "pusher": account(host, repo.owner, organization=repo.organization),
        "commit": build.commit,
        "duration": int(1000 * (ended - build.queued_at)),
        "created_at": moment(build.queued_at),
        "updated_at": moment(ended),
    }


def _git_person(person: Person) -> Json:
    return {"name": person.name, "email": person.email, "date": moment(person.at)}


def commit(host: Host, repo: Repository, found: Commit) -> Json:
    """GitHub's `commit`, without the list of changed files."""
    url = host.repository(repo)
    html = host.git(repo)
    return {
        "sha": found.sha,
        "node_id": node("Commit", found.sha),
        "commit": {
            "author": _git_person(found.author),
            "committer": _git_person(found.committer),
            "message": found.message.removesuffix("\n"),
            "tree": {"sha": found.tree, "url": f"{url}/git/trees/{found.tree}"},
            "url": f"{url}/git/commits/{found.sha}",
            "comment_count": 0,
            "verification": {
                "verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None,
            },
        },
        "url": f"{url}/commits/{found.sha}",
        "html_url": f"{html}/commit/{found.sha}",
        "comments_url": f"{url}/commits/{found.sha}/comments",
        "author": None,
        "committer": None,
        "parents": [
            {"sha": parent, "url": f"{url}/commits/{parent}", "html_url": f"{html}/commit/{parent}"}
            for parent in found.parents
        ],
    }  # fmt: skip


def content(host: Host, repo: Repository, ref: str, path: str, *, entry: Entry, data: bytes | None = None) -> Json:
    """GitHub's `content-file` (with `data`) or one entry of `content-directory` (without)."""
    folder = entry.kind == "tree"
    url = f"{host.repository(repo)}/contents/{path}?ref={ref}"
    git = f"{host.repository(repo)}/git/{'trees' if folder else 'blobs'}/{entry.sha}"
    html = f"{host.git(repo)}/{'tree' if folder else 'blob'}/{ref}/{path}"
    shown: Json = {
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": entry.sha,
        "size": entry.size,
        "url": url,
        "html_url": html,
        "git_url": git,
        "download_url": None,
        "type": "dir" if folder else "file",
        "_links": {"self": url, "git": git, "html": html},
    }
    if data is not None:
        shown |= {"content": base64.encodebytes(data).decode(), "encoding": "base64"}
    return shown

"""Where one project is: its repository and its page, by their public addresses."""

from dataclasses import dataclass

from slipway_common.events import Job
from slipway_common.git_http import repository_url
from slipway_common.naming import repository_description, repository_name
from slipway_deployer.settings import DeployerSettings

_GITHUB_API = "https://api.github.com"
_GITHUB_PAGES = "https://{owner}.github.io/{repo}/"


@dataclass(frozen=True)
class Project:
    """`pages_url` ends with a slash; empty: the host of Pages is not known and GitHub has to be asked."""

    owner: str
    name: str
    description: str
    git_url: str
    repo_url: str
    pages_url: str


def project_of(job: Job, settings: DeployerSettings) -> Project:
    owner, name = settings.github_username, repository_name(job.email, job.task)
    template = settings.github_pages_url
    if not template and settings.github_api_url.rstrip("/") == _GITHUB_API:
        template, owner_part = _GITHUB_PAGES, owner.lower()
    else:
        owner_part = owner
    pages_url = template.replace("{owner}", owner_part).replace("{repo}", name)
    return Project(
        owner=owner,
        name=name,
        description=repository_description(job.email, job.task),
        git_url=settings.github_git_url,
        repo_url=repository_url(settings.github_git_url, owner, name),
        pages_url=pages_url if not pages_url or pages_url.endswith("/") else f"{pages_url}/",
    )

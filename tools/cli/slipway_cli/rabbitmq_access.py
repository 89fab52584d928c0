"""Who may use which vhost of a broker: as definitions imported when it boots, and over the management API."""

import base64
import hashlib
from collections.abc import Sequence
from urllib.parse import quote

import httpx

ALL_RIGHTS = {"configure": ".*", "write": ".*", "read": ".*"}


def definitions(user: str, password: str, vhosts: Sequence[str]) -> dict[str, object]:
    """What the broker imports when it boots, in the form of its definitions export."""
    salt = hashlib.sha256(password.encode()).digest()[:4]  # fixed by the password: a second import changes nothing
    return {
        "users": [
            {
                "name": user,
                "password_hash": base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode(),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": ["administrator"],
            }
        ],
        "vhosts": [{"name": vhost} for vhost in vhosts],
        "permissions": [{"vhost": vhost, "user": user, **ALL_RIGHTS} for vhost in vhosts],
    }


def add_vhost_over_http(management_url: str, user: str, password: str, vhost: str) -> None:
    """Adds a vhost that `user` may use, over the management API. Raises httpx.HTTPError."""
    name = quote(vhost, safe="")
    with httpx.Client(base_url=f"{management_url}/api", auth=(user, password), timeout=30) as client:
        client.put(f"/vhosts/{name}").raise_for_status()
        client.put(f"/permissions/{name}/{quote(user, safe='')}", json=ALL_RIGHTS).raise_for_status()


def remove_vhost_over_http(management_url: str, user: str, password: str, vhost: str) -> None:
    """Removes a vhost with all that is in it. Raises httpx.HTTPError."""
    with httpx.Client(base_url=f"{management_url}/api", auth=(user, password), timeout=30) as client:
        client.delete(f"/vhosts/{quote(vhost, safe='')}").raise_for_status()

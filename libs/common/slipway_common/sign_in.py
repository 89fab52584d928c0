"""One-time sign-in codes: they let a browser in without the admin token ever standing in a URL."""

import hashlib
import hmac
import secrets
import time

# a code may be printed shortly before the intake that shall take it is up
_SLACK_S = 120.0


def sign_in_code(admin_token: str) -> str:
    """A code for `/?token=...`, good once, for an intake with the same admin token that is starting or running now."""
    stem = f"{int(time.time())}-{secrets.token_hex(8)}"
    return f"{stem}-{_signature(stem, admin_token)}"


class SignInCodes:
    """Takes each code once. Codes made before this object are refused: an earlier process may have taken them."""

    def __init__(self, admin_token: str) -> None:
        self._token = admin_token
        self._since = time.time() - _SLACK_S
        self._used: set[str] = set()

    def take(self, code: str) -> bool:
        """Whether the code is genuine and was not used yet; it is used from now on."""
        stem, _, signature = code.rpartition("-")
        genuine = hmac.compare_digest(signature.encode(), _signature(stem, self._token).encode())
        if not self._token or not genuine or stem in self._used or int(stem.partition("-")[0]) < self._since:
            return False
        self._used.add(stem)
        return True


def _signature(stem: str, admin_token: str) -> str:
    return hmac.new(admin_token.encode(), f"sign-in {stem}".encode(), hashlib.sha256).hexdigest()

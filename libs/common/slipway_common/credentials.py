"""Credentials that are known by their own form: which there are, and how they are blotted out of a line of text.

Only forms that their issuers give them (a prefix, a length, an alphabet): nothing guesses by entropy or by words such
as "password", because shas, data-URI images and clean pages would be hit.
"""

import re
from dataclasses import dataclass

# Letters and digits alone also occur in base64 and hashes: there a credential must stand by itself. What stands before
# it may be an escaped line break.
START, END = r"(?:(?<![A-Za-z0-9+/_-])|(?<=\\[nrt]))", r"(?![A-Za-z0-9+/_-])"
_CUT_LENGTH = 16
_BLOT = "***"


@dataclass(frozen=True)
class Form:
    """One kind of credential. A text that holds none of `signs` holds none of it.

    `token`: it is one word that begins with a sign, so that the beginning of a cut one tells it too.
    """

    kind: str
    signs: tuple[str, ...]
    pattern: re.Pattern[str]
    token: bool = True

    def may_be_in(self, text: str) -> bool:
        return any(sign in text for sign in self.signs)


def _form(kind: str, signs: str, pattern: str, *, token: bool = True) -> Form:
    return Form(kind, tuple(signs.split()), re.compile(pattern), token)


FORMS = (
    _form("AWS access key", "AKIA ASIA", rf"{START}(?:AKIA|ASIA)[0-9A-Z]{{16}}{END}"),
    _form("Google API key", "AIza", rf"{START}AIza[0-9A-Za-z_-]{{35}}(?![0-9A-Za-z_-])"),
    _form("Google OAuth secret", "GOCSPX-", r"GOCSPX-[0-9A-Za-z_-]{28}"),
    _form("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9_]{36,}"),
    _form("GitHub fine-grained token", "github_pat_", r"github_pat_[A-Za-z0-9_]{50,}"),
    _form("GitLab token", "glpat-", r"glpat-[A-Za-z0-9_-]{20,}"),
    _form(
        "OpenAI or Anthropic key",
        "sk-",
        r"(?<![A-Za-z0-9])sk-(?:(?:proj|svcacct|admin|ant-[a-z]+\d\d)-[A-Za-z0-9_-]{40,}|[A-Za-z0-9]{48}"
        r"|[A-Za-z0-9_-]*[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9_-]{20,})",
    ),
    _form("Hugging Face token", "hf_", rf"{START}hf_[A-Za-z0-9]{{34}}{END}"),
    _form("Slack token", "xox", r"xox[abeoprs]-(?:\d+-)+[A-Za-z0-9-]+"),
    _form("Slack webhook", "hooks.slack.com", r"https://hooks\.slack\.com/services/T\w+/B\w+/\w+", token=False),
    _form("Discord webhook", "/api/webhooks/", r"https://discord(?:app)?\.com/api/webhooks/\d+/[\w-]+", token=False),
    _form("Stripe key", "sk_live_ rk_live_", r"[sr]k_live_[0-9A-Za-z]{16,}"),
    _form("npm token", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _form("PyPI token", "pypi-AgEI", r"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
    _form("SendGrid key", "SG.", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _form("Twilio key", "SK AC", rf"{START}(?:SK|AC)[0-9a-f]{{32}}{END}", token=False),
    _form("Telegram bot token", ":AA", rf"(?<!\d)\d{{8,10}}:AA[A-Za-z0-9_-]{{33}}{END}", token=False),
    _form(
        "private key",
        "-----BEGIN",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\+[rn]|[\s\"'+,])*[A-Za-z0-9+/]{20,}",
        token=False,
    ),
)
# A token in a message that was cut to a length is shorter than its form says.
_CUT_TOKEN = re.compile(
    rf"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
    rf"(?:{'|'.join(re.escape(sign) for form in FORMS if form.token for sign in form.signs)})"
    rf"[A-Za-z0-9_.-]{{{_CUT_LENGTH},}}"
)
# To the end of the string of JSON that it stands in: all lines of the key.
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?:[^\"\\]|\\.)*")
_USER_AND_PASSWORD = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")


def blotted(line: str) -> str:
    """The line (of JSON) with everything that looks like a credential, or the beginning of one, replaced."""
    line = _PRIVATE_KEY.sub(_BLOT, line)
    for form in FORMS:
        if form.may_be_in(line):
            line = form.pattern.sub(_BLOT, line)
    return _USER_AND_PASSWORD.sub(_BLOT, _CUT_TOKEN.sub(_BLOT, line))

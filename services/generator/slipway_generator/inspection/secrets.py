"""Credentials that must not be published, by the forms that their issuers give them."""

import re

from slipway_common.events import Finding
from slipway_generator.inspection.app import App, finding, line_of

_CREDENTIALS = {
    "AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b",
    "GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "Google API key": r"\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])",
    "Google OAuth secret": r"\bGOCSPX-[0-9A-Za-z_-]{28}",
    "Anthropic key": r"\bsk-ant-[A-Za-z0-9_-]{20,}",
    "OpenAI key": r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}|\bsk-[A-Za-z0-9]{48}\b",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{34,}\b",
    "Slack token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",
    "Slack webhook": r"https://hooks\.slack\.com/services/T\w+/B\w+/\w+",
    "Discord webhook": r"https://discord(?:app)?\.com/api/webhooks/\d+/[\w-]+",
    "Stripe key": r"\b[sr]k_live_[0-9A-Za-z]{16,}",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "PyPI token": r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}",
    "SendGrid key": r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    "Twilio key": r"\bSK[0-9a-f]{32}\b",
    "Telegram bot token": r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b",
    "private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "password in an address": r"\bhttps?://[^/\s:@\"'`<>{}$]+:[^/\s:@\"'`<>{}$]+@[\w.-]+\.\w",
}
_ANY = re.compile("|".join(f"(?P<g{number}>{form})" for number, form in enumerate(_CREDENTIALS.values())))
_NAMES = tuple(_CREDENTIALS)


def inspect(app: App) -> list[Finding]:
    """Which credentials stand in the app's texts; the finding never repeats them."""
    found: list[Finding] = []
    for path, text in app.texts.items():
        for match in _ANY.finditer(text):
            name = _NAMES[int((match.lastgroup or "g0")[1:])]
            message = f"what looks like a {name} stands here; everyone could read it."
            found.append(finding(path, line_of(text, match.start()), message, "Remove it."))
    return found

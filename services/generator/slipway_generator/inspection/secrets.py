"""Credentials that must not be published, by the forms that their issuers give them."""

import re

from slipway_common.events import Finding
from slipway_generator.inspection.app import App, finding, line_of

_CREDENTIALS = (
    # what it is, a text without which there is none, its form
    ("AWS access key", ("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    ("GitHub token", ("github_pat_",), r"\bgithub_pat_[A-Za-z0-9_]{60,}\b"),
    ("GitLab token", ("glpat-",), r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("Google API key", ("AIza",), r"\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    ("Google OAuth secret", ("GOCSPX-",), r"\bGOCSPX-[0-9A-Za-z_-]{28}"),
    ("Anthropic key", ("sk-ant-",), r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    (
        "OpenAI key",
        ("sk-",),
        r"\bsk-(?:(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{48}\b)",
    ),
    ("Hugging Face token", ("hf_",), r"\bhf_[A-Za-z0-9]{34,}\b"),
    ("Slack token", ("xox",), r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}"),
    ("Slack webhook", ("hooks.slack.com",), r"https://hooks\.slack\.com/services/T\w+/B\w+/\w+"),
    ("Discord webhook", ("/api/webhooks/",), r"https://discord(?:app)?\.com/api/webhooks/\d+/[\w-]+"),
    ("Stripe key", ("k_live_",), r"\b[sr]k_live_[0-9A-Za-z]{16,}"),
    ("npm token", ("npm_",), r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("PyPI token", ("pypi-AgEI",), r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
    ("SendGrid key", ("SG.",), r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    ("Twilio key", ("SK",), r"\bSK[0-9a-f]{32}\b"),
    ("Telegram bot token", (":AA",), r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b"),
    ("private key", ("PRIVATE KEY-----",), r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    ("password in an address", ("@",), r"\bhttps?://[^/\s:@\"'`<>{}$]+:[^/\s:@\"'`<>{}$]+@[\w.-]+\.\w"),
)


def inspect(app: App) -> list[Finding]:
    """Which credentials stand in the app's texts; the finding never repeats them."""
    found: list[Finding] = []
    for path, text in app.texts.items():
        for name, hints, form in _CREDENTIALS:
            for match in re.finditer(form, text) if any(hint in text for hint in hints) else ():
                message = f"what looks like a {name} stands here; everyone could read it."
                found.append(finding(path, line_of(text, match.start()), message, "Remove it."))
    return found

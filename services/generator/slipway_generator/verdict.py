"""What is known of one version of an app: checks, findings, pictures, and how much it changed."""

from dataclasses import dataclass

from slipway_common.events import CheckResult, EditReport, Finding, Screenshot


@dataclass(frozen=True)
class Verdict:
    """The proof of one candidate."""

    checks: tuple[CheckResult, ...]
    findings: tuple[Finding, ...]
    edit: EditReport | None = None
    screenshots: tuple[Screenshot, ...] = ()
    notes: tuple[str, ...] = ()
    broken: tuple[CheckResult, ...] = ()
    """Checks of earlier rounds that held on the published page and do not hold any more."""

    @property
    def violations(self) -> tuple[str, ...]:
        """What goes beyond a surgical edit."""
        return self.edit.violations if self.edit else ()

    @property
    def clean(self) -> bool:
        """Nothing is left that the model should mend."""
        return not any(finding.severity == "error" for finding in self.findings) and not any(
            check.outcome == "false" for check in self.checks
        )

    def rank(self) -> tuple[int, int, int, int, float]:
        """Better is larger: nothing broken, fewest false checks, most true ones, fewest errors, smallest change."""
        return (
            -len(self.broken),
            -sum(check.outcome == "false" for check in self.checks),
            sum(check.outcome == "true" for check in self.checks),
            -sum(finding.severity == "error" for finding in self.findings),
            self.edit.untouched if self.edit else 1.0,
        )

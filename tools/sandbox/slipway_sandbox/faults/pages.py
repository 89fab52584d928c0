"""Faults of GitHub Pages: what goes wrong with a build. They strike a build when it is queued."""

from slipway_sandbox.faults.board import Build, NoOptions, Options, build_fault


class Stale(Options):
    """For how long the public URL keeps showing the old bytes."""

    seconds: float = 5.0


class Errored(Options):
    """What the builds API says about the failed build."""

    message: str = "Page build failed."


@build_fault("not_built", options=NoOptions)
def not_built(build: Build, options: NoOptions) -> None:
    """The build stays `building` for good; a later build may still succeed."""
    build.delay_s = None


@build_fault("stale", options=Stale)
def stale(build: Build, options: Stale) -> None:
    build.delay_s = options.seconds


@build_fault("errored", options=Errored)
def errored(build: Build, options: Errored) -> None:
    """The build ends as `errored` and publishes nothing; POST pages/builds queues a new one."""
    build.delay_s = 0.0
    build.error = options.message

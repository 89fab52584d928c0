"""The board of switched-on faults: which kinds exist, which are in force, and the middleware that lets them act."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from slipway_sandbox.records import TARGETS, Dropped, Handler, Target, target_of

if TYPE_CHECKING:
    from slipway_sandbox.world import World


class Options(BaseModel):
    """The fields that one kind of fault takes; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NoOptions(Options):
    """For a fault that takes none."""


@dataclass(frozen=True)
class Call:
    """One request as a fault sees it; `act` gives the answer that there would have been without the fault."""

    request: web.Request
    world: "World"
    act: Callable[[], Awaitable[web.StreamResponse]]

    async def hang(self, seconds: float) -> Dropped:
        """Say nothing until the time is over or the client has gone, then cut the connection."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (transport := self.request.transport) is not None and not transport.is_closing():
            if asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(0.05)
        return self.drop()

    def drop(self) -> Dropped:
        """Cut the connection without an answer."""
        if self.request.transport is not None:
            self.request.transport.abort()
        return Dropped()


O = TypeVar("O", bound=Options)  # noqa: E741
Effect = Callable[[Call, O], Awaitable[web.StreamResponse | None]]


@dataclass
class Build:
    """What a fault may change in a Pages build: when it is done (None = never) and its error."""

    delay_s: float | None
    error: str | None = None


BuildEffect = Callable[[Build, O], None]


@dataclass(frozen=True)
class _Kind:
    options: type[Options]
    on_request: Callable[[Call, Options], Awaitable[web.StreamResponse | None]] | None = None
    on_build: Callable[[Build, Options], None] | None = None
    when: Callable[[web.Request], bool] = lambda request: True


_KINDS: dict[tuple[Target, str], _Kind] = {}


def request_fault(
    name: str, *targets: Target, options: type[O], when: Callable[[web.Request], bool] = lambda request: True
) -> Callable[[Effect[O]], Effect[O]]:
    """Register a fault that answers the requests for which `when` holds.

    It may still return None for one that turns out to be not its business; that one does not count.
    """

    def register(effect: Effect[O]) -> Effect[O]:
        async def typed(call: Call, given: Options) -> web.StreamResponse | None:
            assert isinstance(given, options)  # noqa: S101 - the board validated it against this very class
            return await effect(call, given)

        for target in targets:
            _KINDS[target, name] = _Kind(options, on_request=typed, when=when)
        return effect

    return register


def build_fault(name: str, *, options: type[O]) -> Callable[[BuildEffect[O]], BuildEffect[O]]:
    """Register a fault of target `pages` that changes a build when it is queued."""

    def register(effect: BuildEffect[O]) -> BuildEffect[O]:
        def typed(build: Build, given: Options) -> None:
            assert isinstance(given, options)  # noqa: S101 - the board validated it against this very class
            effect(build, given)

        _KINDS["pages", name] = _Kind(options, on_build=typed)
        return effect

    return register


class FaultRequest(BaseModel):
    """The body of POST /_sandbox/faults; every other field is an option of the kind.

    `times`: how many requests (or Pages builds) it hits, null = until deleted. `skip`: how many that it could hit are
    let through first. `match`: only paths that contain this. `method`: only this HTTP method.
    """

    model_config = ConfigDict(extra="allow", strict=True)

    target: Target
    kind: str
    times: int | None = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)
    match: str = ""
    method: str | None = None


class FaultLeft(BaseModel):
    """A fault in force: what is left of it (`times`), and how often it struck (`hits`)."""

    id: int
    target: Target
    kind: str
    times: int | None
    skip: int
    match: str
    method: str | None
    hits: int
    options: dict[str, JsonValue]


class UnknownFaultError(ValueError):
    """No such fault, or options that it does not take."""


@dataclass
class _InForce:
    id: int
    asked: FaultRequest
    kind: _Kind
    options: Options
    times: int | None
    skip: int
    hits: int = 0

    def concerns(self, target: Target, method: str | None, path: str) -> bool:
        asked = self.asked
        return (
            self.times != 0
            and asked.target == target
            and asked.match in path
            and (method is None or asked.method is None or asked.method.upper() == method)
        )

    def passes(self) -> bool:
        """Whether this one is still let through."""
        if self.skip > 0:
            self.skip -= 1
            return True
        return False

    def strike(self, by: int = 1) -> None:
        self.hits += by
        if self.times is not None:
            self.times -= by


class Board:
    """The faults in force, in the order in which they were switched on; the first that concerns a request acts."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._in_force: list[_InForce] = []

    def add(self, asked: FaultRequest) -> FaultLeft:
        """Switch a fault on; raises UnknownFaultError naming what exists."""
        kind = _KINDS.get((asked.target, asked.kind))
        if kind is None:
            known = ", ".join(sorted(name for target, name in _KINDS if target == asked.target))
            raise UnknownFaultError(f"{asked.target} has no fault {asked.kind!r}; it has: {known}")
        try:
            options = kind.options.model_validate(asked.model_extra or {})
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise UnknownFaultError(f"options of {asked.target}/{asked.kind}: {faults}") from error
        entry = _InForce(next(self._ids), asked, kind, options, asked.times, asked.skip)
        self._in_force.append(entry)
        return self._shown(entry)

    def remove(self, fault_id: int | None = None) -> int:
        """Switch one fault off, or all; returns how many that were."""
        before = len(self._in_force)
        self._in_force = [f for f in self._in_force if fault_id is not None and f.id != fault_id]
        return before - len(self._in_force)

    def left(self) -> list[FaultLeft]:
        """Every fault that can still strike."""
        return [self._shown(entry) for entry in self._in_force if entry.times != 0]

    @staticmethod
    def kinds() -> dict[str, list[str]]:
        """Target -> the kinds of fault it has."""
        return {target: sorted(name for owner, name in _KINDS if owner == target) for target in TARGETS}

    async def answer(self, target: Target, call: Call) -> web.StreamResponse | None:
        """What the first fault that concerns this request answers; None when none does."""
        for entry in list(self._in_force):
            effect = entry.kind.on_request
            if effect is None or not entry.concerns(target, call.request.method, call.request.path):
                continue
            if not entry.kind.when(call.request) or entry.passes():
                continue
            entry.strike()  # before it acts: it may take long, and others come meanwhile
            answer = await effect(call, entry.options)
            if answer is not None:
                return answer
            entry.strike(-1)
        return None

    def build(self, path: str, build: Build) -> None:
        """Let the first fault that concerns a Pages build change it."""
        for entry in self._in_force:
            effect = entry.kind.on_build
            if effect is not None and entry.concerns("pages", None, path) and not entry.passes():
                entry.strike()
                effect(build, entry.options)
                return

    @staticmethod
    def _shown(entry: _InForce) -> FaultLeft:
        asked = entry.asked
        return FaultLeft(
            id=entry.id, target=asked.target, kind=asked.kind, times=entry.times, skip=entry.skip,
            match=asked.match, method=asked.method, hits=entry.hits, options=entry.options.model_dump(mode="json"),
        )  # fmt: skip


def middleware(world: "World") -> Middleware:
    """Let the faults of the board answer before the imitation does."""

    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        target = target_of(request.path)
        if target is None:
            return await handler(request)

        async def act() -> web.StreamResponse:
            return await handler(request)

        answer = await world.faults.answer(target, Call(request, world, act))
        return await handler(request) if answer is None else answer

    return strike

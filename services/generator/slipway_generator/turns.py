"""Jobs of one project take turns: nothing is built on a head that another job is about to replace.

It only saves model calls: what replicas do at the same time is told apart by the deployer, which pushes on the commit
that an app was made from or gives the job back.
"""

from dataclasses import dataclass
from time import monotonic

DEPLOY_S = 60.0
"""How long an app that was handed to the deployer keeps the turn, if the branch does not move."""


@dataclass
class _Turn:
    job: str
    head: str | None
    until: float


class Turns:
    """Whose turn it is, by repository, in this process."""

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}

    def take(self, repository: str, job: str, head: str | None, budget_s: float) -> bool:
        """Whether `job` may build on `head` now. It then has the turn, for `budget_s` seconds at most."""
        now = monotonic()
        held = self._turns.get(repository)
        if held is not None and held.job != job and held.head == head and held.until > now:
            return False
        self._turns = {name: turn for name, turn in self._turns.items() if turn.until > now}
        self._turns[repository] = _Turn(job, head, now + budget_s)
        return True

    def hand_on(self, repository: str, job: str) -> None:
        """The app is made: the turn is over when the branch moves, or after DEPLOY_S."""
        held = self._turns.get(repository)
        if held is not None and held.job == job:
            held.until = monotonic() + DEPLOY_S

    def give_up(self, repository: str, job: str) -> None:
        """Nothing was made: the next may go on."""
        held = self._turns.get(repository)
        if held is not None and held.job == job:
            del self._turns[repository]

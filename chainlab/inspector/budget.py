"""How many model calls a server may cause: set aside before work begins, counted while it runs, given back at its end.

Set aside is what the plan says at most. A plan cannot know it all (how many items a list will have, what is tried
again), so calls are counted as well, and work that needs more than is left is ended.
"""

from __future__ import annotations

from chainlab.inspector.refused import Refused


class Budget:
    """The calls of one server. Used in one event loop."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def claim(self, calls: int) -> Claim:
        """Set calls aside. Raises Refused when there are not so many left."""
        if calls > self.left:
            told = f"This server may make {self.left} more calls, and this takes up to {calls}; --max-calls sets that."
            raise Refused(429, "budget", told)
        return Claim(self, calls)


class Claim:
    """What one replay or batch has of the budget."""

    def __init__(self, budget: Budget, calls: int) -> None:
        self._budget, self._aside, self._made = budget, calls, 0
        budget.left -= calls

    def has_made(self, calls: int) -> bool:
        """Note how many calls were made so far. False: that is more than the server may make."""
        self._made = max(self._made, calls)
        more = self._made - self._aside
        if more > 0:
            self._aside += min(more, self._budget.left)
            self._budget.left -= min(more, self._budget.left)
        return self._made <= self._aside

    def close(self) -> None:
        """Give back what was not needed. Idempotent."""
        self._budget.left += max(0, self._aside - self._made)
        self._aside = self._made

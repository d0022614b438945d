"""Who listens to which recording, so that each listening is in the audit log once."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from hotline.core.clock import Clock

SAME_LISTENING_SECONDS: Final = 600.0
LISTENINGS_KEPT: Final = 1_000


class Listenings:
    """Tells a new listening from the further parts that a browser fetches of one that is in the audit log.

    Bounded: of more than LISTENINGS_KEPT the longest unused are forgotten; they count as new ones again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: OrderedDict[tuple[str, str], float] = OrderedDict()

    def goes_on(self, session: str, call_id: str) -> bool:
        """Whether this session has been listening to this call until now."""
        last = self._last.get((session, call_id))
        return last is not None and self._clock.monotonic() - last < SAME_LISTENING_SECONDS

    def note(self, session: str, call_id: str) -> None:
        """It listens now."""
        self._last[session, call_id] = self._clock.monotonic()
        self._last.move_to_end((session, call_id))
        while len(self._last) > LISTENINGS_KEPT:
            self._last.popitem(last=False)

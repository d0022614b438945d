"""Wrap-up: the time after a talk in which an agent writes down what was said and gets no call.

The exchange holds it as a pause whose reason says all about it::

    wrap-up 1795242306935+20 node1-1795242290.7:12315:1
            │             │  └ the ledger row, left out where it would not fit
            │             └ seconds from its start to its end
            └ its start, milliseconds since 1970

So a server that was killed reads on in it at the next start, from the exchange, which kept it meanwhile (also
through a restart of its own: ``persistentmembers``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

MAX_REASON_BYTES: Final = 79  # app_queue.c: char reason_paused[80]
ASK_AGAIN: Final = timedelta(seconds=5)
"""A pause or its end that the exchange has not confirmed by then is asked for once more."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_REASON: Final = re.compile(r"wrap-up ([0-9]{1,14})\+([0-9]{1,5})(?: ([^ ]+))?")


@dataclass(slots=True)
class WrapUp:
    """One wrap-up.

    Attributes:
        until: when it ends by itself.
        entry_id: the ledger row of the talk; None when no queue brought it.
        asked_at: when the exchange was last asked to pause the agent for it, or to end that.
    """

    since: datetime
    until: datetime
    entry_id: str | None
    asked_at: datetime | None = None

    @property
    def reason(self) -> str:
        """The pause reason that tells it. Whole seconds long."""
        seconds = round((self.until - self.since).total_seconds())
        text = f"wrap-up {(self.since - _EPOCH) // timedelta(milliseconds=1)}+{seconds}"
        whole = f"{text} {self.entry_id}" if self.entry_id else text
        return whole if len(whole.encode()) <= MAX_REASON_BYTES else text

    def may_ask(self, now: datetime) -> bool:
        """Whether the exchange is to be asked (again); if so, this counts as having asked."""
        if self.asked_at is not None and now - self.asked_at < ASK_AGAIN:
            return False
        self.asked_at = now
        return True


def read_reason(reason: str) -> WrapUp | None:
    """The wrap-up that a pause reason tells of; None for a reason of another kind."""
    match = _REASON.fullmatch(reason)
    if match is None:
        return None
    since = _EPOCH + timedelta(milliseconds=int(match[1]))
    return WrapUp(since, since + timedelta(seconds=int(match[2])), match[3])

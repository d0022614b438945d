"""What queue_log says of an agent, let happen to the agent's seat: where no live event could tell it.

Serves the agent table over an outage and ``hotline queue-log import``. The log has whole seconds. It says of
a ring only how long it was, once it is over; so a ring is put before its end. It does not say whether a phone
can be reached, what agents do with calls that no queue brought, or holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from hotline.queue.agents.seat import TALKS, Cue, Seat
from hotline.queue.facts import AgentFact, Completed, Connected, Duty

LONGEST_RING_MS: Final = 3_600_000  # a line that tells of more is damaged


def follow(seat: Seat, fact: AgentFact) -> Iterator[datetime]:
    """Let one line happen; whenever the seat may have changed, the moment at which it did.

    Look at the seat at each of them: one line may tell of two changes. Told again, a line changes nothing.
    """
    match fact:
        case Duty():
            _serve(seat, fact)
            seat.step(Cue.SWITCHED)
            yield fact.at
        case Completed():
            if seat.state in TALKS:
                seat.step(Cue.COMPLETED)
                yield fact.at
        case _ if seat.state not in TALKS:
            seat.reachable = True
            if fact.ring_ms > 0:
                seat.step(Cue.RANG)
                yield fact.at - timedelta(milliseconds=min(fact.ring_ms, LONGEST_RING_MS))
            seat.step(Cue.CONNECTED if isinstance(fact, Connected) else Cue.RING_ENDED)
            yield fact.at


def _serve(seat: Seat, duty: Duty) -> None:
    """In which queues, on which break; a pause for a wrap-up is one, and its end the wrap-up's end."""
    if duty.serves:
        seat.serve(duty.queue, duty.paused_reason)
    else:
        seat.leave(duty.queue)
    held = seat.held_wrap_up
    if held is not None:
        seat.wrap_up = held
    elif not seat.paused:
        seat.wrap_up = None

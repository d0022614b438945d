"""The life of a tap: the listening to one side of one call.

SEEKING    no worker has a place for it yet
DIALLING   a worker expects it, Asterisk was asked to connect
HEARING    audio comes
ENDING     the talk is over, its last text is on its way
OVER       nothing more happens
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class TapState(Enum):
    """Where a tap is."""

    SEEKING = "seeking"
    DIALLING = "dialling"
    HEARING = "hearing"
    ENDING = "ending"
    OVER = "over"


class TapEvent(Enum):
    """What may happen to it."""

    PLACED = "placed"  # a worker was told to expect it
    CONNECTED = "connected"  # its audio connection came
    LOST = "lost"  # the attempt failed or the leg is gone
    TALK_ENDED = "talk_ended"
    FINISHED = "finished"  # the last text was told, or waited for long enough


TRANSITIONS: Final[dict[TapState, dict[TapEvent, TapState]]] = {
    TapState.SEEKING: {
        TapEvent.PLACED: TapState.DIALLING,
        TapEvent.LOST: TapState.SEEKING,
        TapEvent.TALK_ENDED: TapState.ENDING,
    },
    TapState.DIALLING: {
        TapEvent.CONNECTED: TapState.HEARING,
        TapEvent.LOST: TapState.SEEKING,
        TapEvent.TALK_ENDED: TapState.ENDING,
    },
    TapState.HEARING: {
        TapEvent.LOST: TapState.SEEKING,
        TapEvent.TALK_ENDED: TapState.ENDING,
    },
    TapState.ENDING: {TapEvent.FINISHED: TapState.OVER},
    TapState.OVER: {},
}


def after(state: TapState, event: TapEvent) -> TapState:
    """The state that follows.

    Raises:
        ValueError: this cannot happen in this state; nothing changed.
    """
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise ValueError(f"{event.value} cannot happen to a tap that is {state.value}") from None

"""All that a menu visit can be, and what may happen in each state.

A visit says something (a menu or an announcement), listens, and ends. A key counts at any time: while
something is said it cuts it short, so whoever knows the menu need not hear it.

    PROMPTING  --played-->  LISTENING     the menu has been said: now the caller's answer is awaited
    ANNOUNCING --played-->  PROMPTING     an announcement (self-service) leads back to its menu
    any        --turn---->  PROMPTING     another menu, back, or the same again
    any        --inform-->  ANNOUNCING
    any        --miss---->  PROMPTING     a wrong key, or silence: the menu again
    any        --leave--->  LEFT          a line was chosen, a person is given, or the caller went

What an input means (its ``Turn``) depends on the site's menus and is decided in ``interpreter.py``; whether
it may happen, and where it leads, is decided here and nowhere else. Silence exists only while listening.
"""

from __future__ import annotations

from enum import Enum

from hotline.core.errors import HotlineError


class State(Enum):
    """Where a menu visit is."""

    NEW = "new"
    PROMPTING = "prompting"
    ANNOUNCING = "announcing"
    LISTENING = "listening"
    LEFT = "left"


class Turn(Enum):
    """What an input came to mean."""

    BEGIN = "begin"
    PLAYED = "played"
    TURN = "turn"
    INFORM = "inform"
    MISS = "miss"
    LEAVE = "leave"


TABLE: dict[State, dict[Turn, State]] = {
    State.NEW: {Turn.BEGIN: State.PROMPTING},
    State.PROMPTING: {
        Turn.PLAYED: State.LISTENING,
        Turn.TURN: State.PROMPTING,
        Turn.INFORM: State.ANNOUNCING,
        Turn.MISS: State.PROMPTING,
        Turn.LEAVE: State.LEFT,
    },
    State.ANNOUNCING: {
        Turn.PLAYED: State.PROMPTING,
        Turn.TURN: State.PROMPTING,
        Turn.INFORM: State.ANNOUNCING,
        Turn.MISS: State.PROMPTING,
        Turn.LEAVE: State.LEFT,
    },
    State.LISTENING: {
        Turn.TURN: State.PROMPTING,
        Turn.INFORM: State.ANNOUNCING,
        Turn.MISS: State.PROMPTING,
        Turn.LEAVE: State.LEFT,
    },
    State.LEFT: {},
}


class IllegalInput(HotlineError):
    """The shell reported something that cannot have happened in this state. Nothing was changed."""

    def __init__(self, state: State, what: str) -> None:
        super().__init__(f"{what} cannot happen while a menu visit is {state.value}")
        self.state = state
        self.what = what

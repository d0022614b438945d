"""Test calls (拨测): what is dialled, what was measured, and the listener's marks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

MARKS: Final[Mapping[str, int]] = {
    "menu": 10,
    "answering": 10,
    "manner": 40,
    "knowledge": 30,
    "call_back": 10,
}
"""The parts of a listener's sheet and the points each can get."""

_EMERGENCY = re.compile(
    r"(?:9?(?:0[1-9]\d{1,2})?|0|(?:\+|00)?86(?:[1-9]\d{1,2})?)(?:110|119|120|122)"
)  # also after a prefix for outside lines, an area or a country code


def is_emergency(number: str) -> bool:
    """Whether an emergency service might answer: such a number is never dialled for a test."""
    return _EMERGENCY.fullmatch(re.sub(r"[^0-9+]", "", number)) is not None


class TrialResult(StrEnum):
    """What came of dialling."""

    ANSWERED = "answered"
    REFUSED = "refused"  # busy, barred, no such number: ``status`` says which
    NO_ANSWER = "no_answer"  # it rang for as long as was to be waited
    FAILED = "failed"  # it could not be dialled at all


@dataclass(frozen=True, slots=True)
class TrialOrder:
    """What to dial.

    Attributes:
        name: of the schedule; empty when a person asked for it.
        unit: whose service is tried: the unit that the score is for.
        line: the line that is expected to answer.
        via: ``host:port`` of another SIP server; empty: the site's own exchange, as a caller.
        keys: pressed one after another, each once the other side has said something and is quiet.
        seconds: after the answer; then we hang up.
        ring_seconds: how long to wait for an answer.
    """

    number: str
    name: str = ""
    unit: str = ""
    line: str = ""
    via: str = ""
    keys: str = ""
    seconds: int = 60
    ring_seconds: int = 60


@dataclass(frozen=True, slots=True)
class TrialMarks:
    """The listener's sheet; None: not marked. The points of each part: `MARKS`.

    ``person_seconds``: from the answer until a person spoke, as the listener heard it. It goes before what
    our ledger says; where another exchange was called it is all there is.
    """

    menu: float | None = None
    answering: float | None = None
    manner: float | None = None
    knowledge: float | None = None
    call_back: float | None = None
    note: str = ""
    person_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TrialCall:
    """One test call.

    Attributes:
        answer_seconds: from the first ring (180) to the answer (200); from dialling where nothing rang.
        sound_seconds: from the answer to the first sound.
        spoken_seconds: how long the call was up.
        level_dbfs: of what was heard, silence left out; None without any sound.
        silent_share: 0..1 of what was heard.
        keys: those pressed, each with its moment: ``1@3.2``.
        person_seconds: from the answer until a person answered, as our own ledger says; None: not known.
        agent, reached_line: likewise.
        text: what was said, as the recogniser heard it; None: not known (yet).
        has_sound: whether it was recorded and is still kept.
    """

    trial_id: str
    order: TrialOrder
    began_at: datetime
    result: TrialResult
    status: int
    answer_seconds: float | None = None
    sound_seconds: float | None = None
    spoken_seconds: float = 0.0
    level_dbfs: float | None = None
    silent_share: float | None = None
    keys: str = ""
    call_id: str | None = None
    person_seconds: float | None = None
    agent: str | None = None
    reached_line: str | None = None
    text: str | None = None
    has_sound: bool = False
    marks: TrialMarks = TrialMarks()
    marked_by: str = ""

    @property
    def reached_seconds(self) -> float | None:
        """From the first ring until a person spoke: the listener's word, else the ledger's; None: unknown."""
        heard = self.marks.person_seconds
        person = self.person_seconds if heard is None else heard
        return None if person is None or self.answer_seconds is None else self.answer_seconds + person


@dataclass(frozen=True, slots=True)
class TrialFilter:
    """Which test calls: begun in [since, until), of a line (ordered or reached), of a unit; empty: all."""

    since: datetime | None = None
    until: datetime | None = None
    line: str = ""
    unit: str = ""


ALL_TRIALS: Final = TrialFilter()


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """A plan of the site file. ``times``: 09:30; ``days``: 1 is Monday; ``next_at``: None, if in no week."""

    order: TrialOrder
    days: tuple[int, ...]
    times: tuple[str, ...]
    every_minutes: int | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class TrialsNow:
    """The schedule, and what is being dialled. ``full_marks``: `MARKS`; ``shown_as``: what they see."""

    plans: tuple[PlannedTrial, ...]
    dialling: TrialOrder | None
    full_marks: Mapping[str, int]
    shown_as: str


@dataclass(frozen=True, slots=True)
class TrialSum:
    """What the test calls of a unit or a line come to.

    Attributes:
        key: the unit, or the line that was ordered; empty for calls without one.
        reached: calls in which a person was reached.
        answer_seconds: mean of the answered calls.
        reached_seconds: from the first ring to a person, mean of ``reached``.
        marked: calls with points for any part.
        marks: by part the mean of the calls marked in it, half up to two decimals as the score has it.
        points: their sum; None before every part is marked.
    """

    key: str
    calls: int
    answered: int
    reached: int
    answer_seconds: float | None
    reached_seconds: float | None
    marked: int
    marks: Mapping[str, float | None]
    points: float | None

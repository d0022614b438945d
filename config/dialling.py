"""The site file's ``test_dialling``: which numbers our own phone calls by itself, when, and what it keeps."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from hotline.config.section import Digits, Name, Section, Text
from hotline.core.trials import is_emergency

HostPort = Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,100}:[0-9]{2,5}$")]
TrialNumber = Annotated[str, Field(pattern=r"^\+?[0-9*#]{1,20}$")]
TrialKeys = Annotated[str, Field(pattern=r"^[0-9*#]{0,10}$")]


class TrialPlan(Section):
    """A number to be called: at ``times`` of ``days`` in the site's zone, or every so many minutes of them.

    ``unit``: whose service is tried; ``line``: the line that ought to answer; ``via``: another SIP server
    (absent: the site's own exchange, as a caller). Further fields: ``core.trials.TrialOrder``.
    """

    name: Text
    number: TrialNumber
    unit: Text | None = None
    line: Name | None = None
    via: HostPort | None = None
    keys: TrialKeys = ""
    seconds: Annotated[int, Field(ge=5, le=300)] = 60
    ring_seconds: Annotated[int, Field(ge=5, le=180)] = 60
    days: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5, 6, 7)  # ISO: 1 is Monday
    times: tuple[time, ...] = ()
    every_minutes: Annotated[int, Field(ge=5, le=1440)] | None = None  # counted from midnight

    @field_validator("number")
    @classmethod
    def _no_emergency(cls, value: str) -> str:
        if is_emergency(value):
            raise ValueError(f"{value} may be an emergency service, which is never called for a test")
        return value

    @model_validator(mode="after")
    def _one_rhythm(self) -> Self:
        if bool(self.times) == (self.every_minutes is not None):
            raise ValueError("say when: either times: ['09:30'] or every_minutes: 60")
        return self


class DiallingSection(Section):
    """Test calls (拨测) by our own phone."""

    caller_number: Digits = "12345999"  # what the other side sees; it tells these calls apart in the ledger
    transcribe: bool = True  # with the site's model, in a process of its own
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 90  # of the sound; figures and marks stay
    calls: Annotated[tuple[TrialPlan, ...], Field(max_length=200)] = ()

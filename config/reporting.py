"""The site file's ``reports``: the limits of yellow and red cards, and which reports are made when."""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from hotline.config.section import Name, Section
from hotline.config.shifts import ClockTime

BY_HAND: Final = "by-hand"  # the folder of reports that people asked for
Limit = Annotated[float, Field(ge=0, le=100)] | None


class Cards(Section):
    """A unit whose rate (percent) is under a limit gets the card; null: no such card."""

    yellow: Limit = None
    red: Limit = None

    @model_validator(mode="after")
    def _red_is_worse(self) -> Self:
        if self.yellow is not None and self.red is not None and self.red > self.yellow:
            raise ValueError("red is the worse card: its limit must not be above yellow's")
        return self


class CardLimits(Section):
    """Cards for handling units. No published rule has limits: these are to be set by the site.

    ``time_limit`` looks at the on-time rate, ``quality`` at the satisfaction of those called back; both at
    units with ``at_least`` orders (or people called back who had an opinion).
    """

    time_limit: Cards = Cards(yellow=98, red=95)
    quality: Cards = Cards(yellow=60, red=50)
    at_least: Annotated[int, Field(ge=1, le=100_000)] = 10


class ReportFormat(StrEnum):
    """What a report's file is."""

    HTML = "html"
    DOCX = "docx"
    XLSX = "xlsx"
    PDF = "pdf"
    JSON = "json"


class ScheduledReport(Section):
    """A report that the server makes by itself, of each day, week or month when it is over.

    Attributes:
        name: of its folder below ``data_dir/reports``.
        on: month: the day of the following month; week: the weekday of the following week (1 is Monday).
        at: when, in the site's zone.
        data: a folder where the data file of a period (``2026-10.yaml``, ``.xlsx``, ``.csv``) is looked for.
        command: run afterwards, the files' paths behind its own words; tried again until it ends with 0.
        webhook: one of ``alerts.webhooks``, told afterwards that the report is there.
    """

    name: Name
    what: Literal["day", "week", "month"]
    on: Annotated[int, Field(ge=1, le=28)] = 1
    at: ClockTime = time(7, 30)
    formats: Annotated[tuple[ReportFormat, ...], Field(min_length=1, max_length=5)] = (ReportFormat.HTML,)
    data: Path | None = None
    command: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(max_length=50)] = ()
    webhook: Name | None = None

    @model_validator(mode="after")
    def _own_name(self) -> Self:
        if self.name == BY_HAND:
            raise ValueError(f"{BY_HAND} holds the reports that people have made: choose another name")
        return self

    @model_validator(mode="after")
    def _a_day_there_is(self) -> Self:
        if self.what == "week" and self.on > 7:
            raise ValueError("a week has seven days: on is 1 (Monday) to 7")
        if self.what == "day" and self.on != 1:
            raise ValueError("a day's report is made on the day after: delete on")
        return self


class ReportsSection(Section):
    """What a site says of its reports. ``zero_over_zero``: nothing over nothing as a dash or as 0 %."""

    cards: CardLimits = CardLimits()
    topics_shown: Annotated[int, Field(ge=1, le=50)] = 10
    zero_over_zero: Literal["dash", "zero"] = "dash"
    schedule: Annotated[tuple[ScheduledReport, ...], Field(max_length=20)] = ()

"""The site file's ``reports``: the limits of yellow and red cards, of handling units."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hotline.config.section import Section

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


class ReportsSection(Section):
    """What a site says of its reports. ``zero_over_zero``: nothing over nothing as a dash or as 0 %."""

    cards: CardLimits = CardLimits()
    topics_shown: Annotated[int, Field(ge=1, le=50)] = 10
    zero_over_zero: Literal["dash", "zero"] = "dash"

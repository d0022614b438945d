"""Yellow and red cards for handling units, by the site's limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hotline.config.reporting import CardLimits, Cards
from hotline.metrics.report.data import Unit
from hotline.metrics.report.ratios import on_time_ratio, satisfaction


class Colour(StrEnum):
    """Of a card, as reports call it."""

    YELLOW = "黄牌"
    RED = "红牌"


class Why(StrEnum):
    """What a card is for, as reports call it."""

    TIME_LIMIT = "时限"
    QUALITY = "质量"


@dataclass(frozen=True, slots=True)
class Card:
    """One card: ``percent`` is under ``limit``."""

    unit: str
    why: Why
    colour: Colour
    percent: float
    limit: float


def cards(rows: tuple[Unit, ...], limits: CardLimits) -> tuple[Card, ...]:
    """Who gets which, red before yellow; a unit gets one of each kind at most."""
    found = []
    for row in rows:
        on_time, pleased = on_time_ratio(row), satisfaction(row)
        looked_at = (
            (Why.TIME_LIMIT, on_time.value, on_time.denominator, limits.time_limit),
            (Why.QUALITY, pleased.value, pleased.denominator, limits.quality),
        )
        for why, rate, base, limit in looked_at:
            if rate is not None and base is not None and base >= limits.at_least:
                found += _card(row.name, why, rate, limit)
    return tuple(
        sorted(found, key=lambda card: (card.why is not Why.TIME_LIMIT, card.colour is not Colour.RED))
    )


def _card(unit: str, why: Why, rate: float, limits: Cards) -> list[Card]:
    for colour, limit in ((Colour.RED, limits.red), (Colour.YELLOW, limits.yellow)):
        if limit is not None and rate < limit:
            return [Card(unit, why, colour, rate, limit)]
    return []

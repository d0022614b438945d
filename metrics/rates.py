"""Named rates: each a numerator over a denominator of ledger counts, in code once.

接通率  answer rate        = answered / offered
15秒接通率 within rate     = answered within N s / offered (or answered: the site's choice)
ASA    average speed of answer = wait of answered calls / answered
AHT    average handling time   = (talk, hold included, + wrap-up) / answered

Offered counts rows that have their class; callers who still wait have none yet. Short abandons are
left out of the denominators only if the site says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from hotline.config.schema import FiguresSection
from hotline.core.events import Outcome
from hotline.core.views import LineFigures


@dataclass(slots=True)
class Counts:
    """Sums over ledger rows; add them up freely, rates come last."""

    outcomes: dict[Outcome, int]
    answered_within: int = 0
    still_open: int = 0
    wait_ms: int = 0  # of answered rows
    talk_ms: int = 0
    ring_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    menu_ms: int = 0  # of callers with any class, if it was counted

    @classmethod
    def none(cls) -> Counts:
        """No rows."""
        return cls(dict.fromkeys(Outcome, 0))

    def add(self, other: Counts) -> None:
        """Count the other's rows too."""
        for outcome, count in other.outcomes.items():
            self.outcomes[outcome] += count
        self.answered_within += other.answered_within
        self.still_open += other.still_open
        self.wait_ms += other.wait_ms
        self.talk_ms += other.talk_ms
        self.ring_ms += other.ring_ms
        self.hold_ms += other.hold_ms
        self.wrap_up_ms += other.wrap_up_ms
        self.menu_ms += other.menu_ms

    @property
    def closed(self) -> int:
        """Rows that have their class."""
        return sum(self.outcomes.values())

    @property
    def answered(self) -> int:
        """Rows answered by a person."""
        return self.outcomes[Outcome.ANSWERED]


def ratio(numerator: float, denominator: float) -> float | None:
    """The quotient, or None for nothing over nothing."""
    return numerator / denominator if denominator else None


def line_figures(
    counts: Counts, site: FiguresSection, *, line: str, name: str, parent: str | None
) -> LineFigures:
    """Every rate of one line from its counts, as the site defines them."""
    short = counts.outcomes[Outcome.SHORT_ABANDON] if site.exclude_short_abandons else 0
    base = counts.closed - short
    within_base = base if site.within_over == "offered" else counts.answered
    asa_ms = ratio(counts.wait_ms, counts.answered)
    aht_ms = ratio(counts.talk_ms + counts.wrap_up_ms, counts.answered)
    return LineFigures(
        line=line,
        name=name,
        parent=parent,
        offered=counts.closed + counts.still_open,
        answered=counts.answered,
        answered_within=counts.answered_within,
        still_open=counts.still_open,
        outcomes=dict(counts.outcomes),
        wait_seconds_total=counts.wait_ms / 1000,
        talk_seconds_total=counts.talk_ms / 1000,
        answer_rate=ratio(counts.answered, base),
        within_rate=ratio(counts.answered_within, within_base),
        asa_seconds=None if asa_ms is None else asa_ms / 1000,
        ring_seconds_total=counts.ring_ms / 1000,
        hold_seconds_total=counts.hold_ms / 1000,
        wrap_up_seconds_total=counts.wrap_up_ms / 1000,
        aht_seconds=None if aht_ms is None else aht_ms / 1000,
        menu_seconds_total=counts.menu_ms / 1000,
    )

"""From sums of counts to figures as they are published: exact quotients, rounded once, half up."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final

from hotline.config.schema import FiguresSection
from hotline.core.figures import Figure, MeasureUnit
from hotline.metrics.measures.catalogue import Measure
from hotline.store.counts import CountUnit

DASH: Final = "—"
HUNDREDTH: Final = Decimal("0.01")

Sums = Mapping[str, int]
"""Counts by id; a missing one is 0."""


def half_up(value: Fraction, step: Decimal) -> Decimal:
    """``value`` to a multiple of ``step``, a power of ten; halves go away from zero, without any float."""
    places = -int(step.as_tuple().exponent)
    scaled = abs(value) * 10**places
    whole = (scaled.numerator * 2 + scaled.denominator) // (scaled.denominator * 2)
    return (Decimal(whole) * step * (1 if value >= 0 else -1)).quantize(step, ROUND_HALF_UP)


def sums_of(measure: Measure, sums: Sums) -> tuple[int, int | None]:
    """The two sums of a measure; None for a measure that has but one."""
    above = below = 0
    for count in measure.numerator:
        above += sums.get(count.id, 0)
    for count in measure.denominator:
        below += sums.get(count.id, 0)
    return above, below if measure.denominator else None


def exact(measure: Measure, sums: Sums) -> Fraction | None:
    """The measure before rounding: a fraction of one, seconds, or a count; None for nothing over nothing."""
    above, below = sums_of(measure, sums)
    if below == 0:
        return None
    whole = Fraction(above, below or 1)
    counted_in_ms = measure.numerator[0].unit is CountUnit.MILLISECONDS
    return whole / 1000 if counted_in_ms and measure.unit is MeasureUnit.SECONDS else whole


def published(measure: Measure, sums: Sums) -> Decimal | None:
    """The measure as reports print it: percents and seconds to two decimals, counts whole."""
    return _published(measure, *sums_of(measure, sums))


def _published(measure: Measure, above: int, below: int | None) -> Decimal | None:
    if below == 0:
        return None
    below = below or 1
    if measure.unit is MeasureUnit.COUNT:
        return Decimal(above // below)
    if measure.unit is MeasureUnit.PERCENT:
        return _hundredths(above * 100, below)
    return _hundredths(above, below * (1000 if measure.numerator[0].unit is CountUnit.MILLISECONDS else 1))


def _hundredths(above: int, below: int) -> Decimal:
    """``half_up`` of a quotient, to hundredths; a chart takes thousands of them, and fractions take long."""
    whole = (abs(above) * 200 + below) // (below * 2)
    return Decimal(whole if above >= 0 else -whole).scaleb(-2)


def figure(measure: Measure, sums: Sums, site: FiguresSection) -> Figure:
    """A measure with its two sums and as text."""
    above, below = sums_of(measure, sums)
    value = _published(measure, above, below)
    return Figure(above, below, value, text_of(measure.unit, value, site))


def text_of(unit: MeasureUnit, value: Decimal | None, site: FiguresSection) -> str:
    """A published value with its unit; nothing over nothing as the site wants it."""
    if value is None:
        if unit is not MeasureUnit.PERCENT or site.zero_over_zero == "dash":
            return DASH
        value = Decimal(0).quantize(HUNDREDTH)
    match unit:
        case MeasureUnit.PERCENT:
            return f"{value} %"
        case MeasureUnit.SECONDS:
            return f"{value} s"
        case MeasureUnit.COUNT:
            return f"{value:,}"


def change(unit: MeasureUnit, now: Decimal | None, then: Decimal | None) -> tuple[Decimal | None, str]:
    """How a published value has changed, and as text: rates in percentage points, all else in percent."""
    if now is None or then is None or (unit is not MeasureUnit.PERCENT and then == 0):
        return None, DASH
    if unit is MeasureUnit.PERCENT:
        points = now - then
        return points, f"{points:+} 个百分点"
    above, below = (
        ((now - then) * 100 / HUNDREDTH).to_integral_value(),
        (then / HUNDREDTH).to_integral_value(),
    )
    percent = _hundredths(int(above), int(below))  # both are whole hundredths
    return percent, f"{percent:+} %"

"""Rates against counts done by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.config.schema import FiguresSection, Line, Queue, Site
from hotline.core.events import Outcome
from hotline.metrics.figures import figures_of
from hotline.metrics.rates import Counts, line_figures
from hotline.store.counting import LineCount

SITE = Site(
    lines=(
        Line(id="12345", name="热线", dids=("12345",)),
        Line(id="12315", name="市场监管", dids=("12315",)),
        Line(id="12358", name="原物价", parent="12315", queue="12315"),
        Line(id="12365-1", name="原质监", parent="12358", queue="12315"),
    ),
    queues=(Queue(name="12345", title="综合"), Queue(name="12315", title="消费维权")),
)


def count(line: str, outcome: Outcome | None, rows: int, within: int = 0, wait_ms: int = 0) -> LineCount:
    return LineCount(line, outcome, rows, within, wait_ms, 0)


def test_the_rates_of_one_line_by_hand() -> None:
    """20 offered: 17 answered (15 in time, 102 s waited in all), 2 abandoned, 1 short."""
    counts = Counts.none()
    counts.outcomes |= {Outcome.ANSWERED: 17, Outcome.ABANDONED: 2, Outcome.SHORT_ABANDON: 1}
    counts.answered_within, counts.wait_ms = 15, 102_000
    figures = line_figures(counts, FiguresSection(), line="12315", name="市场监管", parent=None)
    assert figures.offered == 20
    assert figures.answer_rate == 17 / 20 and figures.within_rate == 15 / 20
    assert figures.asa_seconds == 6.0


def test_a_site_may_leave_short_abandons_out_and_count_over_the_answered() -> None:
    """The two choices in which cities differ change the denominators and nothing else."""
    counts = Counts.none()
    counts.outcomes |= {Outcome.ANSWERED: 17, Outcome.ABANDONED: 2, Outcome.SHORT_ABANDON: 1}
    counts.answered_within = 15
    site = FiguresSection(exclude_short_abandons=True, within_over="answered")
    figures = line_figures(counts, site, line="12315", name="市场监管", parent=None)
    assert figures.offered == 20
    assert figures.answer_rate == 17 / 19 and figures.within_rate == 15 / 17


def test_nothing_offered_has_no_rate() -> None:
    """0/0 is neither 0 % nor 100 %."""
    figures = line_figures(Counts.none(), FiguresSection(), line="x", name="x", parent=None)
    assert (figures.answer_rate, figures.within_rate, figures.asa_seconds) == (None, None, None)


def test_a_caller_who_still_waits_is_offered_but_in_no_rate() -> None:
    """The rate does not fall while people wait, only when they give up."""
    total, _ = figures_of(SITE, [count("12345", Outcome.ANSWERED, 3, 3), count("12345", None, 2)])
    assert total.offered == 5 and total.still_open == 2 and total.answer_rate == 1.0


def test_a_parent_sums_its_children_and_the_total_counts_each_row_once() -> None:
    """12315 holds 12358 and 12365-1; the whole hotline does not count them twice."""
    rows = [
        count("12315", Outcome.ANSWERED, 10, 10, 30_000),
        count("12358", Outcome.ABANDONED, 4),
        count("12365-1", Outcome.ANSWERED, 1, 0, 20_000),
        count("12345", Outcome.ANSWERED, 5, 5, 5_000),
    ]
    total, lines = figures_of(SITE, rows)
    by_line = {line.line: line for line in lines}
    assert by_line["12315"].offered == 15 and by_line["12315"].asa_seconds == pytest.approx(50 / 11)
    assert by_line["12358"].offered == 5 and by_line["12345"].offered == 5
    assert total.offered == 20


def test_rows_of_a_line_that_the_site_dropped_are_still_shown() -> None:
    """Changing the site file makes no call vanish."""
    total, lines = figures_of(SITE, [count("12329", Outcome.ANSWERED, 7, 7)])
    assert total.offered == 7 and lines[-1].line == "12329"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["12345", "12315", "12358", "12365-1", "gone"]),
            st.sampled_from([*Outcome, None]),
            st.integers(0, 1000),
        )
    )
)
def test_offered_always_equals_the_sum_of_its_classes(rows: list[tuple[str, Outcome | None, int]]) -> None:
    """For any rows, in every line and in the total."""
    total, lines = figures_of(SITE, [count(*row) for row in rows])
    for figures in (total, *lines):
        assert figures.offered == sum(figures.outcomes.values()) + figures.still_open
        assert figures.answer_rate is None or 0 <= figures.answer_rate <= 1
    assert total.offered == sum(number for _, _, number in rows)

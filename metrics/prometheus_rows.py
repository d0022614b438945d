"""The ledger for Prometheus: what became known of each row, counted once, when the row is in the database.

Each moment of a row (`RowMoment`) is told once: a replay, a resync, a restart or queue_log after a crash
brings none a second time, and what was not saved yet when the server was killed was not counted either.
``source`` is the row's: ``live``, or ``queue_log`` for what happened while the server was away, counted when
it is recovered, so later than it happened. A class corrected after it was saved stays as it was counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from hotline.config.schema import Site
from hotline.core.events import Outcome, Source, SurveyOutcome
from hotline.store.ledger import EntryRecord, RowMoment, SurveyRecord

WAIT_BUCKETS: Final = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)  # 15 s is the norm
RING_BUCKETS: Final = (1, 2, 3, 5, 10, 15, 20, 30, 60)
TALK_BUCKETS: Final = (15, 30, 60, 120, 180, 240, 300, 420, 600, 900, 1800, 3600)
OTHER: Final = "other"  # a line or queue that the site file has not

RECOVERED = "By source: live, or queue_log for what the server missed, counted when it was recovered."
ANSWERS: Final = (
    *(str(key) for key in range(5, 0, -1)),
    *(one.value for one in SurveyOutcome if one is not SurveyOutcome.ANSWERED),
)
SOURCES = (Source.LIVE.value, Source.QUEUE_LOG.value)


@dataclass(frozen=True, slots=True)
class Names:
    """The site's lines and queues: the only values that labels of these names have, but for ``other``."""

    lines: dict[str, str]  # line -> its queue
    queues: frozenset[str]

    @classmethod
    def of_site(cls, site: Site) -> Names:
        """Those of the site file."""
        queues = frozenset(queue.name for queue in site.queues)
        return cls({line.id: line.queue_name for line in site.lines}, queues)

    def line(self, line: str) -> str:
        """The line's label."""
        return line if line in self.lines else OTHER

    def queue(self, queue: str) -> str:
        """The queue's label."""
        return queue if queue in self.queues else OTHER


class RowCounts:
    """Counters and histograms of ledger rows.

    Args:
        site: its lines, queues and the definitions of its rates.
        names: labels.
        registry: where the series are shown.
    """

    def __init__(self, site: Site, names: Names, registry: CollectorRegistry) -> None:
        self._names, self._figures, self._asks = names, site.figures, site.survey is not None

        def counter(name: str, text: str, *more: str) -> Counter:
            labels = ["line", "queue", *more, "source"]
            return Counter(f"hotline_{name}", f"{text} {RECOVERED}", labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *more: str) -> Histogram:
            return Histogram(f"hotline_{name}", text, ["line", *more], registry=registry, buckets=buckets)

        norm = site.figures.answer_within_seconds
        self._offered = counter("offered", "Callers who began to wait in a queue.")
        self._answered = counter("answered", "Callers answered by a person, from the answer on.")
        self._within = counter("answered_within_norm", f"Of them, those who had waited {norm} s at the most.")
        self._base = counter(
            "answer_rate_base",
            "Waits that are over, as the site's answer rate counts them: its denominator.",
        )
        self._within_base = counter(
            "within_rate_base",
            f"Waits that are over, as the site's rate of answers within {norm} s counts them.",
        )
        self._closed = counter(
            "entries_closed", "Ledger rows closed, by class; an answered one when its talk ended.", "outcome"
        )
        self._rings_in_vain = counter("ring_no_answers", "Agents' phones that rang in vain for a caller.")
        self._surveys = counter(
            "surveys",
            "Callers asked after the talk, by key (5 very satisfied to 1) or why there is none.",
            "answer",
        )
        self._wait = histogram(
            "wait_seconds",
            "Seconds waited, by how the wait ended.",
            tuple(sorted({*WAIT_BUCKETS, norm})),
            "outcome",
        )
        self._ring = histogram("ring_seconds", "Seconds that the phone rang which answered.", RING_BUCKETS)
        self._talk = histogram(
            "talk_seconds", "Seconds of talk with who answered, holds included.", TALK_BUCKETS
        )
        self._hold = histogram("hold_seconds", "Seconds of that talk on hold.", TALK_BUCKETS)
        self._wrap_up = histogram("wrap_up_seconds", "Seconds of work after a talk.", TALK_BUCKETS)
        self._begin(names)

    def _begin(self, names: Names) -> None:
        """Have the series before their first row: a rate needs to see them rise."""
        for line, queue in {**names.lines, OTHER: OTHER}.items():
            queue = names.queue(queue)
            for source in SOURCES:
                for one in (
                    self._offered, self._answered, self._within, self._base, self._within_base,
                    self._rings_in_vain,
                ):  # fmt: skip
                    one.labels(line, queue, source)
                for outcome in Outcome:
                    self._closed.labels(line, queue, outcome.value, source)
                for answer in ANSWERS if self._asks else ():
                    self._surveys.labels(line, queue, answer, source)
            for series in (self._ring, self._talk, self._hold, self._wrap_up):
                series.labels(line)
            for outcome in (Outcome.ANSWERED, Outcome.ABANDONED):
                self._wait.labels(line, outcome.value)

    def count(self, moment: RowMoment, row: EntryRecord) -> None:
        """Count what became known of a row, which is saved."""
        line = self._names.line(row.line)
        labels = (line, self._names.queue(row.queue), row.source)
        match moment:
            case RowMoment.OFFERED:
                self._offered.labels(*labels).inc()
            case RowMoment.DECIDED:
                self._decided(row, line, labels)
            case RowMoment.CLOSED:
                self._closed.labels(*labels[:2], row.outcome, row.source).inc()
                if row.outcome == Outcome.ANSWERED:
                    self._talk.labels(line).observe(row.talk_ms / 1000)
                    self._hold.labels(line).observe(row.hold_ms / 1000)
            case RowMoment.WRAPPED_UP:
                self._wrap_up.labels(line).observe(row.wrap_up_ms / 1000)

    def count_survey(self, row: SurveyRecord) -> None:
        """Count a survey, which is saved."""
        line, queue = self._names.line(row.line), self._names.queue(row.queue)
        self._surveys.labels(line, queue, str(row.answer or row.outcome), row.source).inc()

    def _decided(self, row: EntryRecord, line: str, labels: tuple[str, str, str]) -> None:
        """The wait is over."""
        figures = self._figures
        answered = row.outcome == Outcome.ANSWERED
        excluded = row.outcome == Outcome.SHORT_ABANDON and figures.exclude_short_abandons
        self._wait.labels(line, row.outcome).observe(row.wait_ms / 1000)
        self._rings_in_vain.labels(*labels).inc(row.unanswered_rings)
        if not excluded:
            self._base.labels(*labels).inc()
        if answered or (figures.within_over == "offered" and not excluded):
            self._within_base.labels(*labels).inc()
        if answered:
            self._answered.labels(*labels).inc()
            self._ring.labels(line).observe(row.ring_ms / 1000)
            if row.wait_ms <= figures.answer_within_seconds * 1000:
                self._within.labels(*labels).inc()

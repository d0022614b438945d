"""What Prometheus scrapes: ledger rows (`RowCounts`), the present (`Present`) and what the bus tells.

Labels are bounded: lines, queues and engines of the site file, topics of its rules, ledger classes, agent
states, sides; whatever else the exchange says is ``other``. Units are seconds. Counters begin at 0 with the
server, as Prometheus expects.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any
from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

from hotline import __version__
from hotline.config.schema import MetricsSection, Site
from hotline.core.alerts import Alert, AlertKind
from hotline.core.bus import follow
from hotline.core.errors import SetupError
from hotline.core.events import (
    AlertCleared,
    AlertRaised,
    CallEnded,
    CallStarted,
    CallUnderstood,
    EngineChanged,
    Event,
    FallbackUsed,
    LegLost,
    LegTapped,
    LinkChanged,
    MenuFinished,
    MenuOutcome,
    Side,
    TalkKind,
    TalkStarted,
    TranscriptSegment,
)
from hotline.core.ports import Bus, LivePicture
from hotline.metrics.prometheus_present import Number, Numbers, Present
from hotline.metrics.prometheus_rows import OTHER, Names, RowCounts

__all__ = ["Exporter", "MetricsServer", "Number", "Numbers"]

FEED_LIMIT = 20_000  # events unread; beyond that they are replayed from the bus's history
MENU_BUCKETS = (2, 5, 10, 15, 20, 30, 45, 60, 90)
LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 5)

# else there is a series more for each of ours, which nobody reads
disable_created_metrics()  # type: ignore[no-untyped-call]


class Exporter:
    """Counts for Prometheus.

    Args:
        site: its lines, queues and definitions of rates.
        bus: what to count.
        picture: the present, read at each scrape.
        numbers: further numbers of the rooms, read on the event loop at each scrape.
        raised: alerts that are raised already.

    Attributes:
        rows: to be told of ledger rows once they are saved.
    """

    def __init__(
        self,
        site: Site,
        bus: Bus,
        picture: LivePicture,
        numbers: Iterable[Numbers],
        raised: Iterable[Alert] = (),
    ) -> None:
        self.registry = CollectorRegistry()
        self._bus = bus
        self._names = Names.of_site(site)
        self.rows = RowCounts(site, self._names, self.registry)
        self._taps: dict[tuple[str, Side, str], str] = {}  # voices being heard, by which engine
        make = self._make
        self._calls = make(Counter, "calls", "Callers who reached the hotline.", ["line"])
        self._callbacks = make(Counter, "callbacks", "Calls by which agents called citizens back.", ["line"])
        self._talks = make(
            Counter, "talks", "Talks that began, by how who talks came to it (transfer: handed on).", ["kind"]
        )
        self._menus = make(Counter, "menu_visits", "Menu visits, by how they ended.", ["outcome"])
        self._menu_time = make(
            Histogram, "menu_seconds", "Seconds spent in a menu.", ["outcome"], buckets=MENU_BUCKETS
        )
        self._fallbacks = make(
            Counter,
            "menu_fallbacks",
            "Callers whom the dialplan led on because the menu server failed.",
            ["line"],
        )
        self._latency = make(
            Histogram,
            "transcript_latency_seconds",
            "Seconds from the arrival of audio to the text that rests on it.",
            ["kind"],
            buckets=LATENCY_BUCKETS,
        )
        self._understood = make(
            Counter, "calls_understood", "Calls by what they were about, once over.", ["type", "topic"]
        )
        self._taps_live = make(Gauge, "taps", "Voices of calls being heard now.", ["side"])
        self._taps_lost = make(
            Counter, "taps_lost", "Voices of live calls that stopped being heard.", ["side"]
        )
        self._engine_taps = make(Gauge, "engine_taps", "Voices being heard now, by engine.", ["engine"])
        self._handovers = make(
            Counter, "engine_changes", "Voices that another engine took, and why.", ["engine", "reason"]
        )
        self._engines: set[str] = set()  # those seen: as many as the site names
        self._link = make(Gauge, "ami_connected", "1 while the link to Asterisk's manager is up.", [])
        self._alerts = make(Gauge, "alerts", "Alerts raised now, by kind.", ["kind"])
        for kind in AlertKind:
            self._alerts.labels(kind.value)
        for alert in raised:
            self._alerts.labels(alert.kind.value).inc()
        for side in Side:  # a series that is there before the first event can be alerted on
            self._taps_live.labels(side.value)
            self._taps_lost.labels(side.value)
        for line in (*self._names.lines, OTHER):
            for counter in (self._calls, self._callbacks, self._fallbacks):
                counter.labels(line)
        for talk in TalkKind:
            self._talks.labels(talk.value)
        for outcome in MenuOutcome:
            self._menus.labels(outcome.value)
            self._menu_time.labels(outcome.value)
        for kind_of_text in ("partial", "final"):
            self._latency.labels(kind_of_text)
        self._say_what_is_fixed(site)
        ProcessCollector(registry=self.registry)
        self.registry.register(Present(picture, list(numbers), self._names))

    def _say_what_is_fixed(self, site: Site) -> None:
        """The norms, the tree of lines and the version: for rules and dashboards to join with."""
        figures = site.figures
        norm = self._make(Gauge, "answer_norm_seconds", "A caller is to be answered within so long.", [])
        norm.set(figures.answer_within_seconds)
        rate = self._make(Gauge, "answer_rate_norm_ratio", "The answer rate is to be no less.", [])
        rate.set(figures.answer_rate_norm)
        lines = self._make(Gauge, "line_info", "Each line's name and parent.", ["line", "name", "parent"])
        for line in site.lines:
            lines.labels(line.id, line.name, line.parent or "").set(1)
        self._make(Gauge, "build_info", "The version that runs.", ["version"]).labels(__version__).set(1)

    def _make(self, kind: type[Any], name: str, text: str, labels: list[str], **more: Any) -> Any:
        return kind(f"hotline_{name}", text, labels, registry=self.registry, **more)

    async def run(self) -> None:
        """Count until cancelled."""
        feed = self._bus.subscribe("metrics", limit=FEED_LIMIT)
        async for envelope in follow(self._bus, feed, "metrics", limit=FEED_LIMIT):
            self.count(envelope.event)

    def count(self, event: Event) -> None:
        """Count one event."""
        match event:
            case CallStarted():
                counter = self._callbacks if event.callback_of else self._calls
                counter.labels(self._names.line(event.line)).inc()
            case TalkStarted():
                self._talks.labels(event.kind.value).inc()
            case MenuFinished():
                self._menus.labels(event.outcome.value).inc()
                self._menu_time.labels(event.outcome.value).observe(event.menu_seconds)
            case FallbackUsed():
                self._fallbacks.labels(self._names.line(event.line)).inc()
            case TranscriptSegment():
                seconds = max(0.0, (event.at - event.audio_at).total_seconds())
                self._latency.labels("final" if event.final else "partial").observe(seconds)
            case LegTapped():
                self._taps[event.call_id, event.side, event.party] = event.engine
                self._count_taps()
            case EngineChanged():
                self._handovers.labels(event.engine, event.reason).inc()
                if (event.call_id, event.side, event.party) in self._taps:
                    self._taps[event.call_id, event.side, event.party] = event.engine
                    self._count_taps()
            case LegLost():
                self._taps_lost.labels(event.side.value).inc()
                self._taps.pop((event.call_id, event.side, event.party), None)
                self._count_taps()
            case CallUnderstood(settled=True):  # topics are those of the site's rules: some sixty
                kind = event.request_type.value if event.request_type else "unknown"
                self._understood.labels(kind, event.topic or "unknown").inc()
            case LinkChanged():
                self._link.set(event.up)
            case AlertRaised():
                self._alerts.labels(event.alert.kind.value).inc()
            case AlertCleared():
                self._alerts.labels(event.kind.value).dec()
            case CallEnded():
                self._forget(event.call_id)
            case _:
                pass

    def _forget(self, call_id: str) -> None:
        """A call is over: its taps are, too."""
        self._taps = {tap: engine for tap, engine in self._taps.items() if tap[0] != call_id}
        self._count_taps()

    def _count_taps(self) -> None:
        for side in Side:
            self._taps_live.labels(side.value).set(sum(1 for _, heard, _ in self._taps if heard is side))
        self._engines.update(self._taps.values())
        for engine in self._engines:
            self._engine_taps.labels(engine).set(sum(1 for heard in self._taps.values() if heard == engine))


class MetricsServer:
    """The exporter on its own port."""

    def __init__(self, exporter: Exporter, settings: MetricsSection) -> None:
        self._exporter, self._settings = exporter, settings
        self._server: WSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._settings.port

    def start(self) -> None:
        """Listen.

        Raises:
            SetupError: the port is taken.
        """
        host, port = self._settings.host, self._settings.port
        try:
            self._server, self._thread = start_http_server(port, host, self._exporter.registry)
        except OSError as error:
            raise SetupError(
                f"port {port} for Prometheus is taken", hint="free it or set metrics.port in the site file"
            ) from error

    def close(self) -> None:
        """Stop listening; safe to call twice."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = self._thread = None

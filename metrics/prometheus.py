"""What Prometheus scrapes: counted from the bus, read from the rooms' own numbers at each scrape.

Labels are bounded: lines and engines of the site file, ledger classes, agent states, sides. Units are
seconds. A replayed event (the bus tells answered calls anew after a lost link) is counted once, by its ledger
row.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from hotline.config.schema import MetricsSection
from hotline.core.alerts import Alert, AlertKind
from hotline.core.bus import follow
from hotline.core.errors import SetupError
from hotline.core.events import (
    AgentState,
    AlertCleared,
    AlertRaised,
    CallAnswered,
    CallEnded,
    CallerQueued,
    CallStarted,
    CallUnderstood,
    EngineChanged,
    EntryClosed,
    Event,
    FallbackUsed,
    LegLost,
    LegTapped,
    LinkChanged,
    MenuFinished,
    Outcome,
    Side,
    TranscriptSegment,
)
from hotline.core.ports import Bus, LivePicture

FEED_LIMIT = 20_000  # events unread; beyond that they are replayed from the bus's history
WAIT_BUCKETS = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)  # 15 s is the norm
LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 5)

Number = tuple[str, str, bool, float]
"""A room's own number: name without prefix, help, whether it only grows, value."""

Numbers = Callable[[], Iterable[Number]]
"""Reads a room's numbers."""


class Exporter:
    """Counts the bus's events for Prometheus.

    Args:
        bus: what to count.
        picture: the present, read at each scrape.
        numbers: further numbers of the rooms, read on the event loop at each scrape.
        lines: the line ids of the site file; an event of another line is counted under ``other``.
        raised: alerts that are raised already.
    """

    def __init__(
        self,
        bus: Bus,
        picture: LivePicture,
        numbers: Iterable[Numbers],
        lines: Iterable[str],
        raised: Iterable[Alert] = (),
    ) -> None:
        self.registry = CollectorRegistry()
        self._bus = bus
        self._lines = set(lines)
        self._answered: dict[str, None] = {}  # entry ids told as answered, oldest first, at most 20,000
        self._taps: dict[tuple[str, Side, str], str] = {}  # voices being heard, by which engine
        make = self._make
        self._calls = make(Counter, "calls", "Callers who reached the hotline.", ["line"])
        self._offered = make(Counter, "offered", "Callers who began to wait in a queue.", ["line"])
        self._answers = make(Counter, "answered", "Callers answered by a person.", ["line"])
        self._closed = make(
            Counter, "entries_closed", "Ledger rows closed, by their class.", ["line", "outcome"]
        )
        self._wait = make(
            Histogram,
            "wait_seconds",
            "Seconds waited by callers who were answered or gave up.",
            ["line", "outcome"],
            buckets=WAIT_BUCKETS,
        )
        self._menus = make(Counter, "menu_visits", "Menu visits, by how they ended.", ["outcome"])
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
        self._enquiries: set[str] = set()  # open entries in which an agent waits
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
        for line in self._lines:
            for counter in (self._calls, self._offered, self._answers, self._fallbacks):
                counter.labels(line)
        self.registry.register(_AtScrape(picture, list(numbers)))

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
            case CallStarted(callback_of=None):
                self._calls.labels(self._line(event.line)).inc()
            case CallerQueued(enquiry=True):
                self._enquiries.add(event.entry_id)
            case CallerQueued():
                self._offered.labels(self._line(event.line)).inc()
            case CallAnswered():
                self._count_answer(event)
            case EntryClosed(enquiry=True):
                self._enquiries.discard(event.entry_id)
            case EntryClosed():
                line = self._line(event.line)
                if event.entry_id in self._enquiries:  # the caller was put through after all
                    self._enquiries.discard(event.entry_id)
                    self._offered.labels(line).inc()
                    self._answers.labels(line).inc()
                    self._wait.labels(line, event.outcome.value).observe(event.wait_seconds)
                self._closed.labels(line, event.outcome.value).inc()
                if event.outcome is not Outcome.ANSWERED:
                    self._wait.labels(line, event.outcome.value).observe(event.wait_seconds)
            case MenuFinished():
                self._menus.labels(event.outcome.value).inc()
            case FallbackUsed():
                self._fallbacks.labels(self._line(event.line)).inc()
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

    def _count_answer(self, event: CallAnswered) -> None:
        if event.entry_id in self._answered or event.entry_id in self._enquiries:
            return
        self._answered[event.entry_id] = None
        if len(self._answered) > 20_000:
            del self._answered[next(iter(self._answered))]
        line = self._line(event.line)
        self._answers.labels(line).inc()
        self._wait.labels(line, Outcome.ANSWERED.value).observe(event.wait_seconds)

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

    def _line(self, line: str) -> str:
        return line if line in self._lines else "other"


class _AtScrape(Collector):
    """Numbers that are read, not counted.

    Scrapes come on a thread of their own; the rooms belong to the event loop. So they are read there, and a
    loop that does not answer within two seconds is itself the news.
    """

    def __init__(self, picture: LivePicture, numbers: list[Numbers]) -> None:
        self._picture, self._numbers = picture, numbers
        self._loop = asyncio.get_running_loop()

    def describe(self) -> Iterable[Any]:
        return ()  # registering must not scrape

    def collect(self) -> Iterable[Any]:
        async def read() -> list[Any]:
            return list(self._read())

        responsive = GaugeMetricFamily("hotline_event_loop_responsive", "0 when the server's loop hangs.")
        pending = asyncio.run_coroutine_threadsafe(read(), self._loop)
        try:
            families = pending.result(timeout=2)
        except TimeoutError:
            pending.cancel()
            families = []
        responsive.add_metric([], 1 if families else 0)
        return [responsive, *families]

    def _read(self) -> Iterable[Any]:
        live = self._picture.live()
        agents = GaugeMetricFamily("hotline_agents", "Agents of the site file, by state.", labels=["state"])
        for state in AgentState:
            agents.add_metric([state.value], sum(agent.state is state for agent in live.agents))
        waiting = GaugeMetricFamily("hotline_callers_waiting", "Callers in a queue now.", labels=["queue"])
        longest = GaugeMetricFamily(
            "hotline_longest_wait_seconds",
            "How long the first caller of a queue has waited.",
            labels=["queue"],
        )
        queues: dict[str, list[float]] = {}
        for caller in live.waiting:
            queues.setdefault(caller.queue, []).append((live.at - caller.since).total_seconds())
        for queue, waits in queues.items():
            waiting.add_metric([queue], len(waits))
            longest.add_metric([queue], max(waits))
        yield from (agents, waiting, longest)
        for read in self._numbers:
            for name, text, is_counter, value in read():
                family = CounterMetricFamily if is_counter else GaugeMetricFamily
                yield family(f"hotline_{name}", text, value=value)


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

"""What is wrong now: the site's limits against the live picture, recent figures and the rooms' numbers.

Pure, but with a memory: of flagged calls, of agents paused by us, and of counters, to see that they rise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hotline.config.schema import Site
from hotline.core.alerts import Alert, AlertKind
from hotline.core.events import (
    AgentAutoPaused,
    AgentState,
    AlarmKind,
    CallFlagged,
    Event,
    NuisanceKind,
    WordsHeard,
)
from hotline.core.views import AgentView, LineFigures, LiveView, WaitingCaller
from hotline.metrics import alert_texts as say
from hotline.metrics.alert_texts import TOTAL, Texts
from hotline.metrics.alerts import Trouble

FROM_THE_EXCHANGE = frozenset(
    {
        AlertKind.WAITING,
        AlertKind.LONGEST_WAIT,
        AlertKind.UNSTAFFED,
        AlertKind.WRAP_UP,
        AlertKind.NO_ANSWER,
        AlertKind.ABUSIVE,
        AlertKind.URGENT_WORDS,
        AlertKind.ABUSIVE_WORDS,
    }
)
"""Nothing can be said of these while the link is down: the picture stands still."""

ABSENT = frozenset({AgentState.SIGNED_OUT, AgentState.UNREACHABLE})
HURTS = frozenset({NuisanceKind.ABUSE, NuisanceKind.HARASSMENT})
RISING_SECONDS = 60.0  # a counter that rose so lately is trouble
SETTLE_SECONDS = 10.0  # for the exchange to show a pause that we were told of
OF_WORDS = {
    AlarmKind.URGENT: (AlertKind.URGENT_WORDS, say.urgent_words),
    AlarmKind.ABUSIVE: (AlertKind.ABUSIVE_WORDS, say.abusive_words),
}
MAX_FLAGS = 200  # flagged calls, and calls with alarming words, remembered; the oldest go first

ASR_READY = "asr_workers_ready"
ASR_WITHOUT_ROOM = "asr_taps_without_room"
RECORDING_FAILURES = "recording_failures"
RECORDINGS_WAITING = "recordings_waiting"
"""The rooms' numbers looked at, by the names that Prometheus shows (without ``hotline_``)."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Room where data_dir lies."""

    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Signs:
    """What the rules look at.

    Attributes:
        recent: figures of the answer rate's window, ``total`` among them; None while they cannot be had.
        numbers: the rooms' own, by name.
        disk: None while it cannot be told.
    """

    live: LiveView
    recent: tuple[LineFigures, ...] | None
    numbers: Mapping[str, float]
    disk: Disk | None


def for_seconds(site: Site) -> dict[AlertKind, float]:
    """How long each kind must be in trouble before it is raised; the others are raised at once."""
    rules = site.alerts
    return {
        AlertKind.WAITING: rules.waiting.for_seconds,
        AlertKind.UNSTAFFED: rules.unstaffed.for_seconds,
        AlertKind.ANSWER_RATE: rules.answer_rate.for_seconds,
        AlertKind.LINK: rules.link.for_seconds,
        AlertKind.RECOGNISER: rules.recogniser.for_seconds,
        AlertKind.RECORDING: rules.recording.for_seconds,
        AlertKind.DISK: rules.disk.for_seconds,
    }


class Rules:
    """The rules of one site. Give it every event (``hear``), and ask it at each moment (``look``)."""

    def __init__(self, site: Site) -> None:
        self._site, self._limits = site, site.alerts
        self._titles = {queue.name: queue.title for queue in site.queues}
        self._lines = {line.id: f"{line.label} {line.name}" for line in site.lines}
        self._people = {agent.id: f"{agent.name}（{agent.id}）" for agent in site.agents}
        self._flags: dict[str, str] = {}  # call id: who flagged it; empty when that was before a restart
        self._words: dict[tuple[AlertKind, str], Texts] = {}  # what to say of a call's words
        self._paused: dict[str, _AutoPause] = {}  # by agent
        self._counters: dict[str, _Counter] = {}

    def hear(self, event: Event, seconds: float) -> None:
        """Remember what only an event tells; ``seconds`` as in ``look``."""
        match event:
            case CallFlagged() if event.kind not in HURTS:
                self._flags.pop(event.call_id, None)  # it was marked for something else by mistake
            case CallFlagged():
                self._flags[event.call_id] = event.agent
                if len(self._flags) > MAX_FLAGS:
                    del self._flags[next(iter(self._flags))]
            case WordsHeard():
                kind, words = OF_WORDS[event.kind]
                agent = self._people.get(event.agent, event.agent or "—")
                text = words(agent, self._lines.get(event.line, event.line), event.words)
                self._words.setdefault((kind, event.call_id), text)
                if len(self._words) > MAX_FLAGS:
                    del self._words[next(iter(self._words))]
            case AgentAutoPaused():
                self._paused[event.agent] = _AutoPause(event.rings, seconds)
            case _:
                pass

    def remember(self, alerts: Iterable[Alert], seconds: float) -> None:
        """Know again what only an event told, from the alerts of an earlier run."""
        for alert in alerts:
            if alert.kind is AlertKind.ABUSIVE:
                self._flags[alert.subject] = ""
            elif alert.kind in (AlertKind.URGENT_WORDS, AlertKind.ABUSIVE_WORDS):
                self._words[alert.kind, alert.subject] = Texts(alert.text, alert.text_en)
            elif alert.kind is AlertKind.NO_ANSWER:
                self._paused[alert.subject] = _AutoPause(int(alert.value or 0), seconds)

    def unknown(self, signs: Signs) -> set[AlertKind]:
        """The kinds of which nothing can be said now."""
        kinds = set() if signs.live.link_up else set(FROM_THE_EXCHANGE)
        if signs.recent is None:
            kinds.add(AlertKind.ANSWER_RATE)
        if signs.disk is None:
            kinds.add(AlertKind.DISK)
        return kinds

    def look(self, signs: Signs, seconds: float) -> list[Trouble]:
        """All that is beyond its limit now.

        Args:
            signs: the present.
            seconds: the present on a monotonic clock.
        """
        troubles = [
            *self._queues(signs.live),
            *self._answer_rates(signs.recent or ()),
            *self._wrap_ups(signs.live),
            *self._auto_pauses(signs.live, seconds),
            *self._flagged(signs.live),
            *self._heard_words(signs.live),
            *self._machine(signs, seconds),
        ]
        return [trouble for trouble in troubles if trouble.kind not in self._limits.off]

    def _queues(self, live: LiveView) -> Iterator[Trouble]:
        queues: dict[str, list[WaitingCaller]] = {}
        for caller in live.waiting:
            queues.setdefault(caller.queue, []).append(caller)
        here = [agent for agent in live.agents if agent.state not in ABSENT]
        signed_in = {queue for agent in here for queue in agent.queues}
        at_work = {queue for agent in here if agent.state is not AgentState.PAUSED for queue in agent.queues}
        for queue, callers in queues.items():
            title, count = self._titles.get(queue, queue), len(callers)
            limit = self._limits.waiting.queues.get(queue, self._limits.waiting.more_than)
            if count > limit:
                yield _trouble(AlertKind.WAITING, queue, count, limit, say.waiting(title, count, limit))
            waited = (live.at - min(caller.since for caller in callers)).total_seconds()
            limit = self._limits.longest_wait.queues.get(queue, self._limits.longest_wait.over_seconds)
            if waited > limit:
                text = say.longest_wait(title, waited, limit)
                yield _trouble(AlertKind.LONGEST_WAIT, queue, waited, limit, text)
            if queue not in at_work:
                why = say.all_on_break if queue in signed_in else say.unstaffed
                yield _trouble(AlertKind.UNSTAFFED, queue, count, 0, why(title, count))

    def _answer_rates(self, recent: tuple[LineFigures, ...]) -> Iterator[Trouble]:
        rule = self._limits.answer_rate
        norm = rule.under if rule.under is not None else self._site.figures.answer_rate_norm
        for line in recent:
            closed = line.offered - line.still_open
            if line.answer_rate is None or closed < rule.at_least_offered or line.answer_rate >= norm:
                continue
            name = None if line.line == TOTAL else line.name
            text = say.answer_rate(name, line.answer_rate, norm, closed, rule.window_seconds)
            yield _trouble(AlertKind.ANSWER_RATE, line.line, line.answer_rate, norm, text)

    def _wrap_ups(self, live: LiveView) -> Iterator[Trouble]:
        limit = self._limits.wrap_up.over_seconds
        for agent in live.agents:
            seconds = (live.at - agent.since).total_seconds()
            if agent.state is AgentState.WRAP_UP and seconds > limit:
                text = say.wrap_up(_person(agent), seconds, limit)
                yield _trouble(AlertKind.WRAP_UP, agent.agent, seconds, limit, text)

    def _auto_pauses(self, live: LiveView, seconds: float) -> Iterator[Trouble]:
        agents = {agent.agent: agent for agent in live.agents}
        for name, pause in list(self._paused.items()):
            agent = agents.get(name)
            still = agent is not None and agent.state in (AgentState.PAUSED, AgentState.UNREACHABLE)
            pause.seen = pause.seen or still
            over = not still and (pause.seen or seconds - pause.heard_seconds > SETTLE_SECONDS)
            if agent is None or (live.link_up and over):
                del self._paused[name]
                continue
            text = say.no_answer(_person(agent), pause.rings)
            yield _trouble(AlertKind.NO_ANSWER, name, pause.rings, None, text)

    def _flagged(self, live: LiveView) -> Iterator[Trouble]:
        """Abuse that goes on: once the call is over or the mark taken back, nobody need listen."""
        if not live.link_up:
            return
        calls = {call.call_id: call for call in live.calls}
        people = {agent.agent: _person(agent) for agent in live.agents}
        for call_id, flagged_by in list(self._flags.items()):
            call = calls.get(call_id)
            if call is None or not call.nuisance:
                del self._flags[call_id]
                continue
            agent = flagged_by or call.agent or ""
            yield _trouble(AlertKind.ABUSIVE, call_id, None, None, say.abusive(people.get(agent, agent)))

    def _heard_words(self, live: LiveView) -> Iterator[Trouble]:
        """Alarming words of calls that go on."""
        if not live.link_up:
            return
        alive = {call.call_id for call in live.calls}
        for (kind, call_id), text in list(self._words.items()):
            if call_id in alive:
                yield _trouble(kind, call_id, None, None, text)
            else:
                del self._words[kind, call_id]

    def _machine(self, signs: Signs, seconds: float) -> Iterator[Trouble]:
        if not signs.live.link_up:
            yield _trouble(AlertKind.LINK, "asterisk", None, None, say.link())
        wanted = self._site.asr.workers if self._site.asr.enabled else 0
        ready = signs.numbers.get(ASR_READY, wanted)
        if ready < wanted:
            yield _trouble(AlertKind.RECOGNISER, "workers", ready, wanted, say.workers(int(ready), wanted))
        if self._rose(signs.numbers, ASR_WITHOUT_ROOM, seconds):
            yield _trouble(AlertKind.RECOGNISER, "capacity", None, None, say.capacity())
        waiting = signs.numbers.get(RECORDINGS_WAITING, 0)
        if self._rose(signs.numbers, RECORDING_FAILURES, seconds) or waiting:
            yield _trouble(AlertKind.RECORDING, "recordings", waiting, 0, say.recording(int(waiting)))
        if signs.disk is not None:
            yield from self._disk(signs.disk)

    def _disk(self, disk: Disk) -> Iterator[Trouble]:
        rule = self._limits.disk
        share, gib = disk.free_bytes / max(1, disk.total_bytes), disk.free_bytes / 1024**3
        if share < rule.under_percent_free / 100 or gib < rule.under_gib_free:
            limit = max(rule.under_gib_free, rule.under_percent_free / 100 * disk.total_bytes / 1024**3)
            yield _trouble(AlertKind.DISK, "data_dir", round(gib, 2), round(limit, 2), say.disk(gib, share))

    def _rose(self, numbers: Mapping[str, float], name: str, seconds: float) -> bool:
        """Whether this counter rose lately; what it was at the first look is the past."""
        total = numbers.get(name, 0.0)
        counter = self._counters.setdefault(name, _Counter(total))
        if total > counter.total:
            counter.rose_seconds = seconds
        counter.total = total
        return counter.rose_seconds is not None and seconds - counter.rose_seconds < RISING_SECONDS


@dataclass(slots=True)
class _Counter:
    total: float
    rose_seconds: float | None = None


@dataclass(slots=True)
class _AutoPause:
    rings: int
    heard_seconds: float
    seen: bool = False  # the exchange has shown it


def _trouble(kind: AlertKind, subject: str, value: float | None, limit: float | None, text: Texts) -> Trouble:
    return Trouble(kind, subject, None if value is None else round(value, 4), limit, text.zh, text.en)


def _person(agent: AgentView) -> str:
    return f"{agent.name}（{agent.agent}）"

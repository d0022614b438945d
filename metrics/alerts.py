"""When an alert is raised and when it is cleared: one alert a subject, and no flapping.

    well ──trouble──> troubled ──trouble for `for_seconds`──> raised ──well for `clear_seconds`──> well
                      troubled ──well──> well                 raised ──trouble again──> raised, the wait anew

Pure: troubles in, time given, events out. A kind whose signs cannot be seen now (``unknown``) neither raises
nor clears, and its waits begin anew once it is seen again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from hotline.core.alerts import Alert, AlertKind, Severity
from hotline.core.events import AlertCleared, AlertEvent, AlertRaised

SEVERITIES: Mapping[AlertKind, Severity] = {
    AlertKind.WAITING: Severity.WARNING,
    AlertKind.LONGEST_WAIT: Severity.WARNING,
    AlertKind.UNSTAFFED: Severity.CRITICAL,
    AlertKind.ANSWER_RATE: Severity.WARNING,
    AlertKind.WRAP_UP: Severity.WARNING,
    AlertKind.NO_ANSWER: Severity.WARNING,
    AlertKind.ABUSIVE: Severity.CRITICAL,  # somebody is being shouted at
    AlertKind.URGENT_WORDS: Severity.CRITICAL,
    AlertKind.ABUSIVE_WORDS: Severity.WARNING,  # a machine heard it; the agent who flags it is surer
    AlertKind.LINK: Severity.CRITICAL,
    AlertKind.RECOGNISER: Severity.WARNING,
    AlertKind.RECORDING: Severity.CRITICAL,  # the law wants them
    AlertKind.DISK: Severity.CRITICAL,
}

OVER_AT_ONCE = frozenset(
    {AlertKind.ABUSIVE, AlertKind.URGENT_WORDS, AlertKind.ABUSIVE_WORDS}
)  # a call that is over does not flap

Key = tuple[AlertKind, str]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something is beyond its limit at this moment; see ``Alert`` for the fields."""

    kind: AlertKind
    subject: str
    value: float | None
    limit: float | None
    text: str
    text_en: str

    @property
    def key(self) -> Key:
        """What there is one alert for."""
        return self.kind, self.subject


@dataclass(slots=True)
class _Watched:
    troubled: bool | None = None  # None: not known since it was last seen
    since_seconds: float = 0.0  # when ``troubled`` became what it is
    alert: Alert | None = None


class AlertEngine:
    """Turns what is wrong at each moment into alerts.

    Args:
        node: of the site; alert ids begin with it.
        for_seconds: how long each kind must be in trouble before it is raised; 0 for kinds not named.
        clear_seconds: how long a raised one must be well, but for kinds that are over at once.
    """

    def __init__(self, node: str, for_seconds: Mapping[AlertKind, float], clear_seconds: float) -> None:
        self._node, self._for_seconds, self._clear_seconds = node, for_seconds, clear_seconds
        self._watched: dict[Key, _Watched] = {}
        self._last_stamp = 0

    def active(self) -> tuple[Alert, ...]:
        """Raised and not cleared, oldest first; value and text as last seen."""
        alerts = (watched.alert for watched in self._watched.values())
        return tuple(sorted((one for one in alerts if one is not None), key=lambda one: one.since))

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Know the alerts of an earlier run again, under their ids: what is well now clears in time."""
        for alert in alerts:
            self._watched[alert.kind, alert.subject] = _Watched(alert=alert)

    def update(
        self,
        troubles: Iterable[Trouble],
        at: datetime,
        seconds: float,
        *,
        unknown: Collection[AlertKind] = (),
    ) -> list[AlertEvent]:
        """Take in all that is wrong at this moment; what was raised or cleared by it.

        Args:
            troubles: everything wrong now; what is not among them is well.
            at: the present, for people.
            seconds: the present on a monotonic clock, for durations; never less than before.
            unknown: kinds of which nothing can be said now; their troubles are passed over.
        """
        events: list[AlertEvent] = []
        now = {trouble.key: trouble for trouble in troubles if trouble.kind not in unknown}
        for key, trouble in now.items():
            watched = self._watched.setdefault(key, _Watched())
            if watched.troubled is not True:
                watched.troubled, watched.since_seconds = True, seconds
            if watched.alert is not None:
                watched.alert = _refreshed(watched.alert, trouble)
            elif seconds - watched.since_seconds >= self._for_seconds.get(trouble.kind, 0):
                watched.alert = self._make(trouble, at)
                events.append(AlertRaised(at, watched.alert))
        for key, watched in list(self._watched.items()):
            if key[0] in unknown:
                watched.troubled = None
            elif key not in now:
                events += self._well(key, watched, at, seconds)
        return events

    def _well(self, key: Key, watched: _Watched, at: datetime, seconds: float) -> list[AlertEvent]:
        if watched.troubled is not False:
            watched.troubled, watched.since_seconds = False, seconds
        if watched.alert is None:
            del self._watched[key]
            return []
        if seconds - watched.since_seconds < self._clear_seconds and key[0] not in OVER_AT_ONCE:
            return []
        del self._watched[key]
        return [AlertCleared(at, watched.alert.alert_id, *key)]

    def _make(self, trouble: Trouble, at: datetime) -> Alert:
        self._last_stamp = max(self._last_stamp + 1, round(at.timestamp() * 1000))  # unique if clocks step
        return Alert(
            alert_id=f"{self._node}:{trouble.kind.value}:{trouble.subject}:{self._last_stamp}",
            kind=trouble.kind,
            subject=trouble.subject,
            severity=SEVERITIES[trouble.kind],
            since=at,
            value=trouble.value,
            limit=trouble.limit,
            text=trouble.text,
            text_en=trouble.text_en,
        )


def _refreshed(alert: Alert, trouble: Trouble) -> Alert:
    return replace(
        alert, value=trouble.value, limit=trouble.limit, text=trouble.text, text_en=trouble.text_en
    )

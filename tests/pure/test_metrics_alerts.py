"""When alerts are raised and cleared: the engine alone, against a slow and plain reading of the rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.core.alerts import AlertKind, Severity
from hotline.core.events import AlertCleared, AlertEvent, AlertRaised
from hotline.metrics.alerts import SEVERITIES, AlertEngine, Trouble

AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
FOR, CLEAR = 15.0, 30.0


def trouble(value: float = 12, subject: str = "12345") -> Trouble:
    return Trouble(AlertKind.WAITING, subject, value, 10, f"{value:.0f} 人排队", f"{value:.0f} wait")


class Bench:
    """An engine and the time it is told."""

    def __init__(self) -> None:
        self.engine = AlertEngine("n1", {AlertKind.WAITING: FOR}, CLEAR)
        self.seconds = 0.0
        self.events: list[AlertEvent] = []

    def at(self, seconds: float, *troubles: Trouble, unknown: bool = False) -> list[AlertEvent]:
        """What comes of these troubles at that second."""
        self.seconds = seconds
        kinds = [AlertKind.WAITING] if unknown else []
        came = self.engine.update(troubles, AT + timedelta(seconds=seconds), seconds, unknown=kinds)
        self.events += came
        return came


def test_trouble_is_raised_when_it_has_lasted_and_cleared_when_it_has_been_gone() -> None:
    """Fifteen seconds of trouble raise, thirty seconds without clear, and both name the same alert."""
    bench = Bench()
    assert bench.at(0, trouble()) == []
    assert bench.at(14, trouble()) == []
    (raised,) = bench.at(15, trouble(13))
    assert isinstance(raised, AlertRaised)
    assert (raised.alert.subject, raised.alert.value, raised.alert.limit) == ("12345", 13, 10)
    assert raised.alert.severity is Severity.WARNING and raised.alert.since == raised.at
    assert bench.at(16, trouble()) == [] and bench.at(17) == [] and bench.at(46.9) == []
    (cleared,) = bench.at(47)
    assert cleared == AlertCleared(
        AT + timedelta(seconds=47), raised.alert.alert_id, AlertKind.WAITING, "12345"
    )
    assert bench.engine.active() == ()


def test_what_cannot_flap_is_over_at_once() -> None:
    """An abusive call that has ended is not worth listening to for another half minute."""
    engine = AlertEngine("n1", {}, CLEAR)
    abuse = Trouble(AlertKind.ABUSIVE, "c1", None, None, "请监听", "listen")
    (raised,) = engine.update([abuse], AT, 0)
    (cleared,) = engine.update([], AT, 1)
    assert isinstance(raised, AlertRaised) and isinstance(cleared, AlertCleared)


def test_alerts_of_an_earlier_run_keep_their_ids() -> None:
    """What is still wrong is not told again; what is well by now is cleared under the id it was raised by."""
    before = Bench()
    before.at(0, trouble(), trouble(subject="12315"))
    before.at(15, trouble(), trouble(subject="12315"))
    raised = {one.subject: one.alert_id for one in before.engine.active()}
    after = Bench()
    after.engine.restore(before.engine.active())
    assert {one.subject: one.alert_id for one in after.engine.active()} == raised
    assert after.at(100, unknown=True) == [] == after.at(200, trouble(14))
    (cleared,) = after.at(200 + CLEAR, trouble(14))
    assert isinstance(cleared, AlertCleared) and cleared.alert_id == raised["12315"]
    (left,) = after.engine.active()
    assert (left.alert_id, left.value, left.since) == (raised["12345"], 14, AT + timedelta(seconds=15))


def test_the_list_shows_the_newest_value_under_the_old_id() -> None:
    """While it lasts, an alert keeps its id and its beginning; what is measured and said moves on."""
    bench = Bench()
    bench.at(0, trouble())
    (raised,) = bench.at(15, trouble())
    assert bench.at(60, trouble(25)) == []
    (now,) = bench.engine.active()
    assert isinstance(raised, AlertRaised)
    assert (now.alert_id, now.since) == (raised.alert.alert_id, raised.alert.since)
    assert (now.value, now.text) == (25, "25 人排队")


def test_the_same_subject_later_is_another_alert() -> None:
    """Raised again after it was cleared, also within the same millisecond, the id is a new one."""
    engine = AlertEngine("n1", {}, 0)
    ids = []
    for seconds in range(3):
        (raised,) = engine.update([trouble()], AT, seconds)  # the wall clock stands still
        assert isinstance(raised, AlertRaised)
        ids.append(raised.alert.alert_id)
        assert len(engine.update([], AT, seconds + 0.5)) == 1
    assert len(set(ids)) == 3 and all(one.startswith("n1:waiting:12345:") for one in ids)


def test_what_cannot_be_seen_is_neither_raised_nor_cleared() -> None:
    """While the link is down nothing is said of the queues; seen again, both waits begin anew."""
    bench = Bench()
    bench.at(0, trouble())
    assert bench.at(20, trouble(), unknown=True) == []
    assert bench.at(21, trouble()) == [] and bench.at(35, trouble()) == []
    assert len(bench.at(36, trouble())) == 1
    for second in range(40, 100, 10):
        assert bench.at(second, unknown=True) == []
    assert len(bench.engine.active()) == 1
    assert bench.at(100) == [] and len(bench.at(130)) == 1


def test_every_kind_has_a_severity() -> None:
    """A kind that is added says how soon somebody must act."""
    assert set(SEVERITIES) == set(AlertKind)


STEPS = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 1.0, 5.0, 14.0, 31.0]), st.sampled_from("bbbggu")), max_size=80
)


@settings(deadline=None)
@given(STEPS)
def test_no_flapping_whatever_comes(steps: list[tuple[float, str]]) -> None:
    """Raised only after trouble without a break, cleared only after a calm without a break, in turns.

    b: trouble, g: well, u: cannot be seen; each after so many seconds.
    """
    bench, seen = Bench(), list[tuple[float, str]]()
    for pause, what in steps:
        seen.append((bench.seconds + pause, what))
        came = bench.at(seen[-1][0], *([trouble()] if what == "b" else []), unknown=what == "u")
        assert len(came) <= 1
        up = sum(isinstance(one, AlertRaised) for one in bench.events)
        down = len(bench.events) - up
        assert up - down == len(bench.engine.active()) in (0, 1)
        if came and isinstance(came[0], AlertRaised):
            assert streak_seconds(seen, "b") >= FOR
        elif came:
            assert streak_seconds(seen, "g") >= CLEAR
        elif up == down:
            assert streak_seconds(seen, "b") < FOR
        else:
            assert streak_seconds(seen, "g") < CLEAR
    raised = [one.alert.alert_id for one in bench.events if isinstance(one, AlertRaised)]
    cleared = [one.alert_id for one in bench.events if isinstance(one, AlertCleared)]
    assert raised[: len(cleared)] == cleared and len(set(raised)) == len(raised)


def streak_seconds(seen: list[tuple[float, str]], what: str) -> float:
    """For how long the newest looks have all seen ``what``; -1 if the newest did not."""
    first = None
    for at, one in reversed(seen):
        if one != what:
            break
        first = at
    return seen[-1][0] - first if first is not None else -1.0


@settings(deadline=None)
@given(
    st.lists(st.sets(st.sampled_from(["12345", "12315", "12333"])), max_size=40),
)
def test_subjects_do_not_disturb_each_other(looks: list[set[str]]) -> None:
    """Each queue's alerts come as if the others did not exist."""
    together = Bench()
    alone = {name: Bench() for name in ("12345", "12315", "12333")}
    for number, bad in enumerate(looks):
        together.at(number * 8.0, *(trouble(subject=name) for name in sorted(bad)))
        for name, bench in alone.items():
            bench.at(number * 8.0, *([trouble(subject=name)] if name in bad else []))
    apart = [(one.at, type(one)) for bench in alone.values() for one in bench.events]
    assert sorted(apart, key=str) == sorted(((one.at, type(one)) for one in together.events), key=str)

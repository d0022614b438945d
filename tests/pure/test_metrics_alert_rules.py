"""What the rules take for trouble, and what they say of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hotline.config.alerting import AlertsSection, AnswerRateRule, LongestWaitRule, WaitingRule
from hotline.config.schema import Agent, AsrSection, Line, Queue, Site
from hotline.core.alerts import Alert, AlertKind, Severity
from hotline.core.events import AgentAutoPaused, AgentState, AlarmKind, CallFlagged, NuisanceKind, WordsHeard
from hotline.core.views import AgentView, CallView, LineFigures, LiveView, WaitingCaller
from hotline.metrics.alert_rules import FROM_THE_EXCHANGE, HURTS, MAX_FLAGS, Disk, Rules, Signs
from hotline.metrics.alerts import Trouble

AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
NUMBER = "13812341234"
GIB = 1024**3
SITE = Site(
    lines=(Line(id="12345", name="政务热线"), Line(id="12315", name="市场监管", parent="12345")),
    queues=(Queue(name="12345", title="综合"), Queue(name="12315", title="消费维权")),
    agents=(Agent(id="1001", name="张三", extension="1001", skills={"12345": 1}),),
    asr=AsrSection(workers=2),
    alerts=AlertsSection(
        waiting=WaitingRule(more_than=2, queues={"12315": 1}),
        longest_wait=LongestWaitRule(over_seconds=60),
        answer_rate=AnswerRateRule(at_least_offered=20),
    ),
)


def seat(state: AgentState = AgentState.READY, for_seconds: float = 0, *queues: str) -> AgentView:
    since = AT - timedelta(seconds=for_seconds)
    return AgentView("1001", "张三", "1001", state, "", since, queues or ("12345", "12315"), None)


def callers(queue: str, *waited: float) -> tuple[WaitingCaller, ...]:
    return tuple(
        WaitingCaller(f"c{n}", f"c{n}:{queue}:1", queue, queue, AT - timedelta(seconds=seconds), n)
        for n, seconds in enumerate(waited, 1)
    )


def call(call_id: str) -> CallView:
    return CallView(call_id, "12345", "12345", NUMBER, NUMBER, (), AT, AT, AT, "1001", 3.0, nuisance=True)


def signs(
    *agents: AgentView, waiting: tuple[WaitingCaller, ...] = (), calls: tuple[CallView, ...] = ()
) -> Signs:
    """A quiet moment but for what is given."""
    live = LiveView(AT, True, calls, waiting, agents or (seat(),))
    return Signs(live, (), {"asr_workers_ready": 2.0}, Disk(500 * GIB, 1000 * GIB))


def rate(line: str, name: str, answered: int, closed: int, still_open: int = 0) -> LineFigures:
    return LineFigures(
        line, name, None, closed + still_open, answered, answered, still_open,
        answer_rate=answered / closed if closed else None,
    )  # fmt: skip


def look(what: Signs, seconds: float = 0) -> list[Trouble]:
    return Rules(SITE).look(what, seconds)


def keys(troubles: list[Trouble]) -> list[tuple[str, str]]:
    return [(one.kind.value, one.subject) for one in troubles]


def test_a_quiet_moment_is_no_trouble() -> None:
    """Nothing wrong, nothing said, and everything can be seen."""
    assert look(signs()) == []
    assert Rules(SITE).unknown(signs()) == set()


def test_more_callers_than_the_queues_limit() -> None:
    """Two wait in each queue: too many only for the one with a limit of its own."""
    waiting = (*callers("12345", 5, 1), *callers("12315", 5, 1))
    (one,) = look(signs(waiting=waiting))
    assert (one.kind, one.subject, one.value, one.limit) == (AlertKind.WAITING, "12315", 2, 1)
    assert "消费维权" in one.text and "2 人" in one.text and "消费维权" in one.text_en


def test_the_first_caller_waits_too_long() -> None:
    """The longest wait counts, wherever that caller stands in the list."""
    (one,) = look(signs(waiting=callers("12345", 4, 61)))
    assert (one.kind, one.value, one.limit) == (AlertKind.LONGEST_WAIT, 61, 60)
    assert look(signs(waiting=callers("12345", 60))) == []


@pytest.mark.parametrize(
    ("agent", "alone"),
    [
        (seat(AgentState.SIGNED_OUT), True),
        (seat(AgentState.UNREACHABLE), True),
        (seat(AgentState.READY, 0, "12315"), True),
        (seat(AgentState.PAUSED), True),
        (seat(AgentState.WRAP_UP), False),
        (seat(AgentState.TALKING), False),
    ],
)
def test_callers_in_a_queue_that_nobody_serves(agent: AgentView, alone: bool) -> None:
    """Signed out, out of reach, on a break or signed in elsewhere is nobody; talking is somebody."""
    found = look(signs(agent, waiting=callers("12345", 1)))
    assert keys(found) == ([("unstaffed", "12345")] if alone else [])
    if alone:
        assert ("小休" in found[0].text) is (agent.state is AgentState.PAUSED)


def test_an_answer_rate_under_the_norm_with_enough_calls() -> None:
    """Lines and the whole are judged alike; too few calls, and those who still wait, say nothing."""
    recent = (
        rate("total", "热线", 37, 40),
        rate("12345", "政务热线", 19, 19, still_open=30),
        rate("12315", "市场监管", 17, 20),
        rate("12333", "社保", 1, 19),
        rate("12329", "公积金", 19, 20),
    )
    found = look(replace(signs(), recent=recent))
    assert keys(found) == [("answer_rate", "total"), ("answer_rate", "12315")]
    assert found[1].value == 0.85 and found[1].limit == 0.95
    assert "85.0%" in found[1].text and "20" in found[1].text and "全部" in found[0].text


def test_a_site_may_set_another_norm() -> None:
    """alerts.answer_rate.under comes before figures.answer_rate_norm."""
    rules = SITE.alerts.model_copy(update={"answer_rate": AnswerRateRule(under=0.8)})
    what = replace(signs(), recent=(rate("12315", "市场监管", 17, 20),))
    assert Rules(SITE.model_copy(update={"alerts": rules})).look(what, 0) == []


def test_a_wrap_up_without_end() -> None:
    """Three minutes are the default; talking for an hour is no trouble."""
    assert look(signs(seat(AgentState.WRAP_UP, 180))) == []
    assert look(signs(seat(AgentState.TALKING, 3600))) == []
    (one,) = look(signs(seat(AgentState.WRAP_UP, 181)))
    assert (one.kind, one.subject, one.value) == (AlertKind.WRAP_UP, "1001", 181)
    assert "张三" in one.text


def test_an_agent_paused_by_us_is_trouble_until_the_pause_ends() -> None:
    """It counts before the exchange shows the pause, and no longer once the agent is back."""
    rules = Rules(SITE)
    rules.hear(AgentAutoPaused("1001", AT, 3), 0)
    assert keys(rules.look(signs(seat(AgentState.READY)), 1)) == [("no_answer", "1001")]
    (one,) = rules.look(signs(seat(AgentState.PAUSED)), 2)
    assert one.value == 3 and "3 次" in one.text
    assert rules.look(signs(seat(AgentState.READY)), 3) == []
    assert rules.look(signs(seat(AgentState.PAUSED)), 4) == [], "a break of their own"


def test_a_pause_that_never_shows_is_forgotten() -> None:
    """Refused by the exchange, or over before we looked: after ten seconds it is no trouble."""
    rules = Rules(SITE)
    rules.hear(AgentAutoPaused("1001", AT, 3), 0)
    assert keys(rules.look(signs(seat(AgentState.TALKING)), 10)) == [("no_answer", "1001")]
    assert rules.look(signs(seat(AgentState.TALKING)), 11) == []
    rules.hear(AgentAutoPaused("unknown", AT, 3), 11)
    assert rules.look(signs(), 11) == []


def flagged(call_id: str = "c1", kind: NuisanceKind = NuisanceKind.ABUSE) -> CallFlagged:
    return CallFlagged(call_id, AT, "1001", f"骂人，{NUMBER}", kind)


@pytest.mark.parametrize("kind", NuisanceKind)
def test_only_abuse_on_a_call_that_lasts_asks_somebody_to_listen(kind: NuisanceKind) -> None:
    """Silent or repeated calls are marked and no alarm; abuse is one until the call is over, not longer."""
    rules = Rules(SITE)
    rules.hear(flagged(kind=kind), 0)
    expected = [("abusive", "c1")] if kind in HURTS else []
    assert keys(rules.look(signs(calls=(call("c1"),)), 3600)) == expected
    assert rules.look(signs(), 3601) == []
    rules.hear(flagged(kind=kind), 3602)
    assert rules.look(signs(), 3603) == [], "marked while writing it up: there is nothing to listen to"


def test_alerts_of_an_earlier_run_go_on() -> None:
    """After a restart the abused agent and the one who did not answer are still known."""
    rules, alerts = Rules(SITE), []
    rules.hear(flagged(), 0)
    rules.hear(AgentAutoPaused("1001", AT, 3), 0)
    now = signs(seat(AgentState.PAUSED), calls=(call("c1"),))
    for one in rules.look(now, 1):
        alerts.append(
            Alert("id", one.kind, one.subject, Severity.CRITICAL, AT, one.value, None, one.text, one.text_en)
        )
    again = Rules(SITE)
    again.remember(alerts, 100)
    away = replace(now, live=replace(now.live, link_up=False, calls=()))
    assert AlertKind.ABUSIVE in again.unknown(away) and keys(again.look(away, 101))[0][0] == "no_answer"
    assert again.look(now, 102) == rules.look(now, 102)


def test_a_flag_that_is_taken_back_is_no_trouble() -> None:
    """The agent pressed it by mistake: the alert ends although the call goes on."""
    rules = Rules(SITE)
    rules.hear(flagged(), 0)
    assert keys(rules.look(signs(calls=(call("c1"),)), 1)) == [("abusive", "c1")]
    assert rules.look(signs(calls=(replace(call("c1"), nuisance=False),)), 2) == []
    rules.hear(flagged(), 3)
    rules.hear(flagged(kind=NuisanceKind.SILENT), 4)
    assert rules.look(signs(calls=(call("c1"),)), 5) == [], "marked anew, for something harmless"


def test_flags_are_bounded() -> None:
    """A thousand flagged calls do not stay in memory; the newest do."""
    rules = Rules(SITE)
    calls = tuple(call(f"c{number}") for number in range(1000))
    for one in calls:
        rules.hear(flagged(one.call_id), 0)
    found = keys(rules.look(signs(calls=calls), 0))
    assert len(found) == MAX_FLAGS and found[-1] == ("abusive", "c999")


def words(call_id: str = "c1", kind: AlarmKind = AlarmKind.URGENT, phrase: str = "着火") -> WordsHeard:
    return WordsHeard(call_id, AT, kind, phrase, "12315", "1001", 3)


def test_alarming_words_are_told_while_the_call_lasts() -> None:
    """Line, agent and words, once a call and kind; not the number; known again after a restart."""
    rules, now = Rules(SITE), signs(calls=(replace(call("c1"), nuisance=False),))
    for one in (words(), words(phrase="救命"), words(kind=AlarmKind.ABUSIVE, phrase="白痴"), words("c9")):
        rules.hear(one, 0)
    found = rules.look(now, 1)
    assert keys(found) == [("urgent_words", "c1"), ("abusive_words", "c1")]
    assert all(word in found[0].text for word in ("12315 市场监管", "张三（1001）", "着火"))
    assert "白痴" in found[1].text_en and NUMBER not in str(found)
    alerts = [
        Alert("id", one.kind, one.subject, Severity.CRITICAL, AT, None, None, one.text, one.text_en)
        for one in found
    ]
    again = Rules(SITE)
    again.remember(alerts, 100)
    assert again.look(now, 101) == found
    assert again.look(signs(), 102) == [] == rules.look(signs(), 102)


def test_a_lost_link_is_trouble_and_blinds() -> None:
    """The picture stands still: only the link itself is told of."""
    rules, down = Rules(SITE), replace(signs(), live=replace(signs().live, link_up=False))
    assert keys(rules.look(down, 0)) == [("link", "asterisk")]
    assert rules.unknown(down) == FROM_THE_EXCHANGE
    blind = rules.unknown(replace(signs(), recent=None, disk=None))
    assert blind == {AlertKind.ANSWER_RATE, AlertKind.DISK}


def test_recognisers_missing_or_full() -> None:
    """Fewer workers than the site wants; taps that found no room within the last minute."""
    rules = Rules(SITE)
    numbers = {"asr_workers_ready": 1.0, "asr_taps_without_room": 7.0}
    assert keys(rules.look(replace(signs(), numbers=numbers), 0)) == [("recogniser", "workers")]
    numbers = {"asr_workers_ready": 2.0, "asr_taps_without_room": 9.0}
    assert keys(rules.look(replace(signs(), numbers=numbers), 1)) == [("recogniser", "capacity")]
    assert keys(rules.look(replace(signs(), numbers=numbers), 60)) == [("recogniser", "capacity")]
    assert rules.look(replace(signs(), numbers=numbers), 61) == []


def test_no_recognition_wanted_is_no_trouble() -> None:
    """A site without recognition has no recognisers."""
    site = SITE.model_copy(update={"asr": AsrSection(enabled=False, workers=2)})
    assert Rules(site).look(replace(signs(), numbers={"asr_workers_ready": 0.0}), 0) == []


def test_recordings_that_fail() -> None:
    """What failed before we looked is the past; a new failure tells for a minute, and while calls wait."""
    rules = Rules(SITE)

    def look_at(failures: float, waiting: float, seconds: float) -> list[float | None]:
        numbers = {"recording_failures": failures, "recordings_waiting": waiting}
        found = rules.look(replace(signs(), numbers=numbers), seconds)
        assert all(one.kind is AlertKind.RECORDING for one in found)
        return [one.value for one in found]

    assert look_at(5, 0, 0) == []
    assert look_at(6, 0, 1) == [0] == look_at(6, 0, 60)
    assert look_at(6, 0, 61) == []
    assert look_at(6, 3, 62) == [3]


@pytest.mark.parametrize(("free", "total", "limit"), [(4, 100, 5), (1.5, 20, 2), (1.5, 1000, 50)])
def test_a_disk_that_is_nearly_full(free: float, total: int, limit: float) -> None:
    """Under five percent or under two GiB; the limit shown is the one that is higher."""
    (one,) = look(replace(signs(), disk=Disk(int(free * GIB), total * GIB)))
    assert (one.kind, one.value, one.limit) == (AlertKind.DISK, free, limit)


def test_a_kind_that_is_off_is_not_told() -> None:
    """The site decides what it wants to hear of."""
    alerts = AlertsSection(off=(AlertKind.LONGEST_WAIT, AlertKind.UNSTAFFED))
    site = SITE.model_copy(update={"alerts": alerts})
    what = signs(seat(AgentState.SIGNED_OUT), waiting=callers("12345", 999))
    assert Rules(site).look(what, 0) == []


def test_no_text_holds_a_callers_number() -> None:
    """Neither the caller's number nor what the agent wrote of the caller gets into an alert."""
    rules = Rules(SITE)
    rules.hear(flagged(), 0)
    rules.hear(AgentAutoPaused("1001", AT, 3), 0)
    what = signs(
        seat(AgentState.WRAP_UP, 500, "12315"), waiting=callers("12345", 90, 80, 70), calls=(call("c1"),)
    )
    what = replace(what, recent=(rate("total", "热线", 1, 40),), numbers={"asr_workers_ready": 0.0})
    found = rules.look(what, 0)
    assert len(found) == 8
    for one in found:
        assert not re.search(r"\d{7}", one.text + one.text_en), one
        assert "骂人" not in one.text and "：" in one.text and ":" in one.text_en

"""The survey after the talk: how the site says it, what the dialplan makes of it, and what becomes a row."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hotline.config.loading import check_site, load_site
from hotline.config.schema import Site
from hotline.core.events import CallSurveyed, Source, SurveyBegan, SurveyOutcome
from hotline.queue.calls.outbox import Outbox
from hotline.queue.calls.table import CallTable
from hotline.queue.facts import Announced, Asked, Completed, Connected, Fact, Joined, Routed, Surveyed
from hotline.queue.from_ami import facts_of
from hotline.queue.queue_log.line import read_line, read_own_line
from hotline.queue.queue_log.reader import MalformedLine
from hotline.queue.routing import Routing
from hotline.store.ledger import CallRecord
from hotline.telephony.ami import events as ami
from hotline.telephony.asterisk_config.dialplan import extensions_conf
from hotline.telephony.asterisk_config.prompts import static_prompts

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
UID = "node1-100.1"
ASKED_MS = int(START.timestamp() * 1000) + 61_250
SITE = """\
lines:
  - {id: "12345", name: 热线, number: 12345, dids: [12345]}
  - {id: "12315", name: 消费, number: 12315, dids: [12315]}
  - {id: "12358", name: 物价, parent: "12315", queue: "12315"}
queues: [{name: "12345", title: 综合}, {name: "12315", title: 消费}]
agents: [{id: li, name: 李强, extension: 8002}]
"""


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def site_file(folder: Path, survey: str) -> Path:
    file = folder / "site.yaml"
    file.write_text(SITE + textwrap.dedent(survey), encoding="utf-8")
    return file


def site(folder: Path, survey: str) -> Site:
    return load_site(site_file(folder, survey), {})


def line(rest: str, when: str = "1793581270") -> str:
    return f"{when}|{UID}|NONE|NONE|HOTLINESURVEY|{rest}"


def test_the_site_says_which_lines_ask_and_in_which_words(tmp_path: Path) -> None:
    """A line's own lines ask with it; an empty section asks everybody, in the scale's own words."""
    some = site(tmp_path, 'survey: {lines: ["12315"], prompt: "满意请按5，按4，3，2，1", wait_seconds: 9}\n')
    assert [one.id for one in some.lines if some.asks(one)] == ["12315", "12358"]
    every = site(tmp_path, "survey: {}\n")
    assert all(every.asks(one) for one in every.lines)
    said = static_prompts(every)
    assert "非常满意请按5，满意请按4，基本满意请按3，不满意请按2，非常不满意请按1" in said["hotline/_survey"]
    assert said["hotline/_survey_thanks"]
    silent = site(tmp_path, "")
    assert not any(silent.asks(one) for one in silent.lines)
    assert "hotline/_survey" not in static_prompts(silent)


def test_mistakes_are_told_with_their_line(tmp_path: Path) -> None:
    """Lines that are none or are given twice, words that leave out a key, numbers out of range."""
    file = site_file(
        tmp_path,
        """\
        survey:
          lines: ["12345", "12316", "12345"]
          prompt: 满意请按5，不满意请按1
          wait_seconds: 60
          tries_after_wrong_key: 9
          keys: 5
        """,
    )
    told = [(one.line - 7, one.severity.value, one.message) for one in check_site(file, {}).problems]
    assert (1, "error", 'there is no line "12316"') in told
    assert (1, "error", 'line "12345" is given twice (first on line 8)') in told
    assert (2, "warning", "does not say what these keys are for: 4, 3, 2") in told
    assert [number for number, severity, _ in told if severity == "error"] == [1, 1, 3, 4, 5]


def test_the_dialplan_asks_only_where_the_site_does(tmp_path: Path) -> None:
    """Without the section a talk ends as ever; with it each asking line and each agent's phone is known."""
    silent = extensions_conf(site(tmp_path, ""))
    assert "survey" not in silent.lower() and "Dial(PJSIP/8002,30,t)" in silent
    asking = extensions_conf(site(tmp_path, 'survey: {lines: ["12315"], tries_after_wrong_key: 0}\n'))
    assert 'GotoIf($["${QUEUESTATUS}" = "CONTINUE"]?hotline-survey,s,1)' in asking
    assert "Dial(PJSIP/8002,30,tg)" in asking
    globals_of = asking.split("[globals]")[1].split("\n\n")[0]
    assert "HOTLINE_SURVEY_12315 = yes" in globals_of and "HOTLINE_SURVEY_12358 = yes" in globals_of
    assert "HOTLINE_SURVEY_12345" not in globals_of and "HOTLINE_SEAT_8002 = yes" in globals_of
    assert "HOTLINE_SURVEY_TRIES=1)" in asking


def test_both_sources_tell_the_same() -> None:
    """A line of queue_log and the event are one fact, but for the second in which the line was written."""
    logged = read_own_line(line(f"{ASKED_MS}|8002|answered|4"), at(10_000_000))
    fields = {"Asked": str(ASKED_MS), "Phone": "8002", "Outcome": "answered", "Key": "4"}
    (live,) = facts_of(user_event("HotlineSurvey", fields))
    assert isinstance(logged, Surveyed) and isinstance(live, Surveyed)
    assert live == Surveyed(UID, at(70), at(61.25), "8002", SurveyOutcome.ANSWERED, 4)
    assert (logged.asked_at, logged.outcome, logged.answer) == (live.asked_at, live.outcome, live.answer)
    assert facts_of(user_event("HotlineAsked", {})) == (Asked(UID, at(70)),)
    assert facts_of(user_event("HotlineSurvey", {**fields, "Key": "9"})) == ()
    assert read_line(line(f"{ASKED_MS}|8002|answered|4"), at(10_000_000)) is None, "of another system"


@pytest.mark.parametrize(
    "rest", ["", "x|8002|answered|4", "1|8002|answered|", "1|8002|answered|6", "1|8002|hung_up|5",
             "1|8002|happy|5", "1|8002", f"{10**14}|8002|no_answer|"],
)  # fmt: skip
def test_a_line_that_cannot_be_is_none(rest: str) -> None:
    """An answer has a key from 1 to 5, and nothing else has one."""
    with pytest.raises(MalformedLine):
        read_own_line(line(rest), at(10_000_000))


def user_event(name: str, fields: dict[str, str]) -> ami.UserEvent:
    return ami.UserEvent(
        at=at(70), name=name, uniqueid=UID, linkedid=UID, channel="PJSIP/trunk-1", context="x", exten="s",
        caller_number="", caller_name="", fields=fields,
    )  # fmt: skip


class Told:
    """A table, and all that came of what it was told."""

    def __init__(self) -> None:
        agents = {"zhang": "8001", "li": "8002"}
        self.table = CallTable("node1", Routing(lambda queue: queue, lambda token: (), agents), 5)
        self.events: list[object] = []
        self.calls: dict[str, CallRecord] = {}
        self.out = Outbox()

    def tell(self, *facts: Fact, source: Source = Source.LIVE) -> Outbox:
        for fact in facts:
            self.out = self.table.apply(fact, source)
            self.events += self.out.events
            self.calls |= self.out.calls
        return self.out

    def talk(self, source: Source = Source.LIVE) -> None:
        """A caller of 12315 talks with Zhang, who hangs up."""
        if source is Source.LIVE:
            self.tell(Announced(UID, at(0), UID, "12315", "12315", "138", "", "en"))
        self.tell(
            Routed(UID, at(1), UID, "12315", "12315", "12345", "", "en"),
            Joined(UID, at(1), "12345", 1, "138"),
            Connected(UID, at(4), "12345", "zhang", "z", 3000, 1000),
            Completed(UID, at(61), "12345", "zhang", 57_000, "agent"),
            source=source,
        )


SAID = Surveyed(UID, at(70), at(61.25), "8001", SurveyOutcome.ANSWERED, 5)


@pytest.mark.parametrize("source", [Source.LIVE, Source.QUEUE_LOG])
def test_a_survey_is_a_row_of_its_call_whoever_tells_of_it(source: Source) -> None:
    """Of the queue and agent of the talk, the call's line and language; told again it changes nothing."""
    told = Told()
    told.talk(source)
    (row,) = told.tell(SAID, source=source).surveys.values()
    assert (row.call_id, row.line, row.queue, row.agent) == (UID, "12315", "12345", "zhang")
    assert (row.language, row.asked_at, row.outcome, row.answer) == ("en", at(61.25), "answered", 5)
    assert row.source == source.value and not told.out.entries and not told.out.talks
    for again in Source.LIVE, Source.QUEUE_LOG:
        assert told.tell(SAID, source=again) == Outbox()
    assert sum(isinstance(event, CallSurveyed) for event in told.events) == 1
    assert not told.table.illegal


def test_a_survey_known_from_the_database_is_not_told_again() -> None:
    """After a restart queue_log is read once more."""
    before, after = Told(), Told()
    before.talk()
    (survey,) = before.tell(SAID).surveys.values()
    after.table.restore(before.calls.values(), [], surveys=[survey])
    assert after.tell(SAID, source=Source.QUEUE_LOG) == Outbox()
    unsaved = Told()
    unsaved.table.restore(before.calls.values(), [])
    assert unsaved.tell(SAID, source=Source.QUEUE_LOG).surveys.keys() == {UID}


def test_who_was_left_by_a_colleague_said_it_of_the_colleague() -> None:
    """Handed on: the agent who had the caller last, in the queue where the caller had waited."""
    told = Told()
    told.talk()
    (row,) = told.tell(Surveyed(UID, at(70), at(61.25), "8002", SurveyOutcome.NO_ANSWER)).surveys.values()
    assert (row.agent, row.queue, row.outcome, row.answer) == ("li", "12345", "no_answer", None)


def test_while_a_caller_is_asked_the_call_is_nobodys() -> None:
    """The picture shows no agent for it and no wait; an unknown call's survey is counted and no row."""
    told = Told()
    told.talk()
    assert told.tell(Asked(UID, at(61))).events == [SurveyBegan(UID, at(61))]
    (view,) = told.table.live_calls()
    assert (view.surveyed, view.agent, view.queued_at, view.answered_at) == (True, None, None, None)
    assert told.tell(Surveyed("node1-9.9", at(70), at(61), "", SurveyOutcome.HUNG_UP)).surveys == {}
    assert told.table.illegal == {"unknown Surveyed": 1}

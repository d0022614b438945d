"""Every count behind a figure, defined once: which rows it takes, and what each adds to it.

From one definition come the column of the rollups (``store.cells``), the query over the rows themselves
(``store.tally``) and the list of the rows behind a figure (``store.count_rows``), so that the three cannot
disagree. What is made of counts, with its formula and norm, is ``metrics/measures``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, literal_column, select, true
from sqlalchemy.orm import InstrumentedAttribute, aliased

from hotline.core.events import AgentState, CallbackOutcome, MenuOutcome, Outcome, SurveyOutcome, TalkKind
from hotline.core.trials import TrialResult
from hotline.store.models import AgentInterval, Call, ImportedFigure, QueueEntry, SurveyRow, TalkRow, TrialRow


class Origin(StrEnum):
    """Whose rows a count takes."""

    WAITS = "queue_entries"
    CALLS = "calls"
    TALKS = "talks"
    SURVEYS = "surveys"
    TRIALS = "test_calls"
    AGENT_TIMES = "agent_intervals"  # each row adds the time that it has in common with the period
    IMPORTED = "imported_figures"  # of other systems: each row counts in the periods that it lies in wholly


class CountUnit(StrEnum):
    """What a count counts."""

    NUMBER = "number"
    MILLISECONDS = "milliseconds"


class Dim(StrEnum):
    """What rows say of themselves, by which they can be told apart."""

    LINE = "line"
    QUEUE = "queue"
    LANGUAGE = "language"
    AGENT = "agent"
    CHANNEL = "channel"  # of our own rows the telephone
    UNIT = "unit"  # 承办单位, of imported figures
    CALLER_LISTS = "caller_lists"  # names between bars (``core.names``): a row may be on several


PHONE: Final = "phone"
OF_PHONE: Final[ColumnElement[str]] = literal_column(f"'{PHONE}'")


def _of_the_call(
    column: InstrumentedAttribute[str], call_id: InstrumentedAttribute[str] = TalkRow.call_id
) -> ColumnElement[str]:
    """What the call of a talk, or of a wait, says of itself; nothing where there is no such call."""
    of_call = select(column).where(Call.call_id == call_id).scalar_subquery()
    return func.coalesce(of_call, "")


DIMS: Final[dict[Origin, dict[Dim, InstrumentedAttribute[Any] | ColumnElement[str]]]] = {
    Origin.WAITS: {
        Dim.LINE: QueueEntry.line,
        Dim.QUEUE: QueueEntry.queue,
        Dim.LANGUAGE: QueueEntry.language,
        Dim.AGENT: QueueEntry.agent,
        Dim.CHANNEL: OF_PHONE,
        Dim.CALLER_LISTS: _of_the_call(Call.caller_lists, QueueEntry.call_id),
    },
    Origin.CALLS: {
        Dim.LINE: Call.line,
        Dim.LANGUAGE: Call.language,
        Dim.AGENT: Call.callback_agent,
        Dim.CHANNEL: OF_PHONE,
        Dim.CALLER_LISTS: Call.caller_lists,
    },
    Origin.TALKS: {
        Dim.LINE: _of_the_call(Call.line),
        Dim.LANGUAGE: _of_the_call(Call.language),
        Dim.AGENT: TalkRow.agent,
        Dim.CHANNEL: OF_PHONE,
        Dim.CALLER_LISTS: _of_the_call(Call.caller_lists),
    },
    Origin.SURVEYS: {
        Dim.LINE: SurveyRow.line,
        Dim.QUEUE: SurveyRow.queue,
        Dim.LANGUAGE: SurveyRow.language,
        Dim.AGENT: SurveyRow.agent,
        Dim.CHANNEL: OF_PHONE,
        Dim.CALLER_LISTS: SurveyRow.caller_lists,
    },
    Origin.TRIALS: {Dim.LINE: TrialRow.line, Dim.CHANNEL: OF_PHONE},
    Origin.AGENT_TIMES: {Dim.AGENT: AgentInterval.agent, Dim.CHANNEL: OF_PHONE},
    Origin.IMPORTED: {Dim.CHANNEL: ImportedFigure.channel, Dim.UNIT: ImportedFigure.unit},
}
"""What the rows of each table know. A call that says something else of itself marks its waits and talks."""

MOMENT: Final[dict[Origin, InstrumentedAttribute[Any]]] = {
    Origin.WAITS: QueueEntry.joined_at,
    Origin.CALLS: Call.started_at,
    Origin.TALKS: TalkRow.answered_at,
    Origin.SURVEYS: SurveyRow.asked_at,
    Origin.TRIALS: TrialRow.began_at,
    Origin.AGENT_TIMES: AgentInterval.since,
}
"""When a row of our own counts; a time counts as far as it lies in the period."""

WITHIN_MS: Final = "within_ms"
"""The parameter of every statement about ``answered_within``: the site's norm."""


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """A quantity over rows.

    Attributes:
        id: also the column of the rollups.
        name: in Chinese.
        name_en: in English.
        origin: whose rows.
        where: which of them.
        value: what each adds; None: one (of `Origin.AGENT_TIMES`: its milliseconds in the period).
        unit: of the sum.
    """

    id: str
    name: str
    name_en: str
    origin: Origin
    where: ColumnElement[bool]
    value: ColumnElement[int] | InstrumentedAttribute[int] | None = None
    unit: CountUnit = CountUnit.NUMBER

    @property
    def each(self) -> ColumnElement[int]:
        """What a row adds, nothing where it is not meant."""
        return case((self.where, literal_column("1") if self.value is None else self.value), else_=0)


def _menu_ms() -> ColumnElement[int]:
    """The menu time of an entry's call, at its first entry; 0 at the others."""
    earlier = aliased(QueueEntry)
    again = exists().where(
        earlier.call_id == QueueEntry.call_id,
        earlier.joined_at < QueueEntry.joined_at,
    )
    of_call = select(Call.menu_ms).where(Call.call_id == QueueEntry.call_id).scalar_subquery()
    return case((again, 0), else_=func.coalesce(of_call, 0))


_CALLER = QueueEntry.enquiry.is_(False)  # an agent who asks a queue about a call is no caller
_CLOSED = and_(_CALLER, QueueEntry.outcome.is_not(None))


def _as(outcome: Outcome) -> ColumnElement[bool]:
    return and_(_CALLER, QueueEntry.outcome == outcome.value)


_ANSWERED = _as(Outcome.ANSWERED)


def _waits(id_: str, name: str, name_en: str, where: ColumnElement[bool]) -> Count:
    return Count(id_, name, name_en, Origin.WAITS, where)


def _wait_times(
    id_: str,
    name: str,
    name_en: str,
    where: ColumnElement[bool],
    value: ColumnElement[int] | InstrumentedAttribute[int],
) -> Count:
    return Count(id_, name, name_en, Origin.WAITS, where, value, CountUnit.MILLISECONDS)


def _calls(id_: str, name: str, name_en: str, where: ColumnElement[bool]) -> Count:
    return Count(id_, name, name_en, Origin.CALLS, where)


def _talks(id_: str, name: str, name_en: str, where: ColumnElement[bool]) -> Count:
    return Count(id_, name, name_en, Origin.TALKS, where)


def _talk_times(id_: str, name: str, name_en: str, where: ColumnElement[bool]) -> Count:
    return Count(id_, name, name_en, Origin.TALKS, where, TalkRow.talk_ms, CountUnit.MILLISECONDS)


def _surveys(id_: str, name: str, name_en: str, where: ColumnElement[bool]) -> Count:
    return Count(id_, name, name_en, Origin.SURVEYS, where)


def _said(id_: str, name: str, name_en: str, *keys: int) -> Count:
    return _surveys(id_, name, name_en, SurveyRow.answer.in_(keys))


def _unsaid(id_: str, name: str, name_en: str, outcome: SurveyOutcome) -> Count:
    return _surveys(id_, name, name_en, SurveyRow.outcome == outcome.value)


def _trials(id_: str, name: str, name_en: str, where: ColumnElement[bool]) -> Count:
    return Count(id_, name, name_en, Origin.TRIALS, where)


def _in_state(id_: str, name: str, name_en: str, *states: AgentState) -> Count:
    where = AgentInterval.state.in_([state.value for state in states])
    return Count(id_, name, name_en, Origin.AGENT_TIMES, where, None, CountUnit.MILLISECONDS)


_ABSENT = (AgentState.SIGNED_OUT, AgentState.UNREACHABLE)
_PRESENT = tuple(state for state in AgentState if state not in _ABSENT)
_NORM_MS: ColumnElement[int] = bindparam(WITHIN_MS, type_=QueueEntry.wait_ms.type)
_WITHIN = and_(_ANSWERED, QueueEntry.wait_ms <= _NORM_MS)
_TEST_ANSWERED = and_(TrialRow.result == TrialResult.ANSWERED.value, TrialRow.answer_ms.is_not(None))
_TALKED = and_(_ANSWERED, QueueEntry.closed_at.is_not(None))
_GAVE_UP = _as(Outcome.ABANDONED)
_HUNG_UP = Call.menu_outcome == MenuOutcome.HANGUP.value
_BUSY = (AgentState.TALKING, AgentState.HELD, AgentState.WRAP_UP)
_CALLED_BACK = Call.callback_of.is_not(None)
_CONSULT = TalkRow.kind == TalkKind.CONSULT.value
_THREE_WAY = TalkRow.kind == TalkKind.THREE_WAY.value
_WITH_CALLER = and_(TalkRow.kind != TalkKind.CONSULT.value, TalkRow.agent.is_not(None))
_OVER = and_(_WITH_CALLER, TalkRow.ended_at.is_not(None))

COUNTS: Final[tuple[Count, ...]] = (
    _waits("offered", "呼入排队量", "offered to a queue", _CALLER),
    _waits("still_open", "正在排队", "still waiting", and_(_CALLER, QueueEntry.outcome.is_(None))),
    _waits("closed", "已离队", "left the queue", _CLOSED),
    _waits(
        "closed_but_short", "已离队（不含短时放弃）", "left the queue, short abandons apart",
        and_(_CLOSED, QueueEntry.outcome != Outcome.SHORT_ABANDON.value),
    ),
    _waits("answered", "人工接听量", "answered by a person", _ANSWERED),
    _waits("abandoned", "放弃量", "abandoned", _GAVE_UP),
    _waits("short_abandon", "短时放弃量", "short abandons", _as(Outcome.SHORT_ABANDON)),
    _waits("timeout", "排队超时量", "waited too long for the queue", _as(Outcome.TIMEOUT)),
    _waits("full", "队列满量", "queue was full", _as(Outcome.FULL)),
    _waits("empty", "无坐席量", "nobody served the queue", _as(Outcome.EMPTY)),
    _waits("key_exit", "按键离队量", "left by a key", _as(Outcome.KEY_EXIT)),
    _waits("callback", "预约回拨量", "asked to be called back", _as(Outcome.CALLBACK)),
    _waits("transferred", "转出排队量", "taken to another queue", _as(Outcome.TRANSFERRED)),
    _waits("answered_within", "及时接听量", "answered within the norm", _WITHIN),
    _waits("talked", "通话已结束量", "answered, talk over", _TALKED),
    _wait_times("wait_ms", "接听前等待时长", "wait of the answered", _ANSWERED, QueueEntry.wait_ms),
    _wait_times("abandoned_wait_ms", "放弃前等待时长", "wait of the abandoned", _GAVE_UP, QueueEntry.wait_ms),
    _wait_times("ring_ms", "振铃时长", "ring of the phone that answered", _ANSWERED, QueueEntry.ring_ms),
    _wait_times("talk_ms", "通话时长", "talk, hold included", _ANSWERED, QueueEntry.talk_ms),
    _wait_times("hold_ms", "保持时长", "hold", _ANSWERED, QueueEntry.hold_ms),
    _wait_times("wrap_up_ms", "话后整理时长", "wrap-up", _ANSWERED, QueueEntry.wrap_up_ms),
    _wait_times("menu_before_ms", "排队前菜单时长", "menus before the first wait", _CLOSED, _menu_ms()),
    Count(
        "unanswered_rings", "坐席振铃未接", "rings in vain", Origin.WAITS,
        and_(_CALLER, QueueEntry.unanswered_rings > 0), QueueEntry.unanswered_rings,
    ),
    _calls("calls", "来电量", "calls", Call.callback_of.is_(None)),
    _calls("menu_visits", "进入菜单量", "calls in menus", Call.menu_outcome.is_not(None)),
    _calls(
        "machine_served", "智能应答量", "served by the machine alone",
        Call.menu_outcome == MenuOutcome.SELF_SERVICE.value,
    ),
    _calls("menu_hangups", "菜单中挂机量", "hung up in a menu", _HUNG_UP),
    Count(
        "menu_ms", "菜单时长", "time in menus", Origin.CALLS, Call.menu_outcome.is_not(None), Call.menu_ms,
        CountUnit.MILLISECONDS,
    ),
    _calls("callbacks", "回拨量", "callbacks made", _CALLED_BACK),
    _calls(
        "callbacks_reached", "回拨接通量", "callbacks answered",
        and_(_CALLED_BACK, Call.callback_outcome == CallbackOutcome.ANSWERED.value),
    ),
    _talks("talks", "坐席与来电人通话量", "talks of agents with callers", _WITH_CALLER),
    _talks("talks_over", "坐席与来电人通话已结束量", "talks of agents with callers, over", _OVER),
    _talks("handed_on", "转接量", "callers handed on", and_(_OVER, TalkRow.ended_by == "transfer")),
    _talks(
        "taken_over", "接到转接量", "callers taken over",
        and_(TalkRow.kind == TalkKind.TRANSFER.value, TalkRow.agent.is_not(None)),
    ),
    _talks("three_ways", "三方通话量", "joined a talk that went on", _THREE_WAY),
    _talks("consults", "咨询量", "consults", _CONSULT),
    _talk_times("with_callers_ms", "坐席与来电人通话时长", "talk of agents with callers", _WITH_CALLER),
    _talk_times("consult_ms", "咨询时长", "time of consults", _CONSULT),
    _surveys("surveyed", "邀请评价量", "callers asked after the talk", true()),
    _said("survey_answered", "参评量", "callers who gave an opinion", 5, 4, 3, 2, 1),
    _said("survey_satisfied", "非常满意和满意评价量", "very satisfied and satisfied", 5, 4),
    _said("survey_5", "非常满意评价量", "very satisfied", 5),
    _said("survey_4", "满意评价量", "satisfied with the call", 4),
    _said("survey_3", "基本满意评价量", "fairly satisfied", 3),
    _said("survey_2", "不满意评价量", "dissatisfied", 2),
    _said("survey_1", "非常不满意评价量", "very dissatisfied", 1),
    _unsaid("survey_no_answer", "未按键量", "pressed no key", SurveyOutcome.NO_ANSWER),
    _unsaid("survey_wrong_key", "按错键量", "pressed a wrong key", SurveyOutcome.WRONG_KEY),
    _unsaid("survey_hung_up", "评价前挂机量", "hung up instead", SurveyOutcome.HUNG_UP),
    _trials("test_calls", "拨测量", "test calls", true()),
    _trials("test_answered", "拨测接通量", "test calls answered", _TEST_ANSWERED),
    _trials(
        "test_within", "拨测及时接通量", "test calls answered within the norm",
        and_(_TEST_ANSWERED, TrialRow.answer_ms <= _NORM_MS),
    ),
    Count(
        "test_answer_ms", "拨测振铃至应答时长", "ring to answer of test calls", Origin.TRIALS, _TEST_ANSWERED,
        func.coalesce(TrialRow.answer_ms, 0), CountUnit.MILLISECONDS,
    ),
    _in_state("signed_in_ms", "签入时长", "signed in, phone reachable", *_PRESENT),
    _in_state("busy_ms", "通话、保持与整理时长", "talk, hold and wrap-up", *_BUSY),
    _in_state("ready_ms", "示闲时长", "ready", AgentState.READY),
    _in_state("paused_ms", "示忙时长", "paused", AgentState.PAUSED),
)  # fmt: skip

"""Those of our own rows: each is a column of the rollups."""


def _imported(id_: str, name: str, name_en: str) -> Count:
    return Count(id_, name, name_en, Origin.IMPORTED, ImportedFigure.figure == id_, ImportedFigure.value)


IMPORTED_COUNTS: Final[tuple[Count, ...]] = (
    _imported("accepted", "受理量", "accepted"),
    _imported("at_once", "当场答复量", "answered on the call"),
    _imported("dispatched", "转派工单量", "dispatched orders"),
    _imported("on_time", "按时办结量", "orders fed back on time"),
    _imported("called_back", "回访量", "followed up"),
    _imported("said_opinion", "回访有评价量", "followed up, with an opinion"),
    _imported("satisfied", "满意量", "satisfied"),
    _imported("valid_orders", "承办单位有效工单量", "valid orders of units"),
    _imported("units_on_time", "承办单位按时办结量", "orders of units fed back on time"),
    _imported("returns_rejected", "退单申请驳回量", "return requests rejected"),
)

COUNT: Final[dict[str, Count]] = {count.id: count for count in (*COUNTS, *IMPORTED_COUNTS)}

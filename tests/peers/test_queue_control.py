"""Acting on calls against a scripted manager: what is asked of Asterisk, once, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from hotline.config.schema import Agent, Line, OutsideNumber, Queue, Site, TransferSection
from hotline.core.bus import MemoryBus
from hotline.core.clock import SystemClock
from hotline.core.control import Asker, CallVerb, SuperviseVerb, Target, TargetKind
from hotline.core.errors import ExchangeUnreachable, IllegalState, UnknownName
from hotline.core.events import (
    AgentState,
    CallChanged,
    ConsultState,
    EmergencyNotJoined,
    PartyJoined,
    PartyLeft,
    PartyRinging,
    SupervisionChanged,
)
from hotline.core.views import AgentView, CallView, ConsultView, LiveView, SupervisionView
from hotline.queue.control import call_control
from hotline.queue.control.acting import Acting
from hotline.queue.control.call_control import Control
from hotline.queue.control.live_talks import LiveTalks
from hotline.queue.control.supervision import Supervisor
from hotline.telephony.ami import events as ami
from hotline.telephony.ami.answers import AmiResponse
from hotline.telephony.ami.errors import AmiDisconnected
from hotline.telephony.ami.feed import AmiFeed
from hotline.telephony.ami.wire import FieldValue
from hotline.telephony.asterisk_config import supervision
from hotline.telephony.asterisk_config.supervision import SpyState
from tests.fixtures.channels import (
    ASK,
    ASKED,
    AT,
    CALL,
    LOCAL_1,
    LOCAL_2,
    TALK,
    enter,
    gone,
    new,
    says,
    shown,
)

SITE = Site(
    lines=(Line(id="12345", name="热线", number="12345", dids=("12345",)),),
    queues=(Queue(name="12345", title="综合"),),
    agents=(
        Agent(id="a1", name="张", extension="8001"),
        Agent(id="a2", name="李", extension="8002"),
        Agent(id="b1", name="王", extension="9001", role="supervisor"),
        Agent(id="b2", name="赵", extension="9002", role="supervisor"),
    ),
    transfer=TransferSection(
        trunk="PJSIP/trunk/sip:{number}@10.0.0.1",
        numbers=(OutsideNumber(name="报警", number="110", emergency=True),),
    ),
)
ZHANG, LI = Asker("zhang", "a1", False), Asker("li", "a2", False)
CHIEF, OTHER_CHIEF = Asker("chief", "b1", True), Asker("other", "b2", True)


class Nobody:
    """No caller is a nuisance."""

    def is_nuisance(self, caller_number: str) -> bool:
        return False


@dataclass
class Floor:
    """A manager that does as Asterisk does, a picture with one call, and what acts on it."""

    said: list[tuple[str, Mapping[str, FieldValue]]] = field(default_factory=list)
    away: bool = False
    gone: set[str] = field(default_factory=set)  # extensions whose phone is not registered
    deaf_to_three_way: int = 0  # times that the keys come to nothing
    local: str = ""  # the pair of Local channels of the newest enquiry, without its ends
    audit: asyncio.Queue[tuple[str, str, str]] = field(default_factory=asyncio.Queue)
    disk_full: bool = False
    lost_enquiries: int = 0  # times that Atxfer comes to nothing
    picks_up: bool = True  # supervisors, when their phones ring
    shown: tuple[ami.CoreShowChannel, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)  # by the channel's unique id
    calls: tuple[CallView, ...] = (CallView(CALL, "12345", "12345", "138", "", (), AT, AT, AT, "a1", 1.0),)
    bus: MemoryBus = field(default_factory=MemoryBus)
    news: AmiFeed = field(default_factory=lambda: AmiFeed(1000, lambda: None, lambda _: None))

    def __post_init__(self) -> None:
        self.talks = LiveTalks(SITE, self, self, self.bus, Nobody(), SystemClock())  # type: ignore[arg-type]
        self.acting = Acting(SITE, self, self.talks, SystemClock())
        self.control = Control(self.acting)
        self.supervisor = Supervisor(self.acting, self, self.bus, self)  # type: ignore[arg-type]

    async def record(self, user: str, action: str, subject: str, detail: str = "") -> None:
        self.audit.put_nowait((user, action, subject))
        if self.disk_full:
            raise OSError("the disk is full")

    def live(self) -> LiveView:
        seats = tuple(
            AgentView(a.id, a.name, a.extension, AgentState.READY, "", AT, (), None) for a in SITE.agents
        )
        return LiveView(AT, True, self.calls, (), seats)

    def feed(self, limit: int = 0) -> AmiFeed:
        return self.news

    def reconnect(self, reason: str) -> None:
        raise AssertionError(reason)

    async def core_show_channels(self) -> tuple[ami.CoreShowChannel, ...]:
        return self.shown

    async def action(self, name: str, fields: Mapping[str, FieldValue]) -> AmiResponse:
        if self.away:
            raise AmiDisconnected("gone")
        if name == "Getvar" and "Channel" in fields:
            return AmiResponse("Success", "", {"Value": self.variables.get(str(fields["Channel"]), "")})
        if name == "Getvar":
            extension = str(fields["Variable"]).removeprefix("PJSIP_DIAL_CONTACTS(").removesuffix(")")
            here = extension not in self.gone
            return AmiResponse("Success", "", {"Value": f"PJSIP/{extension}/sip:x" if here else ""})
        self.said.append((name, fields))
        match name, fields.get("Digit"):
            case "PlayDTMF", "7":
                self.tell(says("HotlineHold", "PJSIP/trunk-1", CALL))
            case "PlayDTMF", "8":
                self.tell(says("HotlineUnhold", "PJSIP/trunk-1", CALL))
            case "BlindTransfer", _:
                self.tell(gone("PJSIP/8001-1", "a.1"))
            case "Originate", _:
                channel, uniqueid = f"{fields['Channel']}-7", str(fields["ChannelId"])
                self.tell(new(channel, uniqueid, uniqueid))
                if self.picks_up and "-spy-" in uniqueid:
                    self.tell(spies(channel, uniqueid, str(fields["Exten"])))
            case "PlayDTMF", "4" | "5" | "6" as key if "-spy-" in str(fields["Channel"]):
                self.tell(spies(phone_of(str(fields["Channel"])), str(fields["Channel"]), key))
            case "Hangup", _ if "-spy-" in str(fields["Channel"]):
                uniqueid = str(fields["Channel"])
                self.tell(gone(phone_of(uniqueid), uniqueid, uniqueid))
            case "Hangup", _:
                self.tell(gone("PJSIP/any-1", str(fields["Channel"])))
            case "Atxfer", _ if self.lost_enquiries:
                self.lost_enquiries -= 1
            case "Atxfer", _:
                self.local = local = f"Local/{fields['Exten']}@hotline-transfer-00;"
                self.tell(new(f"{local}1", "l.1"), new(f"{local}2", "l.2"), enter(f"{local}1", "l.1", "b2"))
                self.tell(new("PJSIP/trunk-9", "a.9"), enter("PJSIP/8001-1", "a.1", "b2"))
            case "PlayDTMF", "5" if self.deaf_to_three_way:
                self.deaf_to_three_way -= 1
            case "PlayDTMF", "5":
                self.tell(enter(f"{self.local}1", "l.1", "b1"), enter("PJSIP/8001-1", "a.1", "b1"))
        return AmiResponse("Success", "", {})

    def tell(self, *events: ami.AmiNews) -> None:
        for event in events:
            self.news.put(event)

    def names(self) -> list[str]:
        """What was asked, in order: the action, and the key where it was one."""
        return [str(fields.get("Digit") or name) for name, fields in self.said]

    async def event(self, kind: type[object], **wanted: object) -> object:
        """The first such event on the bus, past or to come."""
        async with asyncio.timeout(5):
            while True:
                for envelope in self.bus.since(0) or []:
                    one: object = envelope.event
                    if isinstance(one, kind) and all(getattr(one, k) == v for k, v in wanted.items()):
                        return one
                with self.bus.subscribe("test") as feed:
                    await anext(feed)


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    """A talk is under way."""
    floor = Floor()
    task = asyncio.create_task(floor.talks.run())
    floor.tell(*TALK)
    assert await floor.talks.until(lambda: bool(floor.talks.talk(CALL).talkers), 5)
    yield floor
    await floor.control.aclose()
    task.cancel()
    await asyncio.wait({task})


def phone_of(uniqueid: str) -> str:
    """The channel of a supervisor's phone that was rung."""
    return f"PJSIP/{uniqueid.split('-')[2]}-7"


def spies(channel: str, uniqueid: str, key: str, on: str = "a.1", at: datetime = AT) -> ami.UserEvent:
    """What the dialplan says of a supervisor's phone."""
    verb = next(verb for verb, known in supervision.KEYS.items() if known == key)
    return says(supervision.EVENT, channel, uniqueid, uniqueid, State=str(SpyState(on, verb, at)))


def agent(name: str) -> Target:
    return Target(TargetKind.AGENT, name)


async def test_a_double_click_is_one_click(floor: Floor) -> None:
    """The same wish at the same moment, and again after it: one pair of keys, the same answer."""
    views = await asyncio.gather(*(floor.control.do(ZHANG, CALL, CallVerb.HOLD) for _ in range(3)))
    assert [view.held for view in views] == [True] * 3
    assert floor.names() == ["*", "7"]
    assert not (await floor.control.do(ZHANG, CALL, CallVerb.UNHOLD)).held
    assert (await floor.control.do(ZHANG, CALL, CallVerb.HOLD)).held, "that was another wish"
    assert floor.names() == ["*", "7", "*", "8", "*", "7"]


async def test_a_double_click_on_transfer_moves_the_caller_once(floor: Floor) -> None:
    """The second click finds the call gone from the phone, and is answered like the first."""
    await asyncio.gather(*(floor.control.transfer(ZHANG, CALL, agent("a2")) for _ in range(2)))
    assert floor.names() == ["BlindTransfer"]


async def test_a_held_caller_is_taken_off_hold_before_being_handed_on(floor: Floor) -> None:
    """Otherwise the music would go along."""
    await floor.control.do(ZHANG, CALL, CallVerb.HOLD)
    await floor.control.transfer(ZHANG, CALL, Target(TargetKind.QUEUE, "12345"))
    assert floor.names() == ["*", "7", "*", "8", "BlindTransfer"]
    assert floor.said[-1][1]["Exten"] == "q12345"


async def test_what_cannot_be_done_is_said_and_nothing_is_asked_of_the_exchange(floor: Floor) -> None:
    """Somebody else's call, an unknown call or target, a busy colleague, oneself, no enquiry."""
    control = floor.control
    for who, call_id, verb, error in (
        (LI, CALL, CallVerb.HOLD, UnknownName),
        (ZHANG, "other", CallVerb.HOLD, UnknownName),
        (ZHANG, CALL, CallVerb.CONSULT_COMPLETE, IllegalState),
        (ZHANG, CALL, CallVerb.CONSULT_CANCEL, IllegalState),
        (ZHANG, CALL, CallVerb.THREE_WAY, IllegalState),
    ):
        with pytest.raises(error):
            await control.do(who, call_id, verb)
    floor.tell(new("PJSIP/8002-9", "x.1", "x.1"))
    assert await floor.talks.until(lambda: bool(floor.talks.book.of_agent("a2")), 5)
    for target, error in (
        (agent("a2"), IllegalState),
        (agent("a1"), IllegalState),
        (agent("nobody"), UnknownName),
        (Target(TargetKind.QUEUE, "none"), UnknownName),
        (Target(TargetKind.NUMBER, "13800000000"), UnknownName),
    ):
        with pytest.raises(error):
            await control.transfer(ZHANG, CALL, target)
    with pytest.raises(IllegalState):
        await control.consult(ZHANG, CALL, Target(TargetKind.QUEUE, "12345"))
    with pytest.raises(UnknownName):
        await control.emergency(ZHANG, CALL, "999")
    assert floor.said == []


async def test_an_exchange_out_of_reach_is_said_so(floor: Floor) -> None:
    """The call is not touched, and the next click works."""
    floor.away = True
    for verb in (CallVerb.HOLD, CallVerb.MUTE, CallVerb.HANGUP):
        with pytest.raises(ExchangeUnreachable):
            await floor.control.do(ZHANG, CALL, verb)
    with pytest.raises(ExchangeUnreachable):
        await floor.supervisor.do(CHIEF, CALL, SuperviseVerb.LISTEN)
    floor.away = False
    assert (await floor.control.do(ZHANG, CALL, CallVerb.HOLD)).held


async def test_an_emergency_is_joined_when_it_answers_and_not_before(floor: Floor) -> None:
    """The three-way keys are pressed by themselves; the page is told of each step."""
    view = await floor.control.emergency(ZHANG, CALL, "110")
    assert view.consult == ConsultView("110", ConsultState.RINGING)
    assert floor.names() == ["Atxfer"]
    floor.tell(enter("PJSIP/trunk-9", "a.9", "b3"), enter(f"{floor.local}2", "l.2", "b3"))
    await floor.event(CallChanged, consult_state=ConsultState.THREE_WAY)
    assert floor.names() == ["Atxfer", "*", "5"]


async def test_events_tell_who_comes_and_goes_once_each(floor: Floor) -> None:
    """Rings, joins, leaves: one event each, also through Asterisk's joining of bridges."""
    floor.tell(*ASK)
    await floor.event(PartyRinging, agent="a2", party="8002")
    floor.tell(*ASKED, enter(LOCAL_1, "l.1", "b1"), enter("PJSIP/8001-1", "a.1", "b1"))
    await floor.event(PartyJoined, agent="a2", uniqueid="a.2")
    floor.tell(enter("PJSIP/8002-2", "a.2", "b1"), gone(LOCAL_2, "l.2"), gone(LOCAL_1, "l.1"))
    floor.tell(gone("PJSIP/8001-1", "a.1"))
    await floor.event(PartyLeft, agent="a1")
    told = [one.event for one in floor.bus.since(0) or [] if not isinstance(one.event, CallChanged)]
    assert [type(one) for one in told] == [PartyRinging, PartyJoined, PartyLeft]
    (view,) = floor.talks.live().calls
    assert (view.agent, view.parties, view.consult) == ("a2", (), None)


async def test_two_supervisors_listen_and_only_one_takes_over(floor: Floor) -> None:
    """Each has a phone of their own on the call; the second to take over is told that nobody talks now."""
    for who in (CHIEF, OTHER_CHIEF):
        await floor.supervisor.do(who, CALL, SuperviseVerb.LISTEN)
    assert floor.names() == ["Originate", "Originate"]
    assert {fields["Channel"] for _, fields in floor.said} == {"PJSIP/9001", "PJSIP/9002"}
    results = await asyncio.gather(
        *(floor.supervisor.do(who, CALL, SuperviseVerb.TAKE_OVER) for who in (CHIEF, OTHER_CHIEF)),
        return_exceptions=True,
    )
    assert isinstance(results[0], CallView) and isinstance(results[1], IllegalState)
    assert floor.names()[2:] == ["Hangup", "BlindTransfer"] and floor.said[-1][1]["Exten"] == "9001"


async def test_another_word_changes_over_by_a_key_once_the_phone_is_picked_up(floor: Floor) -> None:
    """Each new word presses its key on the supervisor's channel; the same word again does nothing."""
    await floor.supervisor.do(CHIEF, CALL, SuperviseVerb.LISTEN)
    assert await floor.talks.until(lambda: (spy := floor.talks.spies.of("b1")) is not None and spy.up, 5)
    channel = str(floor.said[0][1]["ChannelId"])
    for verb in (SuperviseVerb.WHISPER, SuperviseVerb.BARGE, SuperviseVerb.BARGE, SuperviseVerb.LISTEN):
        await floor.supervisor.do(CHIEF, CALL, verb)
    assert floor.names() == ["Originate", "5", "6", "4"] and floor.said[-1][1]["Channel"] == channel
    await floor.supervisor.stop(CHIEF)
    assert floor.names()[4:] == ["Hangup"]
    with pytest.raises(IllegalState):
        await floor.supervisor.do(Asker("z", "a1", True), CALL, SuperviseVerb.LISTEN)


async def test_a_phone_that_still_rings_is_rung_anew_for_another_word(floor: Floor) -> None:
    """Keys pressed before the pick-up come to nothing: whoever wanted to be silent would be heard."""
    floor.picks_up = False
    await floor.supervisor.do(CHIEF, CALL, SuperviseVerb.BARGE)
    await floor.supervisor.do(CHIEF, CALL, SuperviseVerb.BARGE)
    await floor.supervisor.do(CHIEF, CALL, SuperviseVerb.LISTEN)
    assert floor.names() == ["Originate", "Hangup", "Originate"]
    assert floor.said[-1][1]["Exten"] == supervision.KEYS[SuperviseVerb.LISTEN]


async def test_no_talk_is_thrown_away_on_a_phone_that_is_gone(floor: Floor) -> None:
    """Transfer, enquiry and take-over ask the exchange first; signed out or not, a dead phone is refused."""
    floor.gone = {"8002", "9001"}
    for refused in (
        floor.control.transfer(ZHANG, CALL, agent("a2")),
        floor.control.consult(ZHANG, CALL, agent("a2")),
        floor.supervisor.do(CHIEF, CALL, SuperviseVerb.TAKE_OVER),
    ):
        with pytest.raises(IllegalState) as told:
            await refused
        assert told.value.code == "phone_unreachable" and told.value.hint
    floor.tell(new("PJSIP/9002-9", "x.1", "x.1"))
    assert await floor.talks.until(lambda: bool(floor.talks.book.of_agent("b2")), 5)
    with pytest.raises(IllegalState) as told:
        await floor.supervisor.do(OTHER_CHIEF, CALL, SuperviseVerb.TAKE_OVER)
    assert told.value.code == "phone_busy"
    assert floor.said == []


async def three_way(floor: Floor) -> None:
    """8001, 8002 and the caller talk together, in one bridge by now."""
    floor.tell(*ASK, *ASKED, enter(LOCAL_1, "l.1", "b1"), enter("PJSIP/8001-1", "a.1", "b1"))
    floor.tell(enter("PJSIP/8002-2", "a.2", "b1"), gone(LOCAL_2, "l.2"), gone(LOCAL_1, "l.1"))
    assert await floor.talks.until(lambda: len(floor.talks.talk(CALL).talkers) == 2, 5)


async def test_the_third_party_is_sent_away_and_nothing_else_of_an_enquiry_works(floor: Floor) -> None:
    """Complete and cancel say that all three talk; drop ends the third party's leg, if there are three."""
    with pytest.raises(IllegalState) as told:
        await floor.control.do(ZHANG, CALL, CallVerb.THREE_WAY_DROP)
    assert told.value.code == "not_three_way"
    await three_way(floor)
    for verb in (CallVerb.CONSULT_COMPLETE, CallVerb.CONSULT_CANCEL):
        with pytest.raises(IllegalState) as told:
            await floor.control.do(ZHANG, CALL, verb)
        assert told.value.code == "three_way"
    with pytest.raises(IllegalState) as told:
        await floor.control.do(LI, CALL, CallVerb.THREE_WAY_DROP)
    assert told.value.code == "third_party" and floor.said == []
    view = await floor.control.do(ZHANG, CALL, CallVerb.THREE_WAY_DROP)
    assert floor.said == [("Hangup", {"Channel": "a.2"})]
    assert (view.agent, view.consult, view.parties) == ("a1", None, ())


async def test_an_emergency_does_not_wait_for_three_to_part(floor: Floor) -> None:
    """The service is called while the third party talks with the caller; then all four talk."""
    await three_way(floor)
    view = await floor.control.emergency(ZHANG, CALL, "110")
    assert floor.names() == ["Atxfer"]
    assert view.consult == ConsultView("110", ConsultState.RINGING)
    assert [leg.agent for leg in floor.talks.talk(CALL).talkers] == ["a2"]


@pytest.mark.parametrize("deaf", [2, 3], ids=["joined", "given up"])
async def test_keys_that_come_to_nothing_are_pressed_again(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, deaf: int
) -> None:
    """The service has answered: joining is tried three times, and then the agent is told."""
    monkeypatch.setattr(call_control, "JOIN_SECONDS", 0.05)
    floor.deaf_to_three_way = deaf
    await floor.control.emergency(ZHANG, CALL, "110")
    floor.tell(enter("PJSIP/trunk-9", "a.9", "b3"), enter(f"{floor.local}2", "l.2", "b3"))
    if deaf == 2:
        await floor.event(CallChanged, consult_state=ConsultState.THREE_WAY)
    else:
        await floor.event(EmergencyNotJoined, call_id=CALL, agent="a1", service="110")
    assert floor.names() == ["Atxfer", *["*", "5"] * 3]
    told = [one for one in floor.bus.since(0) or [] if isinstance(one.event, EmergencyNotJoined)]
    assert len(told) == (deaf == 3)


async def test_each_phone_is_muted_for_itself(floor: Floor) -> None:
    """In a three-way talk one's own mute shows as one's own; it stays while one asks somebody."""
    await three_way(floor)
    view = await floor.control.do(LI, CALL, CallVerb.MUTE)
    assert view.muted_agents == ("a2",)
    await floor.event(CallChanged, muted_agents=("a2",))
    await floor.control.do(ZHANG, CALL, CallVerb.THREE_WAY_DROP)
    assert (await floor.control.do(ZHANG, CALL, CallVerb.MUTE)).muted_agents == ("a1",)
    assert (await floor.control.consult(ZHANG, CALL, agent("a2"))).muted_agents == ("a1",)
    assert (await floor.control.do(ZHANG, CALL, CallVerb.UNMUTE)).muted_agents == ()


async def test_what_a_supervisors_phone_does_is_told_also_when_its_own_keys_changed_it(floor: Floor) -> None:
    """From the ring to the hang-up, once each; stopped and asked again at once it rings again."""
    told = []
    for verb, key in ((SuperviseVerb.LISTEN, ""), (SuperviseVerb.WHISPER, "5"), (SuperviseVerb.BARGE, "6")):
        if key:
            floor.tell(spies("PJSIP/9001-7", str(floor.said[0][1]["ChannelId"]), key))
        else:
            await floor.supervisor.do(CHIEF, CALL, verb)
        told.append(await floor.event(SupervisionChanged, agent="b1", call_id=CALL, verb=verb))
        present = floor.supervisor.present(CHIEF)
        assert present is not None and (present.call_id, present.verb) == (CALL, verb)
        assert floor.supervisor.present(OTHER_CHIEF) is None
    await floor.supervisor.stop(CHIEF)
    told.append(await floor.event(SupervisionChanged, agent="b1", call_id=CALL, verb=None))
    assert floor.supervisor.present(CHIEF) is None
    assert [e.event for e in floor.bus.since(0) or [] if isinstance(e.event, SupervisionChanged)] == told
    await floor.supervisor.do(CHIEF, CALL, SuperviseVerb.LISTEN)
    assert floor.names() == ["Originate", "Hangup", "Originate"]


async def test_what_a_phones_own_keys_do_is_written_down(floor: Floor) -> None:
    """The page's wishes are in the audit log already; a key is too, and a full disk ends nothing."""
    work = asyncio.create_task(floor.supervisor.run())
    await floor.supervisor.do(CHIEF, CALL, SuperviseVerb.LISTEN)
    channel, now = str(floor.said[0][1]["ChannelId"]), SystemClock().now()
    await floor.event(SupervisionChanged, verb=SuperviseVerb.LISTEN)
    floor.disk_full = True
    for key, verb in (("5", "whisper"), ("4", "listen"), ("6", "barge")):
        floor.tell(spies("PJSIP/9001-7", channel, key, at=now + timedelta(seconds=int(key))))
        written = await asyncio.wait_for(floor.audit.get(), 5)
        assert written == ("seat b1", f"supervise_{verb}", CALL)
        floor.disk_full = False
    await floor.supervisor.do(CHIEF, CALL, SuperviseVerb.WHISPER)
    await floor.supervisor.stop(CHIEF)
    await floor.event(SupervisionChanged, verb=None)
    assert floor.audit.empty() and not work.done()
    work.cancel()
    await asyncio.wait({work})


async def test_an_enquiry_that_the_exchange_lost_is_asked_for_again(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It loses one while it says that the one before failed; after four times the agent is told."""
    monkeypatch.setattr(call_control, "ASK_SECONDS", 0.05)
    floor.lost_enquiries = 4
    with pytest.raises(IllegalState) as told:
        await floor.control.consult(ZHANG, CALL, agent("a2"))
    assert told.value.code == "did_not_happen"
    floor.lost_enquiries = 2
    assert (await floor.control.consult(ZHANG, CALL, agent("a2"))).consult is not None
    assert floor.names() == ["Atxfer"] * 7


async def test_after_a_break_the_exchange_says_who_listens(floor: Floor) -> None:
    """The state stands on the phone's channel; one that hung up meanwhile is told to have ended."""
    await floor.supervisor.do(CHIEF, CALL, SuperviseVerb.LISTEN)
    await floor.event(SupervisionChanged, agent="b1", verb=SuperviseVerb.LISTEN)
    uniqueid = "node1-spy-9002-1.1"
    floor.variables = {uniqueid: str(SpyState("a.1", SuperviseVerb.BARGE, AT))}
    floor.shown = (
        shown("PJSIP/trunk-1", CALL, bridge="b1"),
        shown("PJSIP/8001-1", "a.1", bridge="b1", application="AppQueue"),
        shown("PJSIP/9002-9", uniqueid, application="ChanSpy", call=uniqueid),
    )
    floor.tell(ami.AmiConnected(at=AT, epoch=2, version="11.0.0"))
    await floor.event(SupervisionChanged, agent="b2", verb=SuperviseVerb.BARGE)
    await floor.event(SupervisionChanged, agent="b1", verb=None)
    assert floor.supervisor.present(OTHER_CHIEF) == SupervisionView(CALL, SuperviseVerb.BARGE, AT)
    assert floor.supervisor.present(CHIEF) is None
    assert await floor.supervisor.do(OTHER_CHIEF, CALL, SuperviseVerb.LISTEN)
    assert floor.names()[-1] == supervision.KEYS[SuperviseVerb.LISTEN], "rung anew instead of changed over"

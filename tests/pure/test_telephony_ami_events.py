"""From headers to typed events, on what a real Asterisk 22 wrote and on what none would."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.telephony.ami import events as ev
from hotline.telephony.ami.errors import AmiMalformedEvent
from hotline.telephony.ami.parse import parse_event
from hotline.telephony.ami.wire import AmiParser

RECEIVED_AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
SESSION = Path(__file__).parent.parent / "fixtures" / "telephony_ami_session.txt"

CHANNEL = {
    "Privilege": "agent,all",
    "Timestamp": "1795242307.436795",
    "Channel": "PJSIP/trunk-00000001",
    "CallerIDNum": "13800000001",
    "CallerIDName": "张三 😀",
    "Context": "in",
    "Exten": "12315",
    "Uniqueid": "t1-1.1",
    "Linkedid": "t1-1.0",
}
AGENT_LEG = {
    **CHANNEL,
    "DestChannel": "PJSIP/1001-00000002",
    "DestUniqueid": "t1-1.2",
    "Queue": "12315",
    "Interface": "PJSIP/1001",
    "MemberName": "李四·坐席",
}
MEMBER = {
    "Queue": "12315",
    "MemberName": "李四",
    "Interface": "PJSIP/1001",
    "StateInterface": "PJSIP/1001",
    "Membership": "dynamic",
    "Status": "1",
    "Paused": "1",
    "PausedReason": "小休",
    "LastCall": "0",
    "LoginTime": "1795242306",
}


def read(name: str, headers: dict[str, str]) -> ev.AmiEvent:
    """Parse one event of this name."""
    return parse_event({"Event": name, **headers}, received_at=RECEIVED_AT)


def recorded() -> list[ev.AmiEvent]:
    """Every event of the recorded session."""
    wire = SESSION.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")  # however it was checked out
    packets = AmiParser().receive(wire)
    return [
        parse_event(packet.headers, received_at=RECEIVED_AT)
        for packet in packets
        if "Event" in packet.headers
    ]


def test_the_life_of_a_recorded_call() -> None:
    """A call that an agent answered, as Asterisk 22 told it, read in order under one linkedid."""
    call = [event for event in recorded() if getattr(event, "linkedid", "") == "t1-1795242306.0"]
    story = [
        event
        for event in call
        if isinstance(
            event,
            ev.UserEvent
            | ev.QueueCallerJoin
            | ev.AgentCalled
            | ev.QueueCallerLeave
            | ev.AgentConnect
            | ev.AgentComplete,
        )
    ]
    fallback, join, called, leave, connect, complete = story
    assert isinstance(fallback, ev.UserEvent)
    assert (fallback.name, fallback.fields) == ("HotlineFallback", {"Line": "12315", "Why": "测试"})
    assert isinstance(join, ev.QueueCallerJoin)
    assert (join.queue, join.position, join.count) == ("12315", 1, 1)
    assert (join.caller_number, join.caller_name) == ("13800000001", "张三 😀")
    assert join.at == datetime(2026, 11, 21, 6, 25, 7, 436795, tzinfo=UTC)
    assert isinstance(called, ev.AgentCalled) and called.member_name == "李四·坐席"
    assert isinstance(leave, ev.QueueCallerLeave) and leave.count == 0
    assert isinstance(connect, ev.AgentConnect)
    assert (connect.hold_seconds, connect.ring_milliseconds) == (1, 1000)
    assert (connect.uniqueid, connect.agent_uniqueid) == ("t1-1795242306.1", "t1-1795242307.2")
    assert isinstance(complete, ev.AgentComplete)
    assert (complete.talk_seconds, complete.reason) == (2, ev.CompleteReason.AGENT)


def test_a_recorded_abandonment() -> None:
    """Nobody answered: the phone's ring time and the caller's wait are told in named units."""
    events = recorded()
    [rang] = [event for event in events if isinstance(event, ev.AgentRingNoAnswer)]
    [gone] = [event for event in events if isinstance(event, ev.QueueCallerAbandon)]
    assert rang.ring_milliseconds == 4000
    assert (gone.hold_seconds, gone.original_position) == (8, 1)


def test_every_recorded_event_is_understood() -> None:
    """Nothing of a real session is malformed, and what is not used is called unknown by name."""
    counted = Counter(type(event).__name__ for event in recorded())
    assert counted["Hangup"] == counted["Newchannel"] == 14
    assert counted["QueueParams"] == 4 and counted["QueueMember"] == 3 and counted["QueueEntry"] == 2
    assert counted["CoreShowChannel"] == 4 and counted["OriginateResponse"] == 3
    unknown = {event.name for event in recorded() if isinstance(event, ev.UnknownEvent)}
    assert "NewCallerid" in unknown and "BridgeCreate" in unknown


def test_an_originate_that_failed_is_recorded_as_such() -> None:
    """The channel of a call that never was is empty, not `<null>`."""
    failed = [
        event for event in recorded() if isinstance(event, ev.OriginateResponse) and not event.succeeded
    ]
    assert [(event.uniqueid, event.reason) for event in failed] == [("", 0)]


def test_the_end_of_a_talk_is_told_without_its_channels() -> None:
    """Asterisk leaves out channels that are gone already; the event says what it still can."""
    rest = {"Queue": "12315", "Interface": "PJSIP/1001", "HoldTime": "0", "TalkTime": "2", "Reason": "caller"}
    agent_left = {"DestChannel": "PJSIP/1001-2", "DestUniqueid": "t1-1.2", "DestLinkedid": "t1-1.0"}
    one = read("AgentComplete", {**agent_left, **rest})
    none = read("AgentComplete", rest)
    assert isinstance(one, ev.AgentComplete) and isinstance(none, ev.AgentComplete)
    assert (one.linkedid, one.uniqueid, one.agent_uniqueid) == ("t1-1.0", "", "t1-1.2")
    assert (none.linkedid, none.interface, none.talk_seconds) == ("", "PJSIP/1001", 2)
    with pytest.raises(AmiMalformedEvent, match="Linkedid"):
        read("AgentConnect", {**rest, "RingTime": "1"})


def test_both_ring_times_become_milliseconds() -> None:
    """AgentConnect counts seconds where AgentRingNoAnswer counts milliseconds."""
    connect = read("AgentConnect", {**AGENT_LEG, "HoldTime": "9", "RingTime": "4"})
    missed = read("AgentRingNoAnswer", {**AGENT_LEG, "RingTime": "4000"})
    assert isinstance(connect, ev.AgentConnect) and isinstance(missed, ev.AgentRingNoAnswer)
    assert connect.ring_milliseconds == missed.ring_milliseconds == 4000


def test_times_come_from_asterisk_or_else_from_the_clock() -> None:
    """A timestamp is read to the microsecond; an event without one bears the time of receipt."""
    stamped = read("Hangup", {**CHANNEL, "Cause": "16", "Cause-txt": "Normal Clearing"})
    assert stamped == ev.Hangup(
        at=datetime(2026, 11, 21, 6, 25, 7, 436795, tzinfo=UTC),
        channel="PJSIP/trunk-00000001",
        uniqueid="t1-1.1",
        linkedid="t1-1.0",
        caller_number="13800000001",
        caller_name="张三 😀",
        context="in",
        exten="12315",
        cause=16,
        cause_text="Normal Clearing",
    )
    assert read("FullyBooted", {}).at == RECEIVED_AT


def test_a_member_in_an_event_and_in_a_list_reads_the_same() -> None:
    """QueueStatus calls two fields differently; the product does not."""
    pause = read("QueueMemberPause", MEMBER)
    listed = read("QueueMember", {**MEMBER, "Name": "李四", "Location": "PJSIP/1001"})
    assert isinstance(pause, ev.QueueMemberPause) and isinstance(listed, ev.QueueMember)
    assert pause.paused and pause.paused_reason == "小休"
    assert pause.device_state is ev.DeviceState.NOT_INUSE
    assert pause.last_call_at is None and pause.login_at == datetime(2026, 11, 21, 6, 25, 6, tzinfo=UTC)
    assert (listed.member_name, listed.interface) == (pause.member_name, pause.interface)


def test_an_unknown_caller_is_an_empty_string() -> None:
    """Placeholders are not mistaken for names, in either of their spellings."""
    hangup = read("Hangup", {**CHANNEL, "CallerIDName": "<unknown>"})
    assert isinstance(hangup, ev.Hangup) and hangup.caller_name == ""
    entry = read(
        "QueueEntry",
        {
            "Queue": "12315",
            "Position": "1",
            "Channel": "x",
            "Uniqueid": "u",
            "Wait": "3",
            "CallerIDName": "unknown",
        },
    )
    assert isinstance(entry, ev.QueueEntry) and entry.caller_name == ""


def test_device_states_by_name_and_by_number() -> None:
    """Two spellings of one thing."""
    change = read("DeviceStateChange", {"Device": "PJSIP/1001", "State": "NOT_INUSE"})
    assert isinstance(change, ev.DeviceStateChange) and change.state is ev.DeviceState.NOT_INUSE


def test_a_dial_by_asterisk_itself_belongs_to_the_called_channel() -> None:
    """Where nobody calls, the call is named by the channel that is called."""
    begin = read(
        "DialBegin", {"DestChannel": "PJSIP/1", "DestUniqueid": "u2", "DestLinkedid": "l", "DialString": "1"}
    )
    assert isinstance(begin, ev.DialBegin) and (begin.uniqueid, begin.linkedid) == ("", "l")


def test_sip_reachability() -> None:
    """Contacts with and without a measured round trip, and peers."""
    contact = {
        "AOR": "1001",
        "EndpointName": "1001",
        "URI": "sip:1001@127.0.0.1",
        "ContactStatus": "Reachable",
    }
    fast = read("ContactStatus", {**contact, "RoundtripUsec": "1234"})
    never = read("ContactStatus", {**contact, "RoundtripUsec": "N/A"})
    assert isinstance(fast, ev.ContactStatus) and fast.roundtrip_microseconds == 1234
    assert isinstance(never, ev.ContactStatus) and never.roundtrip_microseconds is None
    peer = read("PeerStatus", {"Peer": "PJSIP/1001", "PeerStatus": "Unreachable"})
    assert isinstance(peer, ev.PeerStatus) and peer.status == "Unreachable"


def test_fields_of_a_user_event_survive_whole() -> None:
    """Chinese, emoji and U+2028 in a dialplan's fields; the channel's headers are not among them."""
    event = read("UserEvent", {**CHANNEL, "UserEvent": "Menu", "Path": "社保\u2028😀", "Line": "12333"})
    assert isinstance(event, ev.UserEvent) and event.linkedid == "t1-1.0"
    assert event.fields == {"Path": "社保\u2028😀", "Line": "12333"}


@pytest.mark.parametrize(
    ("name", "headers", "field"),
    [
        ("QueueCallerJoin", {**CHANNEL, "Queue": "12315", "Position": "one", "Count": "1"}, "Position"),
        ("QueueCallerJoin", {**CHANNEL, "Queue": "12315", "Position": "１", "Count": "1"}, "Position"),
        ("QueueCallerJoin", {**CHANNEL, "Queue": "12315", "Position": "1"}, "Count"),
        ("QueueCallerJoin", {**CHANNEL, "Position": "1", "Count": "1"}, "Queue"),
        ("Hangup", {**CHANNEL, "Linkedid": ""}, "Linkedid"),
        ("Hangup", {**CHANNEL, "Timestamp": "yesterday"}, "Timestamp"),
        ("Hangup", {**CHANNEL, "Cause": "9" * 40}, "Cause"),
        ("AgentComplete", {**AGENT_LEG, "HoldTime": "1", "TalkTime": "1", "Reason": "bored"}, "Reason"),
        ("QueueMemberStatus", {**MEMBER, "Status": "77"}, "Status"),
        ("DeviceStateChange", {"Device": "x", "State": "ASLEEP"}, "State"),
        ("CoreShowChannel", {**CHANNEL, "Duration": "long"}, "Duration"),
    ],
)
def test_a_malformed_event_names_its_field_and_hides_its_value(
    name: str, headers: dict[str, str], field: str
) -> None:
    """What cannot be read is an error with the place in it, fit for a log."""
    with pytest.raises(AmiMalformedEvent) as caught:
        read(name, headers)
    assert (caught.value.event, caught.value.field) == (name, field)
    assert "13800000001" not in str(caught.value)


@given(
    name=st.sampled_from(
        ["Hangup", "AgentConnect", "QueueMemberStatus", "ContactStatus", "UserEvent", "CoreShowChannel"]
    ),
    extra=st.dictionaries(
        st.sampled_from([*AGENT_LEG, *MEMBER, "Cause", "HoldTime", "RingTime", "Duration", "UserEvent"]),
        st.text(max_size=12),
    ),
)
def test_no_headers_break_the_parser(name: str, extra: dict[str, str]) -> None:
    """Any values make an event with an aware time, or the one error."""
    try:
        event = read(name, {**AGENT_LEG, **MEMBER, **extra})
    except AmiMalformedEvent:
        return
    assert event.at.tzinfo is UTC

"""What Asterisk reports, as the product reads it: a closed union of frozen events.

Every event has `at` (aware UTC, to the microsecond when the manager has `timestampevents=yes`).
`uniqueid` names one channel, `linkedid` the call that it belongs to: the key of a call. Names and
reasons are as the caller's or agent's side gave them; `<unknown>` is read as the empty string.

`AmiConnected` and `AmiLost` are not Asterisk's: they frame a connection. A reader gets
`AmiConnected` first, then the events of that connection, then `AmiLost`; whatever it believed
before an `AmiConnected` has to be compared with Asterisk again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from hotline.telephony.ami.bridging import AttendedTransfer as AttendedTransfer
from hotline.telephony.ami.bridging import BlindTransfer as BlindTransfer
from hotline.telephony.ami.bridging import BridgeEnter as BridgeEnter
from hotline.telephony.ami.bridging import BridgeLeave as BridgeLeave


class DeviceState(IntEnum):
    """What a phone is doing (Asterisk's devicestate.h)."""

    UNKNOWN = 0
    NOT_INUSE = 1
    INUSE = 2
    BUSY = 3
    INVALID = 4
    UNAVAILABLE = 5
    RINGING = 6
    RINGINUSE = 7
    ONHOLD = 8


class CompleteReason(StrEnum):
    """Who ended an answered queue call."""

    AGENT = "agent"
    CALLER = "caller"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiConnected:
    """A connection is up: logged in, and Asterisk is fully booted.

    Attributes:
        epoch: counts the connections of this client from 1.
        version: the manager protocol's version, such as `11.0.0`.
    """

    at: datetime
    epoch: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiLost:
    """The connection of this epoch is gone; events may be missed until the next `AmiConnected`."""

    at: datetime
    epoch: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Happened:
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnChannel(_Happened):
    """Happened on one channel.

    Attributes:
        channel: its name, such as `PJSIP/1001-00000003`.
        caller_number: the party's number; empty if Asterisk does not know it.
        caller_name: likewise its display name.
    """

    channel: str
    uniqueid: str
    linkedid: str
    caller_number: str
    caller_name: str
    context: str
    exten: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _QueueCaller(_OnChannel):
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _AgentLeg(_QueueCaller):
    """Happened between a waiting caller (the channel) and an agent's phone.

    Asterisk leaves out a channel that is gone by the time it tells of it: then that channel's fields
    are empty, and the linkedid is the other one's.

    Attributes:
        interface: the agent's phone as the queue knows it, such as `PJSIP/1001`.
        agent_channel: the channel to that phone.
        agent_uniqueid: its unique id; what to tap to hear the agent.
    """

    interface: str
    member_name: str
    agent_channel: str
    agent_uniqueid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Newchannel(_OnChannel):
    """A channel came into being; the first one of a call gives it its linkedid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newstate(_OnChannel):
    """A channel's state changed: `Ringing` (its phone said so), `Up` (answered), `Ring` (it calls) ..."""

    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup(_OnChannel):
    """A channel ended. `cause` is a Q.850 code."""

    cause: int
    cause_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(_OnChannel):
    """A party put the other on hold."""

    music_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unhold(_OnChannel):
    """A party took the other off hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialBegin(_Happened):
    """A phone or trunk is being called.

    Attributes:
        uniqueid: the calling channel; empty when Asterisk itself calls.
        linkedid: the call, by the called channel, which always is there.
    """

    channel: str
    uniqueid: str
    linkedid: str
    dest_channel: str
    dest_uniqueid: str
    dial_string: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DialEnd(_Happened):
    """Calling a phone or trunk came to its end: `ANSWER`, `BUSY`, `NOANSWER`, `CANCEL` ..."""

    channel: str
    uniqueid: str
    linkedid: str
    dest_channel: str
    dest_uniqueid: str
    dial_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCallerJoin(_QueueCaller):
    """A caller began to wait, at `position` of `count` callers."""

    position: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCallerLeave(_QueueCaller):
    """A caller waits no more, for whatever reason; `count` others still do."""

    position: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCallerAbandon(_QueueCaller):
    """A caller hung up while waiting. A `QueueCallerLeave` comes as well."""

    position: int
    original_position: int
    hold_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCalled(_AgentLeg):
    """An agent's phone is called for a waiting caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConnect(_AgentLeg):
    """An agent answered a waiting caller."""

    hold_seconds: int
    ring_milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRingNoAnswer(_AgentLeg):
    """An agent's phone rang in vain."""

    ring_milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentComplete(_AgentLeg):
    """The talk between a caller and an agent ended.

    When both hung up quickly Asterisk names neither channel: `linkedid` is empty, and `queue` and `interface`
    say which talk it was, as an agent has one at a time. `reason` is then `caller`, whoever hung up first.
    """

    hold_seconds: int
    talk_seconds: int
    reason: CompleteReason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member(_Happened):
    """A member of a queue as it is now.

    Attributes:
        membership: `dynamic`, `static` or `realtime`.
        last_call_at: end of the newest call taken; None before the first.
    """

    queue: str
    member_name: str
    interface: str
    state_interface: str
    membership: str
    penalty: int
    calls_taken: int
    last_call_at: datetime | None
    last_pause_at: datetime | None
    login_at: datetime | None
    in_call: bool
    device_state: DeviceState
    paused: bool
    paused_reason: str
    wrapup_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMemberAdded(_Member):
    """An agent signed in to a queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMemberRemoved(_Member):
    """An agent signed out of a queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMemberPause(_Member):
    """An agent was paused or resumed: `paused` and `paused_reason` say which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMemberStatus(_Member):
    """An agent's phone changed its state, or another of the member's figures changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMember(_Member):
    """One member in the answer to QueueStatus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueParams(_Happened):
    """One queue in the answer to QueueStatus; the counts are app_queue's own, since its start."""

    queue: str
    strategy: str
    max_callers: int
    calls: int
    completed: int
    abandoned: int
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry(_Happened):
    """One waiting caller in the answer to QueueStatus."""

    queue: str
    position: int
    channel: str
    uniqueid: str
    caller_number: str
    caller_name: str
    wait_seconds: int
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreShowChannel(_OnChannel):
    """One channel in the answer to CoreShowChannels.

    Attributes:
        state: `Up`, `Ring`, `Ringing`, `Down` ...
        bridge_id: empty if the channel is in no bridge.
        duration_seconds: since the channel came into being, in whole seconds.
    """

    state: str
    application: str
    application_data: str
    bridge_id: str
    duration_seconds: int
    connected_number: str
    connected_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStateChange(_Happened):
    """A device, such as `PJSIP/1001`, changed its state."""

    device: str
    state: DeviceState


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactStatus(_Happened):
    """A SIP contact came, went or answered: `Reachable`, `Unreachable`, `NonQualified`, `Removed` ...

    Attributes:
        roundtrip_microseconds: of the newest qualify; None if there was none.
    """

    aor: str
    endpoint: str
    uri: str
    status: str
    roundtrip_microseconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStatus(_Happened):
    """A SIP endpoint, such as `PJSIP/1001`, became `Reachable`, `Unreachable`, `Registered` ..."""

    peer: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEvent(_OnChannel):
    """The dialplan says something.

    Attributes:
        name: the event's own name.
        fields: what the dialplan added, by name. Channel fields are empty strings when the event
            came from another manager and not from a channel.
    """

    name: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginateResponse(_Happened):
    """How an asynchronous Originate ended.

    Attributes:
        succeeded: the called side answered.
        reason: 0 no such channel, 1 no answer to the request, 3 rang out, 4 answered, 5 busy, 8 congested.
        uniqueid: the called channel; empty if there was none.
    """

    succeeded: bool
    channel: str
    uniqueid: str
    reason: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FullyBooted(_Happened):
    """Asterisk is ready for calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown(_Happened):
    """Asterisk is about to end; `restart` if it comes back by itself."""

    restart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(_Happened):
    """An event that the product has no use for; the client counts and drops these."""

    name: str


AmiEvent = (
    AgentCalled | AgentComplete | AgentConnect | AgentRingNoAnswer
    | AttendedTransfer | BlindTransfer | BridgeEnter | BridgeLeave
    | ContactStatus | CoreShowChannel | DeviceStateChange | DialBegin | DialEnd
    | FullyBooted | Hangup | Hold | Newchannel | Newstate | OriginateResponse | PeerStatus
    | QueueCallerAbandon | QueueCallerJoin | QueueCallerLeave
    | QueueEntry | QueueMember | QueueParams
    | QueueMemberAdded | QueueMemberPause | QueueMemberRemoved | QueueMemberStatus
    | Shutdown | Unhold | UnknownEvent | UserEvent
)  # fmt: skip
"""Everything that Asterisk may report."""

AmiNews = AmiConnected | AmiLost | AmiEvent
"""Everything that a reader of the manager interface is handed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSnapshot:
    """One queue as QueueStatus shows it: itself, its agents, and who waits, by position."""

    params: QueueParams
    members: tuple[QueueMember, ...]
    entries: tuple[QueueEntry, ...]

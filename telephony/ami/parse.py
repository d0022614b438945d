"""From the headers of one AMI event to a typed event: pure, and strict about what it accepts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hotline.telephony.ami import events as ev
from hotline.telephony.ami.errors import AmiMalformedEvent

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_TIMESTAMP: Final = re.compile(r"([0-9]{1,11})(?:\.([0-9]{1,9}))?")
_CLOCKED: Final = re.compile(r"([0-9]{1,6}):([0-5][0-9]):([0-5][0-9])")
_UNKNOWN: Final = frozenset({"<unknown>", "<null>"})


class _Fields:
    """One event's headers, read by name and kind."""

    def __init__(self, name: str, headers: Mapping[str, str], received_at: datetime) -> None:
        self.name = name
        self.headers = headers
        self.received_at = received_at

    def bad(self, field: str, problem: str) -> AmiMalformedEvent:
        return AmiMalformedEvent(self.name, field, problem)

    def must(self, field: str) -> str:
        value = self.headers.get(field)
        if not value:
            raise self.bad(field, "is missing")
        return value

    def text(self, field: str) -> str:
        value = self.headers.get(field, "")
        return "" if value in _UNKNOWN else value

    def integer(self, field: str, default: int | None = None) -> int:
        value = self.headers.get(field)
        if not value and default is not None:
            return default
        if not value:
            raise self.bad(field, "is missing")
        if _INTEGER.fullmatch(value) is None:
            raise self.bad(field, "is not a whole number")
        return int(value)

    def flag(self, field: str) -> bool:
        return self.integer(field, 0) != 0

    def at(self) -> datetime:
        value = self.headers.get("Timestamp")
        return self.received_at if not value else self.moment("Timestamp", value)

    def moment(self, field: str, value: str) -> datetime:
        """A time in seconds since 1970, read without passing through a float."""
        match = _TIMESTAMP.fullmatch(value)
        if match is None:
            raise self.bad(field, "is not a time")
        whole, fraction = int(match[1]), (match[2] or "")
        microseconds = int(fraction.ljust(6, "0")[:6])
        return _EPOCH + timedelta(seconds=whole, microseconds=microseconds)

    def since_1970(self, field: str) -> datetime | None:
        value = self.headers.get(field, "")
        return self.moment(field, value) if value not in ("", "0") else None

    def device_state(self, field: str) -> ev.DeviceState:
        value = self.must(field)
        try:
            return ev.DeviceState[value] if value.isalpha() or "_" in value else ev.DeviceState(int(value))
        except (KeyError, ValueError):
            raise self.bad(field, "is no device state") from None

    def clocked_seconds(self, field: str) -> int:
        match = _CLOCKED.fullmatch(self.headers.get(field, "0:00:00"))
        if match is None:
            raise self.bad(field, "is not hours:minutes:seconds")
        return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])

    def channel(self) -> dict[str, Any]:
        """The arguments of an event that happened on a channel."""
        return {
            "at": self.at(),
            "channel": self.must("Channel"),
            "uniqueid": self.must("Uniqueid"),
            "linkedid": self.must("Linkedid"),
            **self._party(),
        }

    def _party(self) -> dict[str, str]:
        return {
            "caller_number": self.text("CallerIDNum"),
            "caller_name": self.text("CallerIDName"),
            "context": self.text("Context"),
            "exten": self.text("Exten"),
        }

    def maybe_channel(self) -> dict[str, Any]:
        """Likewise, where there need not be a channel."""
        names = {"channel": "Channel", "uniqueid": "Uniqueid", "linkedid": "Linkedid"}
        return {"at": self.at(), **{key: self.text(name) for key, name in names.items()}, **self._party()}

    def queue_caller(self) -> dict[str, Any]:
        return {**self.channel(), "queue": self.must("Queue")}

    def agent_leg(self) -> dict[str, Any]:
        """The arguments of an event between caller and agent; a channel that is gone is left out."""
        leg = {
            **self.maybe_channel(),
            "queue": self.must("Queue"),
            "interface": self.must("Interface"),
            "member_name": self.text("MemberName"),
            "agent_channel": self.text("DestChannel"),
            "agent_uniqueid": self.text("DestUniqueid"),
        }
        leg["linkedid"] = leg["linkedid"] or self.text("DestLinkedid")
        return leg

    def known_leg(self) -> dict[str, Any]:
        """Likewise, where at least one of the two channels tells the call."""
        leg = self.agent_leg()
        if not leg["linkedid"]:
            raise self.bad("Linkedid", "is missing")
        return leg

    def member(self, name: str = "MemberName", interface: str = "Interface") -> dict[str, Any]:
        return {
            "at": self.at(),
            "queue": self.must("Queue"),
            "member_name": self.text(name),
            "interface": self.must(interface),
            "state_interface": self.text("StateInterface"),
            "membership": self.text("Membership"),
            "penalty": self.integer("Penalty", 0),
            "calls_taken": self.integer("CallsTaken", 0),
            "last_call_at": self.since_1970("LastCall"),
            "last_pause_at": self.since_1970("LastPause"),
            "login_at": self.since_1970("LoginTime"),
            "in_call": self.flag("InCall"),
            "device_state": self.device_state("Status"),
            "paused": self.flag("Paused"),
            "paused_reason": self.text("PausedReason"),
            "wrapup_seconds": self.integer("Wrapuptime", 0),
        }

    def dial(self) -> dict[str, Any]:
        return {
            "at": self.at(),
            "channel": self.text("Channel"),
            "uniqueid": self.text("Uniqueid"),
            "linkedid": self.text("Linkedid") or self.must("DestLinkedid"),
            "dest_channel": self.must("DestChannel"),
            "dest_uniqueid": self.must("DestUniqueid"),
        }


def _agent_complete(f: _Fields) -> ev.AgentComplete:
    try:
        reason = ev.CompleteReason(f.must("Reason"))
    except ValueError:
        raise f.bad("Reason", "is none of agent, caller, transfer") from None
    return ev.AgentComplete(
        **f.agent_leg(),
        hold_seconds=f.integer("HoldTime"),
        talk_seconds=f.integer("TalkTime"),
        reason=reason,
    )


def _agent_connect(f: _Fields) -> ev.AgentConnect:
    seconds = f.integer("RingTime")  # whole seconds here, unlike AgentRingNoAnswer's milliseconds
    return ev.AgentConnect(
        **f.known_leg(), hold_seconds=f.integer("HoldTime"), ring_milliseconds=seconds * 1000
    )


def _bridge_enter(f: _Fields) -> ev.BridgeEnter:
    return ev.BridgeEnter(
        at=f.at(),
        channel=f.must("Channel"),
        uniqueid=f.must("Uniqueid"),
        linkedid=f.must("Linkedid"),
        caller_number=f.text("CallerIDNum"),
        bridge_id=f.must("BridgeUniqueid"),
    )


def _attended_transfer(f: _Fields) -> ev.AttendedTransfer:
    transferers = (f.text("OrigTransfererUniqueid"), f.text("SecondTransfererUniqueid"))
    return ev.AttendedTransfer(
        at=f.at(), transferer_uniqueids=tuple(dict.fromkeys(filter(None, transferers)))
    )


def _user_event(f: _Fields) -> ev.UserEvent:
    # Asterisk's own headers and the channel's stand before the name, the dialplan's behind it.
    names = list(f.headers)
    name = f.must("UserEvent")
    added = names[names.index("UserEvent") + 1 :]
    return ev.UserEvent(**f.maybe_channel(), name=name, fields={key: f.headers[key] for key in added})


def _contact_status(f: _Fields) -> ev.ContactStatus:
    roundtrip = f.text("RoundtripUsec")
    return ev.ContactStatus(
        at=f.at(),
        aor=f.text("AOR"),
        endpoint=f.text("EndpointName"),
        uri=f.text("URI"),
        status=f.must("ContactStatus"),
        roundtrip_microseconds=f.integer("RoundtripUsec") if roundtrip not in ("", "N/A") else None,
    )


def _originate_response(f: _Fields) -> ev.OriginateResponse:
    return ev.OriginateResponse(
        at=f.at(),
        succeeded=f.must("Response") == "Success",
        channel=f.text("Channel"),
        uniqueid=f.text("Uniqueid"),
        reason=f.integer("Reason", 0),
    )


def _queue_params(f: _Fields) -> ev.QueueParams:
    return ev.QueueParams(
        at=f.at(),
        queue=f.must("Queue"),
        strategy=f.text("Strategy"),
        max_callers=f.integer("Max", 0),
        calls=f.integer("Calls"),
        completed=f.integer("Completed", 0),
        abandoned=f.integer("Abandoned", 0),
        weight=f.integer("Weight", 0),
    )


def _queue_entry(f: _Fields) -> ev.QueueEntry:
    def party(field: str) -> str:  # this one event writes `unknown` without its brackets
        value = f.text(field)
        return "" if value == "unknown" else value

    return ev.QueueEntry(
        at=f.at(),
        queue=f.must("Queue"),
        position=f.integer("Position"),
        channel=f.must("Channel"),
        uniqueid=f.must("Uniqueid"),
        caller_number=party("CallerIDNum"),
        caller_name=party("CallerIDName"),
        wait_seconds=f.integer("Wait"),
        priority=f.integer("Priority", 0),
    )


def _core_show_channel(f: _Fields) -> ev.CoreShowChannel:
    return ev.CoreShowChannel(
        **f.channel(),
        state=f.text("ChannelStateDesc"),
        application=f.text("Application"),
        application_data=f.text("ApplicationData"),
        bridge_id=f.text("BridgeId"),
        duration_seconds=f.clocked_seconds("Duration"),
        connected_number=f.text("ConnectedLineNum"),
        connected_name=f.text("ConnectedLineName"),
    )


_PARSERS: Final[dict[str, Callable[[_Fields], ev.AmiEvent]]] = {
    "AgentCalled": lambda f: ev.AgentCalled(**f.known_leg()),
    "AgentComplete": _agent_complete,
    "AgentConnect": _agent_connect,
    "AgentRingNoAnswer": lambda f: ev.AgentRingNoAnswer(
        **f.known_leg(), ring_milliseconds=f.integer("RingTime")
    ),
    "AttendedTransfer": _attended_transfer,
    "BlindTransfer": lambda f: ev.BlindTransfer(at=f.at(), transferer_uniqueid=f.must("TransfererUniqueid")),
    "BridgeEnter": _bridge_enter,
    "BridgeLeave": lambda f: ev.BridgeLeave(
        at=f.at(), uniqueid=f.must("Uniqueid"), bridge_id=f.must("BridgeUniqueid")
    ),
    "ContactStatus": _contact_status,
    "CoreShowChannel": _core_show_channel,
    "DeviceStateChange": lambda f: ev.DeviceStateChange(
        at=f.at(), device=f.must("Device"), state=f.device_state("State")
    ),
    "DialBegin": lambda f: ev.DialBegin(**f.dial(), dial_string=f.text("DialString")),
    "DialEnd": lambda f: ev.DialEnd(**f.dial(), dial_status=f.must("DialStatus")),
    "FullyBooted": lambda f: ev.FullyBooted(at=f.at()),
    "Hangup": lambda f: ev.Hangup(**f.channel(), cause=f.integer("Cause", 0), cause_text=f.text("Cause-txt")),
    "Hold": lambda f: ev.Hold(**f.channel(), music_class=f.text("MusicClass")),
    "Newchannel": lambda f: ev.Newchannel(**f.channel()),
    "Newstate": lambda f: ev.Newstate(**f.channel(), state=f.must("ChannelStateDesc")),
    "OriginateResponse": _originate_response,
    "PeerStatus": lambda f: ev.PeerStatus(at=f.at(), peer=f.must("Peer"), status=f.must("PeerStatus")),
    "QueueCallerAbandon": lambda f: ev.QueueCallerAbandon(
        **f.queue_caller(),
        position=f.integer("Position"),
        original_position=f.integer("OriginalPosition"),
        hold_seconds=f.integer("HoldTime"),
    ),
    "QueueCallerJoin": lambda f: ev.QueueCallerJoin(
        **f.queue_caller(), position=f.integer("Position"), count=f.integer("Count")
    ),
    "QueueCallerLeave": lambda f: ev.QueueCallerLeave(
        **f.queue_caller(), position=f.integer("Position"), count=f.integer("Count")
    ),
    "QueueEntry": _queue_entry,
    "QueueMember": lambda f: ev.QueueMember(**f.member("Name", "Location")),
    "QueueMemberAdded": lambda f: ev.QueueMemberAdded(**f.member()),
    "QueueMemberPause": lambda f: ev.QueueMemberPause(**f.member()),
    "QueueMemberRemoved": lambda f: ev.QueueMemberRemoved(**f.member()),
    "QueueMemberStatus": lambda f: ev.QueueMemberStatus(**f.member()),
    "QueueParams": _queue_params,
    "Shutdown": lambda f: ev.Shutdown(at=f.at(), restart=f.text("Restart") == "True"),
    "Unhold": lambda f: ev.Unhold(**f.channel()),
    "UserEvent": _user_event,
}


def parse_event(headers: Mapping[str, str], *, received_at: datetime) -> ev.AmiEvent:
    """Read one event.

    Args:
        headers: every header by its name, `Event` among them.
        received_at: aware; what `at` becomes when the event has no `Timestamp` of its own.

    Raises:
        AmiMalformedEvent: a field that the event cannot do without is missing or makes no sense.
    """
    name = headers.get("Event", "")
    parser = _PARSERS.get(name)
    if parser is None:
        return ev.UnknownEvent(at=received_at, name=name)
    return parser(_Fields(name, headers, received_at))

"""Every known fault of asterisk-ami 0.1.7, and that the fence around it does not have it."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asterisk.ami import Action, AMIClientListener, Event

from hotline.core.clock import SystemClock
from hotline.telephony.ami.errors import AmiDisconnected, AmiError, AmiProtocolError, AmiUnsafeValue
from hotline.telephony.ami.fence import MAX_UNSENT_BYTES, FencedAmi

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
WITHIN_SECONDS = 5.0


class Peer:
    """The other end of one connection, in the test's own hands."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(WITHIN_SECONDS)
        self.port: int = self.listener.getsockname()[1]
        self.connection: socket.socket | None = None

    def accept(self, first: bytes = GREETING) -> socket.socket:
        """Take the connection and say the first words."""
        self.connection, _ = self.listener.accept()
        self.connection.settimeout(WITHIN_SECONDS)
        self.connection.sendall(first)
        return self.connection

    def read_action(self) -> bytes:
        """One action, to its empty line."""
        assert self.connection is not None
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            data += self.connection.recv(1)
        return data

    def close(self) -> None:
        """Close whatever is open."""
        self.listener.close()
        if self.connection is not None:
            self.connection.close()


class Heard(AMIClientListener):  # type: ignore[misc]
    """A listener that keeps everything in order."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: queue.Queue[tuple[str, Any]] = queue.Queue()

    def next(self) -> tuple[str, Any]:
        """What came next."""
        return self.queue.get(timeout=WITHIN_SECONDS)

    def on_connect(self, source: FencedAmi) -> None:
        """Keep it."""
        self.queue.put(("connect", source._ami_version))

    def on_event(self, source: FencedAmi, event: Event) -> None:
        """Keep it."""
        self.queue.put(("event", event))

    def on_response(self, source: FencedAmi, response: Any) -> None:
        """Keep it."""
        self.queue.put(("response", response))

    def on_disconnect(self, source: FencedAmi, error: AmiError) -> None:
        """Keep it."""
        self.queue.put(("disconnect", error))

    def on_unknown(self, source: FencedAmi, pack: Any) -> None:
        """Keep it."""
        self.queue.put(("unknown", pack))


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A manager interface played by the test."""
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def heard() -> Heard:
    """What the fence told."""
    return Heard()


@pytest.fixture
def client(peer: Peer, heard: Heard) -> Iterator[FencedAmi]:
    """A fence that is about to connect to the peer."""
    client = FencedAmi("127.0.0.1", peer.port, clock=SystemClock(), connect_timeout_seconds=WITHIN_SECONDS)
    client.add_listener(heard)
    client.connect()
    yield client
    client.disconnect()
    assert client.join(WITHIN_SECONDS)


def test_quiet_is_no_end(peer: Peer, client: FencedAmi, heard: Heard) -> None:
    """Fault 1: the package's reader ends after three seconds without an event."""
    connection = peer.accept()
    assert heard.next() == ("connect", "11.0.0")
    with pytest.raises(queue.Empty):
        heard.queue.get(timeout=3.3)  # the quiet itself is what is tested
    connection.sendall(b"Event: FullyBooted\r\n\r\n")
    kind, event = heard.next()
    assert (kind, event.name) == ("event", "FullyBooted")


def test_a_half_open_connection_can_be_left(peer: Peer, client: FencedAmi, heard: Heard) -> None:
    """Fault 2: the package cannot leave a peer that says nothing and closes nothing."""
    peer.accept()
    heard.next()
    began = time.monotonic()
    client.disconnect(AmiDisconnected("no sign of life"))
    kind, error = heard.next()
    assert kind == "disconnect" and str(error) == "no sign of life"
    assert client.join(WITHIN_SECONDS) and time.monotonic() - began < 2
    with pytest.raises(AmiDisconnected):
        client.send_action(Action("Ping"))


def test_a_listeners_exception_ends_nothing(peer: Peer, client: FencedAmi, heard: Heard) -> None:
    """Fault 3: in the package, one exception in a listener or callback ends the reader."""

    def broken(**_: object) -> None:
        raise LookupError("a fault in a listener")

    client.add_listener(on_event=broken, on_response=broken)
    client.add_event_listener(broken)
    connection = peer.accept()
    heard.next()
    connection.sendall(b"Event: Hangup\r\n\r\nResponse: Success\r\n\r\nEvent: Newchannel\r\n\r\n")
    assert [heard.next()[0] for _ in range(3)] == ["event", "response", "event"]
    client.disconnect()
    assert heard.next()[0] == "disconnect"
    assert client.listener_faults == 5


def test_a_display_name_forges_no_lines(peer: Peer, client: FencedAmi, heard: Heard) -> None:
    """Fault 4: the package takes U+2028 and its like for line ends."""
    name = "张三\u2028Queue: 12345\u0085Linkedid: forged"
    forged = Event.read(f"Event: Hangup\r\nCallerIDName: {name}")
    assert forged.keys["Linkedid"] == "forged"  # the package, as it is
    connection = peer.accept()
    heard.next()
    connection.sendall(f"Event: Hangup\r\nCallerIDName: {name}\r\nLinkedid: t1\r\n\r\n".encode())
    _, event = heard.next()
    assert event.keys == {"Event": "Hangup", "CallerIDName": name, "Linkedid": "t1"}


def test_values_sent_forge_no_lines(peer: Peer, client: FencedAmi, heard: Heard) -> None:
    """Fault 5: the package sends a line break in a name, and what is behind it as a header."""
    evil = Action("QueueAdd", {"Queue": "12315", "MemberName": "张\r\nPenalty: 9"})
    assert "\r\nPenalty: 9\r\n" in str(evil)  # the package, as it is
    peer.accept()
    heard.next()
    with pytest.raises(AmiUnsafeValue, match="'MemberName'"):
        client.send_action(evil)
    with pytest.raises(ValueError, match="'Variable'"):
        client.send_action(Action("Originate", {"Channel": "Local/1"}, {"A": "1\r\nApplication: System"}))
    client.send_action(Action("Ping", {"ActionID": "7"}))
    assert peer.read_action() == b"Action: Ping\r\nActionID: 7\r\n\r\n"  # nothing of the others was sent


def test_large_and_many_actions_arrive_whole(peer: Peer, client: FencedAmi, heard: Heard) -> None:
    """Fault 6: the package writes once and forgets what the socket did not take."""
    connection = peer.accept()
    heard.next()
    count = 700  # about 700 kB, far more than a socket takes while its peer does not read
    for number in range(count):
        client.send_action(
            Action("UserEvent", {"UserEvent": "x", "Text": "字" * 300, "ActionID": str(number)})
        )
    data = b""
    while data.count(b"\r\n\r\n") < count:
        data += connection.recv(65_536)
    actions = data.decode().split("\r\n\r\n")[:-1]
    assert [action.rpartition("ActionID: ")[2] for action in actions] == [str(n) for n in range(count)]
    assert all(action.count("字") == 300 for action in actions)


def test_a_peer_that_reads_nothing_is_given_up(peer: Peer, client: FencedAmi, heard: Heard) -> None:
    """What waits to be sent is bounded, and the sender is told instead of being blocked."""
    peer.accept()
    heard.next()
    text = "x" * 1000
    with pytest.raises(AmiDisconnected, match="stopped reading"):
        for _ in range(20 * MAX_UNSENT_BYTES // len(text)):
            client.send_action(Action("UserEvent", {"UserEvent": text}))
    kind, error = heard.next()
    assert kind == "disconnect" and "stopped reading" in str(error)


def test_a_character_cut_in_two_arrives_sound(peer: Peer, client: FencedAmi, heard: Heard) -> None:
    """Segments end where the network likes, also inside 张."""
    connection = peer.accept()
    heard.next()
    wire = "Event: Hangup\r\nCallerIDName: 张三😀\r\n\r\n".encode()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in wire:
        connection.sendall(bytes([byte]))
    _, event = heard.next()
    assert event.keys["CallerIDName"] == "张三😀"


@pytest.mark.parametrize("first", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x16\x03\x01" * 200])
def test_another_programs_port_is_said_to_be_one(
    peer: Peer, client: FencedAmi, heard: Heard, first: bytes
) -> None:
    """A garbage greeting ends in one clear error."""
    peer.accept(first)
    kind, error = heard.next()
    assert kind == "disconnect" and isinstance(error, AmiProtocolError)
    assert "does not greet" in str(error)


def test_a_line_without_end_is_given_up(peer: Peer, client: FencedAmi, heard: Heard) -> None:
    """A flood in one packet ends the connection and not the memory."""
    connection = peer.accept()
    heard.next()

    def flood() -> None:
        try:
            while True:
                connection.sendall(b"x" * 65_536)
        except OSError:
            return

    thread = threading.Thread(target=flood)
    thread.start()
    kind, error = heard.next()
    thread.join(WITHIN_SECONDS)
    assert kind == "disconnect" and isinstance(error, AmiProtocolError)


def test_a_silent_port_is_left_at_the_deadline(peer: Peer, heard: Heard) -> None:
    """A peer that accepts and never greets costs the connect timeout, no more."""
    client = FencedAmi("127.0.0.1", peer.port, clock=SystemClock(), connect_timeout_seconds=0.2)
    client.add_listener(heard)
    client.connect()
    kind, error = heard.next()
    assert kind == "disconnect" and "no greeting within 0.2 s" in str(error)
    assert client.join(WITHIN_SECONDS)


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_nobody_there_is_one_report(heard: Heard, host: str) -> None:
    """A refused connection and an unknown host are told once, as the end of the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = FencedAmi(host, port, clock=SystemClock(), connect_timeout_seconds=WITHIN_SECONDS)
    client.add_listener(heard)
    client.connect()
    kind, error = heard.next()
    assert kind == "disconnect" and isinstance(error, AmiDisconnected)
    assert client.join(WITHIN_SECONDS) and heard.queue.empty()


def test_a_connection_that_goes_is_reported_behind_its_last_event(
    peer: Peer, client: FencedAmi, heard: Heard
) -> None:
    """What came before the end is told before the end."""
    connection = peer.accept()
    heard.next()
    connection.sendall(b"Event: Shutdown\r\n\r\n")
    connection.close()
    assert heard.next()[0] == "event"
    kind, error = heard.next()
    assert kind == "disconnect" and "closed the connection" in str(error)


def test_a_packet_that_is_neither_is_passed_over(peer: Peer, client: FencedAmi, heard: Heard) -> None:
    """Headers without Event or Response are told apart, and the rest goes on."""
    connection = peer.accept()
    heard.next()
    connection.sendall(b"Hello: there\r\n\r\nEvent: Hangup\r\n\r\n")
    assert [heard.next()[0], heard.next()[0]] == ["unknown", "event"]


def test_action_ids_are_no_other_sessions(client: FencedAmi) -> None:
    """Some answers go to every manager session: two clients never share an id."""
    other = FencedAmi("127.0.0.1", 1, clock=SystemClock(), connect_timeout_seconds=1)
    ids = {client.next_action_id() for _ in range(100)} | {other.next_action_id() for _ in range(100)}
    assert len(ids) == 200

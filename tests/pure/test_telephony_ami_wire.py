"""The manager protocol's lines: names cannot forge headers, neither coming nor going."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.telephony.ami.errors import AmiProtocolError, AmiUnsafeValue
from hotline.telephony.ami.wire import MAX_PACKET_BYTES, AmiParser, Packet, SafeAction, escape_variable

GREETING = b"Asterisk Call Manager/11.0.0\r\n"

names = st.text(alphabet=st.characters(codec="ascii", categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=12)
values = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=40)
packets = st.dictionaries(names.filter(lambda name: name != "Output"), values, min_size=1, max_size=6)


def written(headers: dict[str, str]) -> bytes:
    """One packet as Asterisk writes it."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n"


def cut(wire: bytes, cuts: list[int]) -> list[bytes]:
    """Cut a stream at the given places."""
    edges = [0, *sorted(place % (len(wire) + 1) for place in cuts), len(wire)]
    return [wire[start:end] for start, end in pairwise(edges)]


@given(stream=st.lists(packets, max_size=8), cuts=st.lists(st.integers(0, 5000), max_size=30))
def test_any_cut_gives_the_same_packets(stream: list[dict[str, str]], cuts: list[int]) -> None:
    """Whatever text the values hold and wherever the network cuts, also inside a character."""
    parser = AmiParser()
    wire = GREETING + b"".join(map(written, stream))
    got = [packet for piece in cut(wire, cuts) for packet in parser.receive(piece)]
    assert [dict(packet.headers) for packet in got] == stream
    assert parser.version == "11.0.0" and parser.pending_bytes == 0


@given(garbage=st.binary(max_size=2000), greeted=st.booleans())
def test_garbage_is_an_error_or_ignored(garbage: bytes, greeted: bool) -> None:
    """Arbitrary bytes never raise anything else, and never make it keep more than it was given."""
    parser = AmiParser()
    try:
        parser.receive(GREETING if greeted else b"")
        parser.receive(garbage)
    except AmiProtocolError:
        return
    assert parser.pending_bytes <= len(garbage)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1e", "\n"])
def test_a_name_forges_no_header(separator: str) -> None:
    """What other programs take for a line end stays part of the caller's name."""
    name = f"张三{separator}Queue: 12345{separator}Linkedid: forged"
    parser = AmiParser()
    [packet] = parser.receive(GREETING + written({"Event": "Hangup", "CallerIDName": name, "Linkedid": "t1"}))
    assert packet.headers == {"Event": "Hangup", "CallerIDName": name, "Linkedid": "t1"}


def test_the_first_of_two_equal_headers_counts() -> None:
    """What follows in a packet cannot replace what Asterisk put at its head."""
    parser = AmiParser()
    [packet] = parser.receive(GREETING + b"Event: UserEvent\r\nLinkedid: t1\r\nLinkedid: forged\r\n\r\n")
    assert packet.headers["Linkedid"] == "t1"


def test_command_output_is_kept_line_by_line() -> None:
    """Repeated Output headers are the answer to a command."""
    parser = AmiParser()
    [packet] = parser.receive(GREETING + b"Response: Success\r\nOutput: one\r\nOutput: two: 2\r\n\r\n")
    assert packet == Packet({"Response": "Success"}, ("one", "two: 2"))


def test_text_that_is_no_utf8_and_nuls_are_made_storable() -> None:
    """A name in another encoding is shown as such, and nothing else suffers."""
    parser = AmiParser()
    [packet] = parser.receive(GREETING + b"Event: Hangup\r\nCallerIDName: \xc4\xe3\0x\r\nCause: 16\r\n\r\n")
    assert packet.headers["CallerIDName"] == "\ufffd\ufffd\ufffdx"
    assert packet.headers["Cause"] == "16"


def test_lines_without_a_colon_are_counted() -> None:
    """An odd line costs nothing but a count."""
    parser = AmiParser()
    [packet] = parser.receive(GREETING + b"Event: Hangup\r\nnonsense\r\n\r\n\r\n")
    assert packet.headers == {"Event": "Hangup"} and parser.odd_lines == 1


@pytest.mark.parametrize(
    "greeting",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"x" * 300,
        b"Asterisk Call Manager/\r\n",
    ],
)
def test_another_program_is_recognised(greeting: bytes) -> None:
    """A peer that is no manager interface is told apart by its first line, or by having none."""
    with pytest.raises(AmiProtocolError, match="does not greet"):
        AmiParser().receive(greeting)


def test_a_packet_without_end_is_refused() -> None:
    """A line that never ends is given up at the limit and not collected for ever."""
    parser = AmiParser()
    parser.receive(GREETING + b"Event: ")
    with pytest.raises(AmiProtocolError, match="more than"):
        for _ in range(100):
            parser.receive(b"x" * 65_536)
    assert parser.pending_bytes <= MAX_PACKET_BYTES + 65_536


def test_an_action_is_written_as_the_protocol_wants_it() -> None:
    """A sequence becomes as many headers; Chinese and U+2028 are text like any other."""
    action = SafeAction("QueueAdd", {"MemberName": "张\u2028三", "Variable": ["a=1", "b=2"]})
    assert str(action) == ("Action: QueueAdd\r\nMemberName: 张\u2028三\r\nVariable: a=1\r\nVariable: b=2\r\n")


@pytest.mark.parametrize("value", ["张\r\nPenalty: 9", "a\nb", "a\rb", "a\0b", "\ud800", "x" * 1100])
def test_an_unsafe_value_is_refused_and_named(value: str) -> None:
    """The error is a ValueError, says which field, and does not repeat the value."""
    with pytest.raises(ValueError, match="'MemberName'") as caught:
        SafeAction("QueueAdd", {"Queue": "12315", "MemberName": value})
    assert isinstance(caught.value, AmiUnsafeValue) and caught.value.field == "MemberName"
    assert value not in str(caught.value)


@pytest.mark.parametrize("value", ["a\r\nb", ["fine", "a\r\nb"]])
def test_a_sequence_is_checked_value_by_value(value: str | list[str]) -> None:
    """No place for a line break is left out."""
    with pytest.raises(AmiUnsafeValue, match="'Variable'"):
        SafeAction("Originate", {"Variable": value})


@pytest.mark.parametrize("name", ["Ping\r\nAction: Command", "", "Queue Add", "张"])
def test_an_unsafe_name_is_refused(name: str) -> None:
    """Neither an action's nor a field's name may hold more than a name."""
    with pytest.raises(AmiUnsafeValue):
        SafeAction(name, {})
    with pytest.raises(AmiUnsafeValue):
        SafeAction("Ping", {name: "x"})


def test_more_headers_than_asterisk_reads_are_refused() -> None:
    """Asterisk would silently leave the rest out."""
    with pytest.raises(AmiUnsafeValue, match="more headers"):
        SafeAction("Originate", {"Variable": [f"v{number}=1" for number in range(127)]})


def test_a_variable_value_cannot_start_another_variable() -> None:
    """Commas, quotes and brackets are escaped as Asterisk's argument splitter reads them."""
    assert escape_variable('x,B=9 "q" (a[b] \\') == 'x\\,B=9 \\"q\\" \\(a\\[b\\] \\\\'

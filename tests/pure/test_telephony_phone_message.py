"""SIP messages: what is read, what is refused, and that writing is the inverse of reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.telephony.phone.address import Address, MessageError, Uri, split_host_port, split_list
from hotline.telephony.phone.message import Headers, Request, Response, parse, reply, via_branch

# RFC 3261 section 24.2, message F1, with one compact name, one folded line and one keep-alive in front.
INVITE = (
    b"\r\n\r\nINVITE sip:bob@biloxi.com SIP/2.0\r\n"
    b"v: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8, SIP/2.0/UDP proxy;branch=z9hG4bKother\r\n"
    b"Max-Forwards: 70\r\n"
    b"To: Bob <sip:bob@biloxi.com>\r\n"
    b"FROM: Alice <sip:alice@atlanta.com>\r\n ;tag=1928301774\r\n"
    b"Call-ID: a84b4c76e66710\r\n"
    b"CSeq: 314159 INVITE\r\n"
    b"Contact: <sip:alice@pc33.atlanta.com>\r\n"
    b"Content-Length: 4\r\n"
    b"\r\nbodyleft over"
)


def invite(**changes: str) -> bytes:
    """A small INVITE with some header lines changed; an empty value leaves the line out."""
    lines = {
        "Via": "SIP/2.0/UDP h;branch=z9hG4bK1",
        "From": "<sip:a@h>;tag=1",
        "To": "<sip:b@h>",
        "Call-ID": "c",
        "CSeq": "1 INVITE",
    }
    lines.update({name.replace("_", "-"): value for name, value in changes.items()})
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"INVITE sip:b@h SIP/2.0\r\n{head}\r\n".encode()


def test_request_is_read_with_compact_names_folded_lines_and_joined_values() -> None:
    """Everything RFC 3261 allows a sender to do to a header comes out the same."""
    request = parse(INVITE)
    assert isinstance(request, Request)
    assert (request.method, request.uri, request.cseq, request.body) == (
        "INVITE",
        "sip:bob@biloxi.com",
        314159,
        b"body",
    )
    assert [via_branch(via) for via in request.headers.all("Via")] == ["z9hG4bKnashds8", "z9hG4bKother"]
    assert Address.parse(request.headers.get("from")).params == {"tag": "1928301774"}


def test_response_copies_what_a_response_must() -> None:
    """Via, From, Call-ID and CSeq are echoed; To gets our tag, once, and not on 100."""
    request = parse(INVITE)
    assert isinstance(request, Request)
    trying, ringing = reply(request, 100, to_tag="ours"), reply(request, 180, to_tag="ours")
    assert trying.headers.get("to") == "Bob <sip:bob@biloxi.com>"
    read = parse(ringing.encode())
    assert isinstance(read, Response)
    assert (read.status, read.reason, read.method, read.cseq) == (180, "Ringing", "INVITE", 314159)
    assert read.headers.all("via") == request.headers.all("via")
    assert Address.parse(read.headers.get("to")).params["tag"] == "ours"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"INVITE sip:b@h SIP/2.0\r\nVia: x\r\n", "does not end"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", "via header is missing"),
        (invite(Via=""), "via header is missing"),
        (invite(Via=" , "), "via header"),
        (invite(From=""), "from header is missing"),
        (invite(From='"open <sip:a@h>'), "quoted string"),
        (invite(To="<sip:b@h"), "closing bracket"),
        (invite(Call_ID=""), "call-id header is missing"),
        (invite(CSeq="x INVITE"), "CSeq"),
        (invite(CSeq="1"), "CSeq"),
        (invite(CSeq="9" * 5000 + " INVITE"), "CSeq"),
        (invite(CSeq="1 BYE"), "another method"),
        (invite(Content_Length="5"), "truncated"),
        (invite(Content_Length="-1"), "Content-Length"),
        (invite().replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"), "start line"),
        (invite().replace(b"INVITE sip:b@h SIP/2.0", b"SIP/2.0 099 Low", 1), "status code"),
        (invite().replace(b"INVITE sip:b@h SIP/2.0", b"SIP/2.0 abc No", 1), "status code"),
        (invite(Via="x").replace(b"Call-ID", b" "), "call-id"),
        (invite(X="a\nb"), "control character"),
        (b"INVITE sip:b@h SIP/2.0\r\n" + b"X: 1\r\n" * 300 + b"\r\n", "too many headers"),
        (b"x" * 70000, "longer than a datagram"),
    ],
)
def test_malformed_messages_are_refused_with_the_reason(data: bytes, says: str) -> None:
    """Each kind of bad datagram raises the one error there is, saying what is wrong."""
    with pytest.raises(MessageError, match=says):
        parse(data)


@pytest.mark.parametrize("value", ["a\r\nInjected: 1", "a\nb", "a\0b", "a\rb"])
def test_line_breaks_never_reach_the_wire(value: str) -> None:
    """A display name or number with a line break cannot forge a header."""
    with pytest.raises(ValueError, match="line break"):
        Request("OPTIONS", "sip:x@h", Headers([("subject", value)])).encode()
    with pytest.raises(ValueError, match="line break"):
        Request("OPTIONS", "sip:" + value, Headers()).encode()


def test_bytes_that_are_not_utf8_are_echoed_as_they_came() -> None:
    """A From in GB18030 is copied into the response byte for byte."""
    raw = invite(From="NAME <sip:a@h>;tag=1").replace(b"NAME", "张".encode("gb18030"))
    request = parse(raw)
    assert isinstance(request, Request)
    assert "张".encode("gb18030") in reply(request, 200).encode()


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_message_error(data: bytes) -> None:
    """Whatever the network brings is either a message or a `MessageError`."""
    for candidate in (data, INVITE[:60] + data, INVITE.replace(b"Alice", data)):
        try:
            parse(candidate)
        except MessageError:
            pass


@given(st.integers(0, len(INVITE) - 1), st.integers(0, 255))
def test_one_wrong_byte_never_breaks_the_reader(place: int, value: int) -> None:
    """A message damaged anywhere is read or refused."""
    damaged = bytearray(INVITE)
    damaged[place] = value
    try:
        message = parse(bytes(damaged))
        assert message.cseq >= 0
    except MessageError:
        pass


_tokens = st.text("abcXYZ019-_.", min_size=1, max_size=12)
_values = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30).map(str.strip)


@given(st.lists(st.tuples(_tokens.map("x-".__add__), _values), max_size=8), st.binary(max_size=50))
def test_what_is_written_reads_back_the_same(extra: list[tuple[str, str]], body: bytes) -> None:
    """Encode and parse are inverse for any header values and any body."""
    mandatory = [
        ("via", "SIP/2.0/UDP h;branch=z9hG4bK1"),
        ("from", '"张" <sip:a@h>;tag=1'),
        ("to", "<sip:b@h>"),
        ("call-id", "c"),
        ("cseq", "7 OPTIONS"),
    ]
    request = Request("OPTIONS", "sip:b@h", Headers(mandatory + extra), body)
    read = parse(request.encode())
    assert isinstance(read, Request)
    assert read.body == body
    assert [pair for pair in read.headers if pair[0] != "content-length"] == list(request.headers)


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).map(str.strip),
    st.dictionaries(_tokens.map(str.lower), _tokens, max_size=3),
)
def test_addresses_survive_any_display_name(display: str, params: dict[str, str]) -> None:
    """Quotes, backslashes, brackets, commas and emoji in a name are escaped and read back."""
    address = Address(display, "sip:a@h;transport=udp", params)
    assert Address.parse(str(address)) == address
    assert split_list(f"{address}, {address}") == [str(address)] * 2


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        (
            "sip:1001@127.0.0.1:5070;ob;transport=udp",
            Uri("1001", "127.0.0.1", 5070, {"ob": "", "transport": "udp"}),
        ),
        ("sip:example.org", Uri("", "example.org")),
        ("sips:a:secret@[::1]:5061", Uri("a", "::1", 5061)),
        ("sip:a%40b@h?subject=x", Uri("a%40b", "h")),
    ],
)
def test_uris_are_taken_apart(text: str, uri: Uri) -> None:
    """User, host, port and parameters are found, password and headers left out."""
    assert Uri.parse(text) == uri


@pytest.mark.parametrize("text", ["tel:1", "sip:", "sip:a@", "sip:a@h:0", "sip:a@h:99999", "sip:a@[::1"])
def test_bad_uris_are_refused(text: str) -> None:
    """A URI without a usable host or port is an error, not a guess."""
    with pytest.raises(MessageError):
        Uri.parse(text)


def test_port_is_optional() -> None:
    """Host alone, host and port, IPv6 in brackets."""
    assert split_host_port("h") == ("h", None)
    assert split_host_port("[::1]:5060") == ("::1", 5060)

"""SIP messages as values: parsing and building, no I/O (the part of RFC 3261 that a phone needs).

`parse` turns one datagram into a `Request` or a `Response`, or raises `MessageError` saying what is wrong
with it; ``encode()`` turns a message into bytes. Header names are kept in lower case with the compact forms
spelt out, values as text; bytes that are not UTF-8 survive a round trip (``surrogateescape``), because Via,
From and To have to be echoed exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hotline.telephony.phone.address import Address, MessageError, is_number, param_pair, split_list

VERSION = "SIP/2.0"

#: The largest datagram that UDP can carry over IPv4: 65535 - 20 (IP) - 8 (UDP).
MAX_MESSAGE_BYTES = 65507
MAX_HEADERS = 200

#: RFC 3261 section 7.3.3, RFC 3515, RFC 4028, RFC 6665.
COMPACT_FORMS = {
    "c": "content-type",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
}

#: What every request has to carry (RFC 3261 section 8.1.1); Max-Forwards is forgiven.
MANDATORY = ("via", "from", "to", "call-id", "cseq")

#: The few names whose usual spelling is not word by word with a capital.
_SPELLING = {"call-id": "Call-ID", "cseq": "CSeq", "www-authenticate": "WWW-Authenticate"}

REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    420: "Bad Extension",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    603: "Decline",
}


class Headers:
    """An ordered multi-map of header fields; names are compared without case."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        """Take ``(name, value)`` pairs in the order in which they are to be written."""
        self._items = [(canonical(name), value) for name, value in items]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Every field as ``(lower-case name, value)``."""
        return iter(self._items)

    def __contains__(self, name: str) -> bool:
        """Whether the field is there at all."""
        return any(known == canonical(name) for known, _ in self._items)

    def __eq__(self, other: object) -> bool:
        """Equal when the same fields stand in the same order."""
        return isinstance(other, Headers) and self._items == other._items

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        """Names only: values hold callers' numbers."""
        return f"Headers({[name for name, _ in self._items]})"

    def get(self, name: str, default: str = "") -> str:
        """The first value of the field, or ``default``."""
        wanted = canonical(name)
        return next((value for known, value in self._items if known == wanted), default)

    def all(self, name: str) -> list[str]:
        """Every value of the field, those joined by commas taken apart."""
        wanted = canonical(name)
        return [part for known, value in self._items if known == wanted for part in split_list(value)]

    def whole(self, name: str) -> list[str]:
        """Every line of the field as it stands (for challenges, where commas part the parameters)."""
        wanted = canonical(name)
        return [value for known, value in self._items if known == wanted]

    def add(self, name: str, value: str) -> None:
        """Append one field."""
        self._items.append((canonical(name), value))

    def set(self, name: str, value: str) -> None:
        """Replace every line of the field with one."""
        wanted = canonical(name)
        self._items = [(known, old) for known, old in self._items if known != wanted]
        self._items.append((wanted, value))


@dataclass(frozen=True, slots=True)
class Request:
    """A SIP request."""

    method: str
    uri: str
    headers: Headers
    body: bytes = b""

    def encode(self) -> bytes:
        """The request as one datagram; ``ValueError`` if a line break hides in a field."""
        return _encode(f"{self.method} {self.uri} {VERSION}", self.headers, self.body)

    @property
    def cseq(self) -> int:
        """The sequence number of the request."""
        return int(self.headers.get("cseq").split()[0])

    @property
    def event(self) -> str:
        """What a NOTIFY is about, without parameters (RFC 6665 section 8.2.1)."""
        return self.headers.get("event").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Response:
    """A SIP response."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""

    def encode(self) -> bytes:
        """The response as one datagram; ``ValueError`` if a line break hides in a field."""
        return _encode(f"{VERSION} {self.status} {self.reason}", self.headers, self.body)

    @property
    def cseq(self) -> int:
        """The sequence number of the request that this answers."""
        return int(self.headers.get("cseq").split()[0])

    @property
    def method(self) -> str:
        """The method of the request that this answers."""
        return self.headers.get("cseq").split()[1]


def canonical(name: str) -> str:
    """A header's name in lower case, compact forms spelt out."""
    lowered = name.lower()
    return COMPACT_FORMS.get(lowered, lowered)


def via_branch(via: str) -> str:
    """The branch parameter of a Via value, which names the transaction (RFC 3261 section 17.1.3)."""
    for param in via.split(";")[1:]:
        name, value = param_pair(param)
        if name == "branch":
            return value
    return ""


def parse(data: bytes) -> Request | Response:
    """Read one datagram.

    Args:
        data: the whole datagram; leading line breaks (keep-alives glued on) are skipped.

    Raises:
        MessageError: it is no SIP message, or one that cannot be matched or answered.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise MessageError("message is longer than a datagram")
    head, separator, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not separator:
        raise MessageError("header section does not end")
    start_line, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    headers = _parse_headers(lines)
    for name in MANDATORY:
        if not headers.get(name):
            raise MessageError(f"{name} header is missing")
    if not headers.all("via"):
        raise MessageError("via header is empty")
    for name in ("from", "to"):
        Address.parse(headers.get(name))
    _check_cseq(headers.get("cseq"))
    body = _cut_body(headers, body)
    if start_line.startswith(VERSION + " "):
        code, _, reason = start_line[len(VERSION) + 1 :].partition(" ")
        if not is_number(code, 3) or not 100 <= int(code) <= 699:
            raise MessageError("status code is not between 100 and 699")
        return Response(int(code), reason, headers, body)
    words = start_line.split(" ")
    if len(words) != 3 or words[2] != VERSION:
        raise MessageError("start line is neither a request nor a response")
    method, uri, _ = words
    if method != headers.get("cseq").split()[1]:
        raise MessageError("CSeq names another method than the request line")
    return Request(method, uri, headers, body)


def reply(
    request: Request,
    status: int,
    *,
    to_tag: str = "",
    extra: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    """Build the response to a request with the fields that RFC 3261 section 8.2.6.2 has copied.

    Args:
        request: what is answered.
        status: the status code; its reason phrase comes from RFC 3261.
        to_tag: our tag, added to To when the request has none (never on 100).
        extra: further fields.
        body: a session description, when there is one; ``extra`` names its type.
    """
    to = request.headers.get("to")
    if to_tag and status > 100 and "tag" not in Address.parse(to).params:
        to = f"{to};tag={to_tag}"
    headers = Headers(("via", via) for via in request.headers.all("via"))
    if 100 < status < 300:
        for route in request.headers.all("record-route"):
            headers.add("record-route", route)
    headers.add("from", request.headers.get("from"))
    headers.add("to", to)
    headers.add("call-id", request.headers.get("call-id"))
    headers.add("cseq", request.headers.get("cseq"))
    for name, value in extra:
        headers.add(name, value)
    return Response(status, REASONS.get(status, "Unknown"), headers, body)


def _parse_headers(lines: list[str]) -> Headers:
    """Read header lines, folded ones joined (RFC 3261 section 7.3.1)."""
    unfolded: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1] += " " + line.strip()
        else:
            unfolded.append(line)
    if len(unfolded) > MAX_HEADERS:
        raise MessageError("message has too many headers")
    pairs = []
    for line in unfolded:
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        if not colon or not name or any(char <= " " for char in name):
            raise MessageError("header line has no name")
        if "\r" in value or "\n" in value or "\0" in value:
            raise MessageError("header value holds a control character")
        pairs.append((name, value.strip()))
    return Headers(pairs)


def _check_cseq(value: str) -> None:
    number, *method = value.split()
    if not is_number(number, 10) or len(method) != 1:
        raise MessageError("CSeq is not a number and a method")


def _cut_body(headers: Headers, body: bytes) -> bytes:
    """The body as long as Content-Length says; without one, all the datagram holds."""
    length = headers.get("content-length")
    if not length:
        return body
    if not is_number(length, 6):
        raise MessageError("Content-Length is not a number")
    if int(length) > len(body):
        raise MessageError("body is truncated")
    return body[: int(length)]


def _encode(start_line: str, headers: Headers, body: bytes) -> bytes:
    lines = [start_line]
    lines += [f"{_spell(name)}: {value}" for name, value in headers if name != "content-length"]
    lines.append(f"Content-Length: {len(body)}")
    if any("\r" in line or "\n" in line or "\0" in line for line in lines):
        raise ValueError("a SIP header may not hold a line break or a zero byte")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def _spell(name: str) -> str:
    return _SPELLING.get(name) or "-".join(word.capitalize() for word in name.split("-"))

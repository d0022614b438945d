"""Session descriptions (RFC 8866) for one audio stream, as offer and answer (RFC 3264)."""

from __future__ import annotations

from dataclasses import dataclass

from hotline.telephony.phone.address import MessageError
from hotline.telephony.phone.codec import CODECS

#: RFC 3551 table 4: payload types that need no rtpmap.
_STATIC_TYPES = {0: "PCMU", 8: "PCMA"}
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_ANSWERS = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}

#: How RFC 2543 put a call on hold (RFC 3264 section 8.4 has us understand it still).
_HELD_HOST = "0.0.0.0"  # noqa: S104  # nothing is bound to it

#: The dynamic payload type that we propose for RFC 4733 events, the one in common use.
EVENT_TYPE = 101


@dataclass(frozen=True, slots=True)
class Media:
    """The audio stream of a description.

    Attributes:
        host: where its RTP is to be sent; empty when nothing is.
        port: likewise; 0 refuses the stream.
        payload_types: codec name (upper case) to RTP payload type, in order of preference; G.711 only.
        event_type: RTP payload type of telephone events, or None.
        direction: as its author sees it.
    """

    host: str
    port: int
    payload_types: dict[str, int]
    event_type: int | None = EVENT_TYPE
    direction: str = "sendrecv"

    @property
    def wants_audio(self) -> bool:
        """Whether its author is willing to receive."""
        held = self.host == _HELD_HOST
        return self.direction in ("sendrecv", "recvonly") and self.port > 0 and not held


def parse(body: bytes) -> Media:
    """Read the first audio stream; ``MessageError`` when there is none or it is malformed."""
    text = body.decode("utf-8", "replace")
    session_host = media_host = direction = ""
    media: list[str] | None = None
    names: dict[int, str] = {}
    other_stream = False
    for line in text.replace("\r\n", "\n").split("\n"):
        kind, equals, value = line.partition("=")
        if not equals:
            continue
        if kind == "m":
            other_stream = media is not None or not value.startswith("audio ")
            if not other_stream:
                media = value.split()
        elif other_stream:
            continue
        elif kind == "c" and media is None:
            session_host = _connection(value)
        elif kind == "c":
            media_host = _connection(value)
        elif kind == "a" and value.startswith("rtpmap:"):
            _read_rtpmap(value, names)
        elif kind == "a" and value in _DIRECTIONS:
            direction = value
    if media is None:
        raise MessageError("description has no audio stream")
    return _media(media, names, media_host or session_host, direction or "sendrecv")


def build(media: Media, *, session_id: int, version: int) -> bytes:
    """Write a description of one audio stream.

    Args:
        media: what is offered or answered.
        session_id: stays the same for a call.
        version: goes up by one with each change (RFC 3264 section 8).
    """
    family = "IP6" if ":" in media.host else "IP4"
    types = list(media.payload_types.values())
    if media.event_type is not None:
        types.append(media.event_type)
    lines = [
        "v=0",
        f"o=- {session_id} {version} IN {family} {media.host}",
        "s=-",
        f"c=IN {family} {media.host}",
        "t=0 0",
        f"m=audio {media.port} RTP/AVP {' '.join(map(str, types))}",
        *(f"a=rtpmap:{number} {name}/8000" for name, number in media.payload_types.items()),
    ]
    if media.event_type is not None:
        lines += [f"a=rtpmap:{media.event_type} telephone-event/8000", f"a=fmtp:{media.event_type} 0-15"]
    lines += ["a=ptime:20", f"a={media.direction}"]
    return "\r\n".join(lines).encode() + b"\r\n"


def answer(offer: Media, host: str, port: int, codecs: tuple[str, ...]) -> Media:
    """Our answer to an offer: the codecs that both know in the offer's order, the direction seen from here.

    Raises:
        MessageError: no codec in common (a 488 to the caller).
    """
    common = {name: number for name, number in offer.payload_types.items() if name in codecs}
    if not common:
        raise MessageError("no codec in common")
    return Media(host, port, common, offer.event_type, _ANSWERS[offer.direction])


def _connection(value: str) -> str:
    words = value.split()
    if len(words) != 3 or words[0] != "IN" or words[1] not in ("IP4", "IP6"):
        raise MessageError("connection line is malformed")
    return words[2].partition("/")[0]


def _read_rtpmap(value: str, names: dict[int, str]) -> None:
    number, _, encoding = value.removeprefix("rtpmap:").partition(" ")
    name, *clock = encoding.strip().split("/")
    if number.isascii() and number.isdigit() and clock[:1] == ["8000"]:
        names[int(number[:3])] = name.upper()


def _media(words: list[str], names: dict[int, str], host: str, direction: str) -> Media:
    if len(words) < 4 or words[2] != "RTP/AVP":
        raise MessageError("audio stream is malformed or not plain RTP")
    port = words[1].partition("/")[0]
    if not (port.isascii() and port.isdigit() and int(port[:6]) < 65536):
        raise MessageError("audio port is not a number")
    if not host:
        raise MessageError("description has no connection line")
    payload_types: dict[str, int] = {}
    event_type = None
    for word in words[3:]:
        if not (word.isascii() and word.isdigit() and int(word[:3]) < 128):
            raise MessageError("payload type is not a number below 128")
        number = int(word)
        name = names.get(number) or _STATIC_TYPES.get(number, "")
        if name in CODECS:
            payload_types.setdefault(name, number)
        elif name == "TELEPHONE-EVENT" and event_type is None:
            event_type = number
    return Media(host, int(port), payload_types, event_type, direction)

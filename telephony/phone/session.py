"""What the two sides of a call agreed on about sound (RFC 3264), and the stream that follows from it."""

from __future__ import annotations

import secrets
from dataclasses import replace

from hotline.telephony.phone import sdp
from hotline.telephony.phone.address import MessageError
from hotline.telephony.phone.codec import CODECS
from hotline.telephony.phone.media import AudioStream

#: What is left of a direction, as its author sees it, when he wants to hear nothing (RFC 3264 section 8.4).
_ON_HOLD = {"sendrecv": "sendonly", "sendonly": "sendonly", "recvonly": "inactive", "inactive": "inactive"}


class Session:
    """Offers, answers and the stream of one call.

    Args:
        stream: the bound socket.
        host: our address, as it is written into descriptions.
        codecs: names of those we speak, in order of preference.
    """

    def __init__(self, stream: AudioStream, host: str, codecs: tuple[str, ...]) -> None:
        self.stream = stream
        self.awaits_answer = False
        self.held_by_them = False
        self._holding = False
        self._host = host
        self._codecs = codecs
        self._id, self._version = secrets.randbelow(2**31), 0

    def hold(self, holding: bool) -> None:
        """Our next descriptions ask for silence, or for sound again; while we hold, we say nothing."""
        self._holding = self.stream.held = holding

    def offer(self) -> bytes:
        """Our description, to be answered through `accept`."""
        types = {name: CODECS[name].payload_type for name in self._codecs}
        self.awaits_answer = True
        return self._build(sdp.Media(self._host, self.stream.port, types))

    def answer(self, offer: sdp.Media) -> bytes:
        """Agree to an offer and act on it at once; ``MessageError`` when no codec is in common."""
        ours = sdp.answer(offer, self._host, self.stream.port, self._codecs)
        self._apply(offer)
        self.held_by_them = not offer.wants_audio
        return self._build(ours)

    def accept(self, body: bytes) -> None:
        """Take the answer to our offer; ``MessageError`` when there is none that we can follow."""
        theirs = sdp.parse(body)
        self._apply(theirs)
        if not self._holding:  # "inactive" is an answer to our own hold too
            self.held_by_them = not theirs.wants_audio
        self.awaits_answer = False

    def refused(self) -> None:
        """Our offer was refused: what was agreed before stays."""
        self.awaits_answer = False

    def _apply(self, theirs: sdp.Media) -> None:
        name = next((name for name in theirs.payload_types if name in self._codecs), None)
        if name is None:
            raise MessageError("no codec in common")
        self.stream.negotiated(
            (theirs.host, theirs.port),
            CODECS[name],
            theirs.payload_types[name],
            theirs.event_type,
            send=theirs.wants_audio,
        )

    def _build(self, media: sdp.Media) -> bytes:
        if self._holding:
            media = replace(media, direction=_ON_HOLD[media.direction])
        self._version += 1
        return sdp.build(media, session_id=self._id, version=self._version)

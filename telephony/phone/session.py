"""What the two sides of a call agreed on about sound (RFC 3264), and the stream that follows from it."""

from __future__ import annotations

import secrets

from hotline.telephony.phone import sdp
from hotline.telephony.phone.address import MessageError
from hotline.telephony.phone.codec import CODECS
from hotline.telephony.phone.media import AudioStream


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
        self._host = host
        self._codecs = codecs
        self._id, self._version = secrets.randbelow(2**31), 0

    def offer(self) -> bytes:
        """Our description, to be answered through `accept`."""
        types = {name: CODECS[name].payload_type for name in self._codecs}
        self.awaits_answer = True
        return self._build(sdp.Media(self._host, self.stream.port, types))

    def answer(self, offer: sdp.Media) -> bytes:
        """Agree to an offer and act on it at once; ``MessageError`` when no codec is in common."""
        ours = sdp.answer(offer, self._host, self.stream.port, self._codecs)
        self._apply(offer)
        return self._build(ours)

    def accept(self, body: bytes) -> None:
        """Take the answer to our offer; ``MessageError`` when there is none that we can follow."""
        self._apply(sdp.parse(body))
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
        self._version += 1
        return sdp.build(media, session_id=self._id, version=self._version)

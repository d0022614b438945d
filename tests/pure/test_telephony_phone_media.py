"""RTP packets, keys, session descriptions, codecs and the recorder, without a network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.telephony.phone import sdp
from hotline.telephony.phone.address import MessageError
from hotline.telephony.phone.codec import CODECS, PCMA
from hotline.telephony.phone.media import Playback
from hotline.telephony.phone.recorder import Recorder
from hotline.telephony.phone.rtp import DTMF_KEYS, Packet, PacketError, TelephoneEvent

OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=x\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 9 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-16\r\n"
    b"a=sendonly\r\nm=video 4002 RTP/AVP 8\r\nc=IN IP4 10.0.0.10\r\na=inactive\r\n"
)


@given(st.integers(0, 127), st.integers(0, 65535), st.integers(0, 2**32 - 1), st.binary(max_size=200))
def test_rtp_packets_read_back(kind: int, sequence: int, timestamp: int, payload: bytes) -> None:
    """Pack and unpack are inverse (types that collide with RTCP apart)."""
    packet = Packet(kind, sequence, timestamp, 7, payload, marker=False)
    assert Packet.unpack(packet.pack()) == packet


def test_rtp_extension_sources_and_padding_are_cut_off() -> None:
    """One contributing source, a one-word extension and two bytes of padding around two bytes of sound."""
    data = bytes.fromhex("b1 08 0001 00000010 00000007 00000009 bede0001 aabbccdd 1122 0002")
    assert Packet.unpack(data).payload == b"\x11\x22"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "shorter than its header"),
        (b"\x80\x08" + bytes(9), "shorter than its header"),
        (b"\x40\x08" + bytes(10), "version"),
        (b"\x80\xc8" + bytes(30), "RTCP"),
        (b"\x90\x08" + bytes(10), "extension is truncated"),
        (b"\x8f\x08" + bytes(12), "truncated"),
        (b"\xa0\x08" + bytes(10) + b"\xff", "truncated"),
    ],
)
def test_bad_packets_are_refused_with_the_reason(data: bytes, says: str) -> None:
    """Each malformation has its own error."""
    with pytest.raises(PacketError, match=says):
        Packet.unpack(data)


@given(st.binary(max_size=60))
def test_no_packet_raises_anything_else(data: bytes) -> None:
    """Whatever arrives on a media port is a packet or a `PacketError`."""
    try:
        TelephoneEvent.unpack(Packet.unpack(data).payload)
    except PacketError:
        pass


def test_keys_are_coded_as_rfc_4733_says() -> None:
    """Event 11 is #; the end bit, volume 10 and the duration stand where they should."""
    assert TelephoneEvent("#", ended=True, duration_samples=800).pack() == bytes.fromhex("0b8a0320")
    for key in DTMF_KEYS:
        event = TelephoneEvent(key, ended=False, duration_samples=160)
        assert TelephoneEvent.unpack(event.pack()) == event
    with pytest.raises(PacketError):
        TelephoneEvent.unpack(b"\x10\x0a\x00\xa0")


def test_offer_is_read_and_answered_in_its_own_order() -> None:
    """Unknown codecs and the second stream are passed over, the direction is turned round."""
    offer = sdp.parse(OFFER)
    assert offer == sdp.Media("10.0.0.9", 4000, {"PCMA": 8, "PCMU": 0}, 96, "sendonly")
    answer = sdp.answer(offer, "127.0.0.1", 5000, ("PCMU", "PCMA"))
    read = sdp.parse(sdp.build(answer, session_id=1, version=2))
    assert read == answer == sdp.Media("127.0.0.1", 5000, {"PCMA": 8, "PCMU": 0}, 96, "recvonly")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no audio"),
        (OFFER.replace(b"c=IN IP4 10.0.0.9\r\n", b""), "no connection"),
        (OFFER.replace(b"audio 4000", b"audio 70000"), "port"),
        (OFFER.replace(b"audio 4000", b"audio x"), "port"),
        (OFFER.replace(b"RTP/AVP 9", b"RTP/SAVPF 9"), "not plain RTP"),
        (OFFER.replace(b"9 8 0 96", b"300"), "payload type"),
        (OFFER.replace(b"c=IN IP4 10.0.0.9", b"c=ATM x"), "connection line"),
    ],
)
def test_bad_descriptions_are_refused(body: bytes, says: str) -> None:
    """Every malformation is named."""
    with pytest.raises(MessageError, match=says):
        sdp.parse(body)


@given(st.binary(max_size=300))
def test_no_description_raises_anything_else(data: bytes) -> None:
    """Whatever a body holds is a description or a `MessageError`."""
    for body in (data, OFFER[:80] + data, OFFER.replace(b"4000", data), OFFER.replace(b"96 tel", data)):
        try:
            sdp.parse(body)
        except MessageError:
            pass


@pytest.mark.parametrize("name", sorted(CODECS))
def test_codecs_keep_the_shape_of_sound(name: str) -> None:
    """A full-scale ramp survives companding within 4 %, silence is silence, levels are true."""
    codec = CODECS[name]
    ramp = np.linspace(-32000, 32000, 4001).astype(np.int16)
    back = codec.decode(codec.encode(ramp)).astype(np.float64)
    loud = np.abs(ramp) > 1000
    assert np.max(np.abs(back[loud] / ramp[loud] - 1)) < 0.04
    assert codec.level(codec.silence * 160) < 10
    assert codec.level(codec.encode(np.full(160, 5000, dtype=np.int16))) == pytest.approx(5000, rel=0.04)


def packet(place: int, value: int, ssrc: int = 1) -> Packet:
    payload = PCMA.encode(np.full(160, value, dtype=np.int16))
    return Packet(8, place, (2**32 - 320 + place * 160) % 2**32, ssrc, payload)


async def test_lost_and_late_packets_keep_their_place() -> None:
    """A recording puts late packets where they belong, lost ones as silence, over a timestamp's wrap."""
    recorder = Recorder(max_seconds=10)
    for place in (0, 1, 4, 3):
        recorder.add(packet(place, 1000 * (place + 1)), PCMA, now=float(place))
    levels = np.abs(recorder.samples().reshape(-1, 160)).mean(axis=1)
    assert levels == pytest.approx([1000, 2000, 0, 4000, 5000], rel=0.05)
    assert (recorder.first_sound_at, recorder.last_sound_at) == (0.0, 3.0)


async def test_recording_is_bounded_and_keeps_the_latest() -> None:
    """The oldest sound makes room."""
    recorder = Recorder(max_seconds=0.1)
    for place in range(50):
        recorder.add(packet(place, place * 100), PCMA, now=0.0)
    assert len(recorder.samples()) == 5 * 160
    assert recorder.samples()[-1] == pytest.approx(4900, rel=0.05)
    assert recorder.packets == 50


async def test_new_stream_in_mid_call_continues_the_recording() -> None:
    """Another SSRC or a wild timestamp does not make hours of silence."""
    recorder = Recorder(max_seconds=10)
    recorder.add(packet(0, 1000), PCMA, now=0.0)
    recorder.add(packet(9999, 1000, ssrc=2), PCMA, now=0.0)
    recorder.add(packet(5, 1000, ssrc=2), PCMA, now=0.0)
    assert len(recorder.samples()) == 3 * 160


async def test_clip_knows_when_each_part_of_it_was_spoken() -> None:
    """The time of an offset follows the frames' own times, a pause in the middle included."""
    clip = Playback(bytes(400))
    for now in (10.0, 10.02, 11.0):
        assert clip.next_frame(now, b"\xd5") is not None
    assert clip.next_frame(11.02, b"\xd5") is None
    assert clip.sent_at(0.02) == pytest.approx(10.0)
    assert clip.sent_at(0.025) == pytest.approx(10.005)
    assert clip.sent_at(0.05) == pytest.approx(10.99)
    assert clip.sent_at(0.07) is None
    await clip.done()
    assert not clip.stopped

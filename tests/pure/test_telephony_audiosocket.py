"""AudioSocket's wire: frames survive any cut, and a broken peer is told apart."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.telephony.audiosocket import (
    DEFAULT_MAX_PAYLOAD_BYTES,
    HEADER_BYTES,
    SAMPLE_RATES_HZ,
    Audio,
    AudioSocketParser,
    AudioSocketProtocolError,
    AudioSocketTruncated,
    Dtmf,
    Error,
    Frame,
    Hangup,
    Identity,
    pack_audio,
    pack_dtmf,
    pack_error,
    pack_frame,
    pack_hangup,
    pack_identity,
)

LEG = UUID("0c7d2f7e-5b4c-4a36-9a6e-2a3a5f1f4a11")

audio_frames = st.builds(
    Audio,
    st.binary(max_size=400).map(lambda raw: raw[: len(raw) // 2 * 2]),
    st.sampled_from(sorted(SAMPLE_RATES_HZ.values())),
)
later_frames = st.one_of(
    audio_frames,
    st.builds(Dtmf, st.sampled_from("0123456789*#ABCD")),
    st.builds(Error, st.binary(max_size=4)),
)
streams = st.lists(later_frames, max_size=12).map(lambda rest: [Identity(LEG), *rest, Hangup()])


def cut(wire: bytes, cuts: list[int]) -> list[bytes]:
    """Cut a stream at the given places."""
    edges = [0, *sorted(place % (len(wire) + 1) for place in cuts), len(wire)]
    return [wire[start:end] for start, end in pairwise(edges)]


def outcome(pieces: list[bytes]) -> tuple[list[Frame], str | None, int]:
    """Feed pieces until they end or the parser refuses them."""
    parser = AudioSocketParser()
    frames: list[Frame] = []
    for piece in pieces:
        try:
            frames += parser.receive(piece)
        except AudioSocketProtocolError as error:
            return frames + list(error.frames), error.problem, parser.unknown_frames
        assert parser.pending_bytes <= HEADER_BYTES + DEFAULT_MAX_PAYLOAD_BYTES
    return frames, None, parser.unknown_frames


def test_bytes_as_asterisk_writes_them() -> None:
    """An identity, 20 ms of slin16 and a hang-up are read from their literal bytes."""
    wire = b"\x01\x00\x10" + LEG.bytes + b"\x12\x02\x80" + b"\x01\x80" * 320 + b"\x00\x00\x00"
    parser = AudioSocketParser()
    identity, audio, hangup = parser.receive(wire)
    assert identity == Identity(LEG)
    assert audio == Audio(b"\x01\x80" * 320, 16_000)
    assert isinstance(audio, Audio) and audio.duration_seconds == 0.02
    assert hangup == Hangup() and parser.ended


@given(stream=streams, cuts=st.lists(st.integers(min_value=0, max_value=6000), max_size=40))
def test_any_cut_gives_the_same_frames(stream: list[Frame], cuts: list[int]) -> None:
    """What was packed comes back, wherever the network cuts it."""
    wire = b"".join(map(pack_frame, stream))
    assert outcome(cut(wire, cuts)) == (stream, None, 0)


@given(
    tail=st.binary(max_size=300),
    cuts=st.lists(st.integers(min_value=0, max_value=6000), max_size=40),
    opened=st.booleans(),
)
def test_garbage_ends_the_same_way_however_it_is_cut(tail: bytes, cuts: list[int], opened: bool) -> None:
    """Garbage never hangs, grows or raises anything but the one error, and the cut does not matter."""
    wire = (pack_identity(LEG) if opened else b"") + tail
    assert outcome(cut(wire, cuts)) == outcome([wire])


def test_one_byte_at_a_time() -> None:
    """A stream that drips is read like any other."""
    stream: list[Frame] = [Identity(LEG), Audio(b"\0\1" * 160, 8_000), Dtmf("#"), Hangup()]
    wire = b"".join(map(pack_frame, stream))
    assert outcome([bytes([byte]) for byte in wire]) == (stream, None, 0)


def test_a_large_read_is_parsed_whole() -> None:
    """A second of audio read at once gives fifty frames and leaves nothing behind."""
    parser = AudioSocketParser()
    frames = parser.receive(pack_identity(LEG) + pack_audio(b"\5\0" * 320, 16_000) * 500)
    assert len(frames) == 501 and parser.pending_bytes == 0


@pytest.mark.parametrize(
    ("wire", "problem"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "opens with frame type 0x47"),
        (b"\x10\x01\x40", "opens with frame type 0x10"),
        (b"\x01\x00\x0f", "identity of 15 bytes"),
        (pack_identity(LEG) + pack_identity(LEG), "second identity"),
        (pack_identity(LEG) + b"\x12\x00\x03", "no whole number of samples"),
        (pack_identity(LEG) + b"\x12\xff\xfe", "at most 16384"),
        (pack_identity(LEG) + b"\x77\xff\xff", "at most 16384"),
        (pack_identity(LEG) + b"\x03\x00\x02", "key of 2 bytes"),
        (pack_identity(LEG) + b"\x03\x00\x01\x00", "no key"),
    ],
)
def test_a_violation_is_named(wire: bytes, problem: str) -> None:
    """Each way of breaking the protocol is refused from the header on, in words."""
    with pytest.raises(AudioSocketProtocolError, match=problem):
        AudioSocketParser().receive(wire)


def test_frames_before_a_violation_are_kept() -> None:
    """The error hands over what was good, and the parser stays refused afterwards."""
    parser = AudioSocketParser()
    good = pack_identity(LEG) + pack_audio(b"\0\0", 8_000)
    with pytest.raises(AudioSocketProtocolError) as caught:
        parser.receive(good + b"\x12\x00\x01\x00")
    assert caught.value.frames == (Identity(LEG), Audio(b"\0\0", 8_000))
    with pytest.raises(AudioSocketProtocolError):
        parser.receive(pack_hangup())
    assert parser.pending_bytes == 0


def test_unknown_types_are_skipped_and_counted() -> None:
    """A type of a later version costs nothing but a count."""
    parser = AudioSocketParser()
    frames = parser.receive(pack_identity(LEG) + b"\x42\x00\x03abc" + pack_dtmf("5"))
    assert frames == [Identity(LEG), Dtmf("5")] and parser.unknown_frames == 1


def test_nothing_is_read_after_a_hangup() -> None:
    """Bytes behind a hang-up are ignored and not kept."""
    parser = AudioSocketParser()
    assert parser.receive(pack_hangup() + b"\x99" * 10) == [Hangup()]
    assert parser.receive(b"more") == [] and parser.pending_bytes == 0
    parser.receive_eof()


def test_an_error_from_asterisk_may_come_first() -> None:
    """A peer that fails before it could identify itself is heard."""
    assert AudioSocketParser().receive(pack_error(b"\x04")) == [Error(b"\x04")]


def test_an_end_inside_a_frame_is_told() -> None:
    """A connection cut in a frame is an error; one cut between frames is not."""
    parser = AudioSocketParser()
    parser.receive(pack_identity(LEG))
    parser.receive_eof()
    parser.receive(b"\x12\x02")
    with pytest.raises(AudioSocketTruncated, match="2 bytes into a frame"):
        parser.receive_eof()


def test_the_way_to_asterisk_has_no_identity() -> None:
    """The other direction is audio at once, and an identity there is a violation."""
    parser = AudioSocketParser(expect_identity=False)
    assert parser.receive(pack_audio(b"\1\0", 8_000)) == [Audio(b"\1\0", 8_000)]
    with pytest.raises(AudioSocketProtocolError, match="the wrong way"):
        parser.receive(pack_identity(LEG))


def test_what_cannot_be_packed_is_refused() -> None:
    """Local misuse is a ValueError, never bytes on the wire."""
    with pytest.raises(ValueError, match="11025 Hz"):
        pack_audio(b"", 11_025)
    with pytest.raises(ValueError, match="whole number"):
        pack_audio(b"\0", 8_000)
    with pytest.raises(ValueError, match="does not fit"):
        pack_audio(b"\0" * 65_536, 8_000)
    for digit in ("", "12", "x", "１"):
        with pytest.raises(ValueError, match="a key is one of"):
            pack_dtmf(digit)
    with pytest.raises(ValueError, match="max_payload_bytes"):
        AudioSocketParser(max_payload_bytes=70_000)

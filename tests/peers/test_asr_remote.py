"""Engines on other machines over real sockets, against peers that follow their servers' sources."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hotline.asr.chain import Chain, ChainStream, Known, Member
from hotline.asr.engine import Engaged, EngineError, Final, Heard, LateAnswer, Partial
from hotline.asr.engines import EngineOrder, load, probe
from hotline.asr.remote.engine import RemoteStream
from hotline.asr.remote.line import Address
from hotline.asr.transcribe import transcribe
from hotline.core.errors import PeerError
from tests.fixtures.asr import ScriptedEngine
from tests.fixtures.engine_peers import Fault, Peer, funasr_peer, vosk_server_peer
from tests.fixtures.ports import free_port

RATE_HZ = 16_000
DEADLINE_SECONDS = 10.0

Serve = Callable[..., AbstractContextManager[Peer]]


def python_server(fault: Fault = Fault.NONE, **more: Any) -> AbstractContextManager[Peer]:
    return funasr_peer(fault, python=True, **more)


KINDS = pytest.mark.parametrize(
    ("kind", "serve"),
    [("vosk-server", vosk_server_peer), ("funasr", funasr_peer), ("funasr", python_server)],
    ids=["vosk-server", "funasr", "funasr-python"],
)


def speech(*values: int, each: float = 0.12, pause: float = 0.3) -> bytes:
    """Words for the scripted ear, and a pause that ends the utterance."""
    samples = [value for value in values for _ in range(round(each * RATE_HZ))]
    return array("h", samples + [0] * round(pause * RATE_HZ)).tobytes()


class Listener:
    """A stream, and all it told."""

    def __init__(self, stream: RemoteStream, news: threading.Event) -> None:
        self.stream, self.news = stream, news
        self.heard: list[Heard] = []

    def push(self, pcm: bytes) -> None:
        """In chunks as a call's audio comes, as fast as it is taken."""
        for at in range(0, len(pcm), 1_280):
            self.heard += self.stream.push(pcm[at : at + 1_280])

    def until(self, true: Callable[[], bool]) -> None:
        """Fetch what comes until something is so."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not true():
            assert time.monotonic() < deadline, self.heard
            self.news.wait(0.1)
            self.news.clear()
            self.heard += self.stream.push(b"")

    def finals(self) -> list[str]:
        return [one.text.rstrip("。") for one in self.heard if isinstance(one, Final) and one.text]

    def end(self) -> list[str]:
        self.heard += self.stream.end()
        self.until(lambda: self.stream.over)
        return self.finals()


@contextmanager
def listening(kind: str, url: str, **more: Any) -> Iterator[Listener]:
    engine = load(EngineOrder(kind, url=url, **more), key="geheim")
    news = threading.Event()
    try:
        yield Listener(engine.open(RATE_HZ, hot_words=("社保卡",), wake=news.set), news)  # type: ignore[arg-type]
    finally:
        engine.close()


@KINDS
def test_words_are_heard_while_they_are_spoken(kind: str, serve: Serve) -> None:
    """Partial texts grow, final ones have their times, the last words come after the end."""
    with serve() as peer, listening(kind, peer.url) as one:
        one.push(speech(1, 2, 3))
        one.until(lambda: one.finals() == ["一二三"])
        one.push(speech(4, 5, pause=0.02))
        assert one.end() == ["一二三", "四五"]
        partials = [heard.text for heard in one.heard if isinstance(heard, Partial)]
        assert "一" in partials
        assert "一二三" in partials
        first, last = (heard for heard in one.heard if isinstance(heard, Final) and heard.text)
        assert first.start_seconds < 0.3
        earliest = 0.2 if serve is python_server else 0.5  # that one's times are estimates
        assert earliest < last.start_seconds < 0.9
        assert [word.text for word in last.words] == ["四", "五"]
        assert peer.keys == ["Bearer geheim"]


def test_audio_is_sent_at_the_rate_of_the_servers_model() -> None:
    """A server with a model for telephones gets half as much, and is told so."""
    with vosk_server_peer() as peer, listening("vosk-server", peer.url, sample_rate_hz=8_000) as one:
        one.push(bytes(2 * RATE_HZ))
        one.end()
        assert peer.configs == [{"sample_rate": 8_000, "words": True}]
        assert sum(peer.frames) == pytest.approx(RATE_HZ, rel=0.05)  # a second of 8000 Hz x 2 bytes


def test_funasr_is_told_the_hot_words() -> None:
    """As JSON in a text, each with a weight."""
    with funasr_peer() as peer, listening("funasr", peer.url) as one:
        one.end()
        assert json.loads(peer.configs[0]["hotwords"]) == {"社保卡": 20}


@KINDS
@pytest.mark.parametrize("fault", [Fault.REFUSES, Fault.DROPS, Fault.GARBAGE, Fault.FLOODS])
def test_a_peer_that_fails_ends_the_stream_and_nothing_else(kind: str, serve: Serve, fault: Fault) -> None:
    """With an error that another engine can follow, whatever the peer did."""
    with serve(fault) as peer, listening(kind, peer.url) as one:
        with pytest.raises(EngineError) as caught:
            one.push(speech(*[1, 2] * 10))
            one.until(lambda: False)
        assert caught.value.retryable
        assert one.stream.over
        assert one.stream.push(bytes(640)) == []


@KINDS
def test_nobody_there_is_an_error_soon_and_not_a_wait(kind: str, serve: Serve) -> None:
    """Opening and pushing never wait for a connection."""
    began = time.monotonic()
    with listening(kind, f"ws://127.0.0.1:{free_port()}") as one:
        with pytest.raises(EngineError, match="cannot be reached"):
            one.until(lambda: False)
    assert time.monotonic() - began < 5


def test_a_silent_vosk_server_is_known_to_be_behind() -> None:
    """By all the audio that it has not answered; what comes late is still heard."""
    with vosk_server_peer(Fault.SILENT) as peer, listening("vosk-server", peer.url) as one:
        one.push(speech(1, 2, pause=2.0))
        assert one.stream.behind_seconds == pytest.approx(2.24, abs=0.1)
        peer.released.set()
        one.until(lambda: one.stream.behind_seconds == 0)
        assert one.finals() == ["一二"]


def test_a_leg_of_a_silent_server_goes_on_with_all_that_was_said() -> None:
    """Found by what is not answered; the next engine hears the words that were held."""
    with vosk_server_peer(Fault.SILENT) as peer:
        engine = load(EngineOrder("vosk-server", url=peer.url))
        chain = Chain([Member("city", engine), Member("here", ScriptedEngine())], time.monotonic)
        stream = chain.open(RATE_HZ)
        pcm = speech(1, 2, 3, pause=1.0) + speech(4, 5, pause=5.0)
        known = [one for at in range(0, len(pcm), 6_400) for one in stream.push(pcm[at : at + 6_400])]
        known += stream.end()
        assert [one.engine for one in known if isinstance(one, Engaged)] == ["city", "here"]
        assert [one.text for one in known if isinstance(one, Final)] == ["一二三", "四五"]
        assert stream.over
        engine.close()


PAUSE = threading.Event()  # never set
LOUD = 4_000  # and so a voice: the words of this ear are otherwise of no loudness at all


def talk(seconds: float) -> bytes:
    """Loud words, a breath apart, as one utterance."""
    return speech(LOUD, pause=0.12) * round(seconds / 0.24)


def push_all(stream: ChainStream, pcm: bytes, peer: Peer) -> list[Known]:
    """As fast as the server takes it."""
    known: list[Known] = []
    for at in range(0, len(pcm), 6_400):
        known += stream.push(pcm[at : at + 6_400])
        deadline = time.monotonic() + DEADLINE_SECONDS
        while sum(peer.frames) < at - 6_400:
            assert time.monotonic() < deadline
            PAUSE.wait(0.002)
    return known


@contextmanager
def with_the_next(url: str, slow_seconds: float = 1.0) -> Iterator[ChainStream]:
    """A stream of a FunASR server with an engine of this machine behind it."""
    engine = load(EngineOrder("funasr", url=url))
    city = Member("city", engine, slow_seconds=slow_seconds)
    try:
        yield Chain([city, Member("here", ScriptedEngine())], time.monotonic).open(RATE_HZ)
    finally:
        engine.close()


@pytest.mark.parametrize("serve", [funasr_peer, python_server], ids=["runtime", "python"])
def test_a_funasr_server_that_takes_a_voice_and_says_nothing_loses_its_leg(serve: Serve) -> None:
    """While the call goes on; the next engine hears all of it, from the first word."""
    with serve(Fault.MUTE) as peer, with_the_next(peer.url) as stream:
        known = push_all(stream, talk(8), peer)
        began = time.monotonic()
        assert [one.engine for one in known if isinstance(one, Engaged)] == ["city"]
        while stream.engine == "city":
            assert time.monotonic() - began < DEADLINE_SECONDS
            PAUSE.wait(0.05)
            known += stream.push(b"")
        assert time.monotonic() - began > 1.5  # it came faster than speech: there must be time to answer
        assert Engaged("here", "slow") in known
        known += stream.end()
        (final,) = (one for one in known if isinstance(one, Final))
        assert final.start_seconds == pytest.approx(0, abs=0.1)
        assert len(final.words) == 33


def test_a_server_that_answers_is_not_behind_however_long_somebody_speaks() -> None:
    """Each answer starts the count anew."""
    with funasr_peer() as peer, listening("funasr", peer.url) as one:
        for _ in range(5):
            one.push(talk(2))
            one.heard.clear()
            one.until(lambda: bool(one.heard) and one.stream.behind_seconds < 1.0)


def test_a_stream_that_is_never_answered_ends_where_no_other_engine_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the reason; whoever asked for it may ask for another."""
    monkeypatch.setattr("hotline.asr.remote.engine.DEAD_SECONDS", 0.3)
    with funasr_peer(Fault.MUTE) as peer, listening("funasr", peer.url) as one:
        one.push(talk(2))
        with pytest.raises(EngineError, match="takes audio and answers nothing"):
            one.until(lambda: False)


def test_words_before_the_end_that_a_dead_server_took_are_heard_by_the_next() -> None:
    """Too few to find it dead in time: at the end it owes them."""
    with funasr_peer(Fault.MUTE) as peer, with_the_next(peer.url) as stream:
        known = [*push_all(stream, talk(3), peer), *stream.end()]
        began = time.monotonic()
        while not stream.over:
            assert time.monotonic() - began < DEADLINE_SECONDS
            PAUSE.wait(0.05)
            known += stream.push(b"")
        assert Engaged("here", "failed") in known
        assert sum(len(one.words) for one in known if isinstance(one, Final)) == 12


@KINDS
def test_a_last_text_that_comes_too_late_is_an_error_in_time(kind: str, serve: Serve) -> None:
    """Words are known to be owed, so another engine can hear them; the call's end does not wait for them."""
    with serve(Fault.LATE) as peer, listening(kind, peer.url) as one:
        one.push(speech(1, 2, pause=0.0))
        one.until(lambda: bool(one.heard))
        began = time.monotonic()
        with pytest.raises(LateAnswer):
            one.end()
        assert time.monotonic() - began < 3


def test_a_peer_that_takes_no_audio_is_given_up_before_memory_fills() -> None:
    """At most fifteen seconds wait to be sent."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"ws://127.0.0.1:{deaf.getsockname()[1]}"
        with listening("funasr", url) as one, pytest.raises(EngineError, match="takes no audio"):
            for _ in range(20):
                one.push(bytes(2 * RATE_HZ))


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS for 127.0.0.1, and the certificate that vouches for it."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(names, False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, key_pem = folder / "peer.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_pem)
    return context, pem


def test_a_server_is_verified_and_one_that_cannot_be_is_told_nothing(tmp_path: Path) -> None:
    """With its own certificate it is heard by; without, the key and the audio stay here."""
    context, pem = certificate(tmp_path)
    with vosk_server_peer(ssl=context) as peer:
        with listening("vosk-server", peer.url) as one:
            with pytest.raises(EngineError, match="certificate that cannot be verified"):
                one.until(lambda: False)
        assert peer.keys == []
        with listening("vosk-server", peer.url, ca=str(pem)) as one:
            one.push(speech(6))
            assert one.end() == ["六"]


def test_no_secret_gets_into_logs_errors_or_names(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the key nor what an address holds beside host and port."""
    caplog.set_level(logging.DEBUG)
    with vosk_server_peer(Fault.REFUSES) as peer:
        with listening("vosk-server", f"{peer.url}/asr?token=verborgen") as one:
            with pytest.raises(EngineError) as caught:
                one.until(lambda: False)
    ours = [one.getMessage() for one in caplog.records if one.name != "websockets.server"]  # that is the peer
    said = "".join(ours) + str(caught.value) + repr(Address("ws://h/?t=verborgen", "geheim"))
    assert "503" in said
    assert "verborgen" not in said
    assert "geheim" not in said


@KINDS
def test_a_recording_is_written_down_by_any_engine(kind: str, serve: Serve) -> None:
    """No faster than the server hears it, and to its last word."""
    with serve() as peer:
        engine = load(EngineOrder(kind, url=peer.url))
        pcm = speech(1, 2) * 20 + speech(9, pause=0.0)
        texts = [one.text.rstrip("。") for one in transcribe(engine, pcm, RATE_HZ)]
        engine.close()
        assert texts == [*["一二"] * 20, "九"]


@KINDS
def test_a_server_that_is_well_says_so_to_whoever_asks(kind: str, serve: Serve) -> None:
    """A moment of silence is answered; a refusal is told with what to look at."""
    with serve() as peer:
        assert "answers in" in probe(EngineOrder(kind, url=peer.url))
    with serve(Fault.REFUSES) as peer, pytest.raises(PeerError, match="refused with status 503"):
        probe(EngineOrder(kind, url=peer.url))

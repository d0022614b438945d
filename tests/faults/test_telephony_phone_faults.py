"""The phone on a bad network and beside bad peers: loss, repetition, nonsense, silence, refusals."""

from __future__ import annotations

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from hotline.core.errors import PeerError
from hotline.telephony.phone import sdp
from hotline.telephony.phone.address import Address
from hotline.telephony.phone.call import EndedBy
from hotline.telephony.phone.digest import Challenge, authorization
from hotline.telephony.phone.phone import Phone
from hotline.telephony.phone.rtp import pack
from hotline.telephony.phone.states import CallRefused, State
from hotline.telephony.phone.ticker import MAX_FRAMES_BEHIND, Ticker
from tests.fixtures.sip_peer import DEADLINE_SECONDS, PEER_SDP, QUICK, Peer, over


@pytest.mark.parametrize("seed", range(4))
async def test_call_succeeds_over_a_wire_that_loses_and_doubles(seed: int) -> None:
    """A third of the datagrams lost and a third doubled: still one call, answered once and ended once."""
    rng = random.Random(seed)
    async with over(lambda _: rng.choice([0, 1, 2])) as (caller, callee, wire):
        outgoing = await caller.call("12345")
        incoming = await callee.next_call()
        incoming.ring()
        await incoming.answer()
        await outgoing.wait_answered()
        assert len(callee.calls) == 1
        await outgoing.hangup()
        await incoming.wait_ended()
        assert callee.calls == []
        assert wire.dropped or caller.counts["retransmitted"] == 0


async def test_lost_ack_is_sent_again() -> None:
    """The callee repeats its 200 until the ACK arrives, and the call stays up."""
    lost: Counter[str] = Counter()

    def rule(data: bytes) -> int:
        if data.startswith(b"SIP/2.0 200") and b" INVITE" in data:
            lost["answers"] += 1
            return 0 if lost["answers"] <= 2 else 1
        return 1

    async with over(rule) as (caller, callee, _):
        outgoing = await caller.call("12345")
        incoming = await callee.next_call()
        await incoming.answer()
        await outgoing.wait_answered()
        assert (await incoming.hangup()).by is EndedBy.US
        assert callee.counts["retransmitted"] >= 2
        assert callee.counts["unacknowledged"] == 0


async def test_callee_whose_answer_is_never_acknowledged_hangs_up() -> None:
    """An answer that reaches nobody must not leave a call for ever."""
    async with over(lambda data: 0 if data.startswith(b"SIP/2.0 200") else 1) as (caller, callee, _):
        await caller.call("12345")
        incoming = await callee.next_call()
        await incoming.answer()
        end = await incoming.wait_ended()
        assert end.by is EndedBy.FAULT
        assert callee.counts["unacknowledged"] == 1


# -- a peer made by hand --------------------------------------------------------------------------


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as made:
        yield made


def phone_of(peer: Peer, secret: str | None = None) -> Phone:
    return Phone("1001", secret, server=peer.address, timers=QUICK)


async def incoming_dialog(peer: Peer, phone: Phone) -> str:
    """Call the phone, have it answer, acknowledge; the To with its tag."""
    uri = phone.contact
    peer.send(peer.make("INVITE", uri, body=PEER_SDP), ("127.0.0.1", phone.port))
    call = await phone.next_call()
    await call.answer()
    to = (await peer.response("INVITE")).headers.get("to")
    peer.send(peer.make("ACK", uri, to=to), ("127.0.0.1", phone.port))
    return to


@pytest.mark.parametrize(
    "junk",
    [
        b"\xff" * 500,
        b"INVITE sip:x SIP/2.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "您好 ☎ \u2028".encode(),
        b"SIP/2.0 200 OK\r\nVia: x\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\n\r\n",
    ],
)
async def test_nonsense_is_counted_and_the_phone_goes_on(peer: Peer, junk: bytes) -> None:
    """Whatever comes in is dropped; the next honest caller is served."""
    async with phone_of(peer) as phone:
        target = ("127.0.0.1", phone.port)
        peer.send(junk, target)
        peer.send(b"\r\n\r\n", target)
        peer.send(peer.make("OPTIONS", phone.contact), target)
        assert (await peer.response("OPTIONS")).status == 200
        assert phone.counts["malformed"] + phone.counts["stray_response"] == 1


@pytest.mark.parametrize(
    ("method", "to", "status"),
    [
        ("SUBSCRIBE", "<sip:1001@h>", 501),
        ("BYE", "<sip:1001@h>;tag=nobody", 481),
        ("INVITE", "<sip:1001@h>;tag=nobody", 481),
        ("CANCEL", "<sip:1001@h>", 481),
        ("OPTIONS", "<sip:1001@h>", 200),
    ],
)
async def test_requests_out_of_place_get_the_standards_answer(
    peer: Peer, method: str, to: str, status: int
) -> None:
    """Unknown methods, dead dialogs and stray CANCELs are answered, never ignored."""
    async with phone_of(peer) as phone:
        peer.send(peer.make(method, phone.contact, to=to, body=PEER_SDP), ("127.0.0.1", phone.port))
        response = await peer.response(method)
        assert response.status == status
        if method == "INVITE":
            peer.send(peer.make("ACK", phone.contact, to=to), ("127.0.0.1", phone.port))


async def test_repeated_invite_is_one_call(peer: Peer) -> None:
    """The same INVITE thrice is one call and the same answer."""
    async with phone_of(peer) as phone:
        invite = peer.make("INVITE", phone.contact, body=PEER_SDP)
        for _ in range(3):
            peer.send(invite, ("127.0.0.1", phone.port))
        call = await phone.next_call()
        call.reject(486)
        assert (await peer.response("INVITE")).status == 486
        assert phone.calls == []


async def test_reinvite_moves_the_sound_and_hold_stops_it(peer: Peer) -> None:
    """A re-INVITE to another port is followed, one that holds is answered recvonly and silences us."""
    async with phone_of(peer) as phone:
        to = await incoming_dialog(peer, phone)
        target = ("127.0.0.1", phone.port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.bind(("127.0.0.1", 0))
            ear.setblocking(False)
            loop = asyncio.get_running_loop()
            moved = sdp.Media("127.0.0.1", ear.getsockname()[1], {"PCMA": 8})
            body = sdp.build(moved, session_id=1, version=2)
            peer.send(peer.make("INVITE", phone.contact, cseq=2, to=to, body=body), target)
            response = await peer.response("INVITE")
            peer.send(peer.make("ACK", phone.contact, cseq=2, to=to), target)
            assert response.status == 200
            assert len(await loop.sock_recv(ear, 2000)) == 172  # 12 of header, 160 of sound
            held = sdp.build(
                sdp.Media("127.0.0.1", moved.port, {"PCMA": 8}, direction="sendonly"), session_id=1, version=3
            )
            peer.send(peer.make("INVITE", phone.contact, cseq=3, to=to, body=held), target)
            response = await peer.response("INVITE")
            peer.send(peer.make("ACK", phone.contact, cseq=3, to=to), target)
            assert sdp.parse(response.body).direction == "recvonly"
            while True:
                try:
                    ear.recv(2000)
                except BlockingIOError:
                    break
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await loop.sock_recv(ear, 2000)
        peer.send(peer.make("BYE", phone.contact, cseq=4, to=to), target)
        assert (await peer.response("BYE")).status == 200


async def test_reinvite_that_makes_no_sense_leaves_the_call_as_it_is(peer: Peer) -> None:
    """A broken description gets 488 (and an old CSeq 500), the call goes on."""
    async with phone_of(peer) as phone:
        to = await incoming_dialog(peer, phone)
        target = ("127.0.0.1", phone.port)
        peer.send(
            peer.make("INVITE", phone.contact, cseq=2, to=to, body=b"v=0\r\nm=video 1 RTP/AVP 8"), target
        )
        assert (await peer.response("INVITE")).status in (400, 488)
        peer.send(peer.make("ACK", phone.contact, cseq=2, to=to), target)
        peer.send(peer.make("INFO", phone.contact, cseq=1, to=to), target)
        assert (await peer.response("INFO")).status == 500
        assert phone.calls[0].state is State.UP
        peer.send(peer.make("BYE", phone.contact, cseq=3, to=to), target)
        await phone.calls[0].wait_ended()


async def test_sound_from_strangers_and_broken_packets_are_not_heard(peer: Peer) -> None:
    """Only the negotiated address is listened to; RTCP, scraps and unknown types are counted."""
    async with phone_of(peer) as phone:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
            mouth.bind(("127.0.0.1", 0))
            theirs = sdp.Media("127.0.0.1", mouth.getsockname()[1], {"PCMA": 8})
            body = sdp.build(theirs, session_id=1, version=1)
            peer.send(peer.make("INVITE", phone.contact, body=body), ("127.0.0.1", phone.port))
            call = await phone.next_call()
            await call.answer()
            response = await peer.response("INVITE")
            to = response.headers.get("to")
            peer.send(peer.make("ACK", phone.contact, to=to), ("127.0.0.1", phone.port))
            port = sdp.parse(response.body).port
            loud = pack(8, 1, 160, 5, b"\x2a" * 160)
            peer.send(loud, ("127.0.0.1", port))
            for data in (
                b"\x80",
                b"\x80\xc8" + bytes(26),
                pack(34, 1, 160, 5, b"x"),
                pack(101, 2, 1, 5, b"\x01"),
            ):
                mouth.sendto(data, ("127.0.0.1", port))
            mouth.sendto(loud, ("127.0.0.1", port))
            await call.heard.wait_sound()
            assert call.heard.packets == 1
            assert call.stream_counts["foreign"] == 1
            assert call.stream_counts["malformed"] == 3
            assert call.stream_counts["unknown_payload"] == 1


# -- registration ---------------------------------------------------------------------------------


async def test_registration_answers_the_challenge_and_is_withdrawn_at_the_end(peer: Peer) -> None:
    """The digest is right for the server's nonce; closing un-registers with Expires 0."""
    challenge = 'Digest realm="asterisk", nonce="n1", algorithm=MD5, qop="auth"'

    async def serve() -> list[str]:
        expires = []
        for _ in range(2):
            request, source = await peer.request("REGISTER")
            peer.send(peer.answer(request, 401, www_authenticate=challenge), source)
            request, source = await peer.request("REGISTER")
            given = request.headers.get("authorization")
            fields = dict(part.strip().split("=", 1) for part in given.removeprefix("Digest ").split(","))
            expected = authorization(
                Challenge.parse(challenge), username="1001", secret="geheim", method="REGISTER",
                uri=request.uri, cnonce=fields["cnonce"].strip('"'),
            )  # fmt: skip
            assert given == expected
            assert Address.parse(request.headers.get("contact")).uri.endswith(str(source[1]))
            expires.append(request.headers.get("expires"))
            peer.send(peer.answer(request, 200, expires=expires[-1]), source)
        return expires

    serving = asyncio.create_task(serve())
    async with phone_of(peer, "geheim") as phone:
        await phone.register(expires_seconds=60)
        assert phone.registered
    assert await serving == ["60", "0"]


async def test_wrong_password_is_tried_once_and_told() -> None:
    """A second challenge to fresh credentials is a refusal, not a loop."""
    peer = Peer()
    seen = 0

    async def refuse() -> None:
        nonlocal seen
        while True:
            request, source = await peer.request("REGISTER")
            seen += 1
            value = f'Digest realm="asterisk", nonce="{seen}"'
            peer.send(peer.answer(request, 401, www_authenticate=value), source)

    serving = asyncio.create_task(refuse())
    try:
        async with phone_of(peer, "wrong") as phone:
            with pytest.raises(PeerError, match="401"):
                await phone.register()
            assert not phone.registered
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        peer.socket.close()
    assert seen == 2


async def test_registration_is_renewed_and_survives_a_refusal(peer: Peer) -> None:
    """The phone renews before its time is up; a server that fails once is asked again."""
    async with phone_of(peer, "x") as phone:
        registering = asyncio.create_task(phone.register(expires_seconds=1))
        request, source = await peer.request("REGISTER")
        peer.send(peer.answer(request, 200, expires="1"), source)
        await registering
        request, source = await peer.request("REGISTER")
        peer.send(peer.answer(request, 503), source)
        request, source = await peer.request("REGISTER")
        peer.send(peer.answer(request, 423, min_expires="30"), source)
        request, source = await peer.request("REGISTER")
        assert request.headers.get("expires") == "30"
        peer.send(peer.answer(request, 200, expires="30"), source)
        closing = asyncio.create_task(phone.aclose())
        request, source = await peer.request("REGISTER")
        peer.send(peer.answer(request, 200), source)
        await closing


# -- calls against a bad server -------------------------------------------------------------------


async def test_answer_without_a_usable_description_is_hung_up(peer: Peer) -> None:
    """A 200 whose sound cannot be followed is acknowledged and ended, not kept silent."""
    async with phone_of(peer) as phone:
        call = await phone.call("12345")
        request, source = await peer.request("INVITE")
        peer.send(peer.answer(request, 200, b"nonsense"), source)
        await peer.request("ACK")
        request, source = await peer.request("BYE")
        peer.send(peer.answer(request, 200), source)
        with pytest.raises(CallRefused):
            await call.wait_answered()
        assert (await call.wait_ended()).by is EndedBy.FAULT


async def test_answer_that_crosses_the_cancel_is_hung_up(peer: Peer) -> None:
    """We give up, the other side has just answered: acknowledge and say BYE."""
    async with phone_of(peer) as phone:
        call = await phone.call("12345")
        invite, source = await peer.request("INVITE")
        peer.send(peer.answer(invite, 180), source)
        await call.wait_ringing()
        leaving = asyncio.create_task(call.hangup())
        cancel, _ = await peer.request("CANCEL")
        assert cancel.headers.get("via") == invite.headers.get("via")
        peer.send(peer.answer(invite, 200, PEER_SDP), source)
        peer.send(peer.answer(cancel, 200), source)
        await peer.request("ACK")
        bye, _ = await peer.request("BYE")
        peer.send(peer.answer(bye, 200), source)
        assert (await leaving).by is EndedBy.US


async def test_second_phone_that_answers_is_released(peer: Peer) -> None:
    """Of two 200s with different tags the first is the call, the second gets ACK and BYE."""
    async with phone_of(peer) as phone:
        call = await phone.call("12345")
        invite, source = await peer.request("INVITE")
        peer.send(peer.answer(invite, 200, PEER_SDP), source)
        await call.wait_answered()
        await peer.request("ACK")
        other = peer.answer(invite, 200, PEER_SDP)
        other.headers.set("to", invite.headers.get("to") + ";tag=other")
        peer.send(other, source)
        bye, _ = await peer.request("BYE")
        assert Address.parse(bye.headers.get("to")).params["tag"] == "other"
        peer.send(peer.answer(bye, 200), source)
        assert call.state is State.UP
        closing = asyncio.create_task(phone.aclose())
        bye, _ = await peer.request("BYE")
        peer.send(peer.answer(bye, 200), source)
        await closing


@pytest.mark.parametrize("contact", ['"open <sip:x', "<sip:peer@h", ""])
async def test_answer_from_a_sloppy_server_still_makes_and_ends_a_call(peer: Peer, contact: str) -> None:
    """No tag and a broken Contact: the call is up, a repeated 200 acknowledged, BYE sent to the server."""
    async with phone_of(peer) as phone:
        call = await phone.call("12345")
        invite, source = await peer.request("INVITE")
        sloppy = peer.answer(invite, 200, PEER_SDP)
        sloppy.headers.set("contact", contact)
        sloppy.headers.set("to", invite.headers.get("to"))
        for _ in range(2):
            peer.send(sloppy, source)
            await peer.request("ACK")
        await call.wait_answered()
        closing = asyncio.create_task(phone.aclose())
        bye, _ = await peer.request("BYE")
        peer.send(peer.answer(bye, 200), source)
        await closing
        assert call.end is not None and call.end.by is EndedBy.US


async def test_required_extension_is_refused_by_name(peer: Peer) -> None:
    """An INVITE that requires what we have not gets 420 and the list."""
    async with phone_of(peer) as phone:
        invite = peer.make("INVITE", phone.contact, body=PEER_SDP)
        invite.headers.add("require", "100rel")
        peer.send(invite, ("127.0.0.1", phone.port))
        response = await peer.response("INVITE")
        assert (response.status, response.headers.get("unsupported")) == (420, "100rel")


# -- time -----------------------------------------------------------------------------------------


async def test_loop_that_was_held_up_sends_what_it_owes_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 100 ms of standstill five frames go at once; after 2 s only ten, the rest are left out."""
    loop = asyncio.get_running_loop()
    late = 0.0
    true_time = loop.time
    monkeypatch.setattr(loop, "time", lambda: true_time() + late)
    ticker, ticks, arrived = Ticker(), 0, asyncio.Event()

    def member() -> None:
        nonlocal ticks
        ticks += 1
        arrived.set()

    ticker.join(member)
    await arrived.wait()
    for standstill, owed in ((0.1, 6), (2.0, MAX_FRAMES_BEHIND)):
        arrived.clear()
        before, late = ticks, late + standstill
        await arrived.wait()
        assert owed - 1 <= ticks - before <= owed + 1
    assert ticker.skipped_frames >= 85
    ticker.leave(member)


async def test_many_calls_share_one_timer() -> None:
    """Forty phones talking pairwise: one handle on the loop ticks for all, none when all are gone."""
    async with Phone("callee", timers=QUICK, max_calls=40) as callee:
        server = ("127.0.0.1", callee.port)
        async with Phone("caller", server=server, timers=QUICK, max_calls=40) as caller:
            async with asyncio.timeout(DEADLINE_SECONDS):
                calls = [await caller.call("12345") for _ in range(20)]
                heard = [await callee.next_call() for _ in calls]
                for call in heard:
                    await call.answer()
                for call in calls:
                    await call.wait_answered()
                clips = [call.play(np.full(1600, 5000, dtype=np.int16)) for call in calls]
                for clip in clips:
                    await clip.done()
                starts = [clip.sent_at(0.02) for clip in clips]
                spread = max(start or 0.0 for start in starts) - min(start or 0.0 for start in starts)
                assert spread < 0.1
        assert not Ticker.shared()._members
    assert Ticker.shared()._handle is None

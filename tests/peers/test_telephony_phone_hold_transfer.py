"""Changes of a call that is up: hold, mute, transfer, and the buttons that a server may press."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from hotline.core.errors import UsageError
from hotline.telephony.phone import sdp
from hotline.telephony.phone.call import End, EndedBy
from hotline.telephony.phone.phone import Phone
from hotline.telephony.phone.states import CallStateError, ChangeRefused, State
from tests.fixtures.sip_peer import PEER_SDP, QUICK, Peer, closed, up
from tests.peers.test_telephony_phone_calls import phones, strength, tone


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as made:
        yield made


async def test_call_on_hold_is_silent_until_it_is_resumed() -> None:
    """Who is held hears nothing of what is said meanwhile and knows that he is held; afterwards he hears."""
    async with phones() as pair:
        outgoing, incoming = await pair.talk()
        await outgoing.hold()
        assert (outgoing.held, incoming.held_by_them, incoming.held) == (True, True, False)
        await outgoing.play(tone(0.3, 440)).done()
        await outgoing.resume()
        assert (outgoing.held, incoming.held_by_them) == (False, False)
        await outgoing.play(tone(0.3, 1000)).done()
        await outgoing.hangup()
        await incoming.wait_ended()
        heard = incoming.heard.samples()
    assert strength(heard, 1000) > 500
    assert strength(heard, 440) < strength(heard, 1000) / 20


async def test_both_sides_may_hold_and_each_takes_back_its_own() -> None:
    """Two holds at once are two: the call speaks again only when both are taken back."""
    async with phones() as pair:
        outgoing, incoming = await pair.talk()
        await outgoing.hold()
        await incoming.hold()
        await outgoing.resume()
        assert (outgoing.held, outgoing.held_by_them) == (False, True)
        assert (incoming.held, incoming.held_by_them) == (True, False)
        await incoming.resume()
        assert not outgoing.held_by_them and not incoming.held_by_them


async def test_hold_and_resume_in_the_wrong_order_are_refused() -> None:
    """What is held cannot be held again, what is not cannot be resumed, and a call that rings neither."""
    async with phones() as pair:
        outgoing = await pair.caller.call("12345")
        with pytest.raises(CallStateError):
            await outgoing.hold()
        incoming = await pair.callee.next_call()
        await incoming.answer()
        await outgoing.wait_answered()
        with pytest.raises(CallStateError):
            await outgoing.resume()
        await outgoing.hold()
        with pytest.raises(CallStateError):
            await outgoing.hold()


async def test_holds_that_cross_are_both_agreed_in_the_end() -> None:
    """Both press hold in the same instant: 491 for one or both, a pause, and both calls are held."""
    async with phones() as pair:
        outgoing, incoming = await pair.talk()
        await asyncio.gather(outgoing.hold(), incoming.hold())
        assert outgoing.held and incoming.held
        assert outgoing.held_by_them and incoming.held_by_them


async def test_muted_phone_sends_silence_and_keeps_its_time() -> None:
    """What is said while muted is not heard and not kept for later; the frames go on."""
    async with phones() as pair:
        outgoing, incoming = await pair.talk()
        outgoing.mute()
        sent = outgoing.stream_counts["sent"]
        await outgoing.play(tone(0.3, 440)).done()
        assert outgoing.muted and outgoing.stream_counts["sent"] >= sent + 14  # 0.3 s x 50 frames, less one
        outgoing.mute(False)
        await outgoing.play(tone(0.3, 1000)).done()
        await outgoing.hangup()
        await incoming.wait_ended()
        heard = incoming.heard.samples()
    assert strength(heard, 440) < strength(heard, 1000) / 20


# -- transfer --------------------------------------------------------------------------------------


async def test_blind_transfer_ends_our_call_once_somebody_else_has_it(peer: Peer) -> None:
    """REFER names number and author; progress changes nothing; after success we say BYE."""
    async with Phone("1001", server=peer.address, timers=QUICK) as phone:
        call = await up(phone, peer)
        transfer = asyncio.create_task(call.transfer("8003"))
        refer, source = await peer.request("REFER")
        host, port = peer.address
        assert refer.headers.get("refer-to") == f"<sip:8003@{host}:{port}>"
        assert refer.headers.get("referred-by") == f"<sip:1001@{host}:{port}>"
        peer.send(peer.answer(refer, 202), source)
        for line, state in (("100 Trying", "active;expires=60"), ("180 Ringing", "active")):
            peer.send(peer.report(refer, line, state), source)
            assert (await peer.response("NOTIFY")).status == 200
            assert call.state is State.UP and not transfer.done()
        peer.send(peer.report(refer, "200 OK", "terminated;reason=noresource"), source)
        assert (await peer.response("NOTIFY")).status == 200
        bye, _ = await peer.request("BYE")
        peer.send(peer.answer(bye, 200), source)
        assert await transfer == End(EndedBy.US)


async def test_report_that_overtakes_the_202_counts(peer: Peer) -> None:
    """RFC 3515 lets the NOTIFY come before the answer to the REFER."""
    async with Phone("1001", server=peer.address, timers=QUICK) as phone:
        call = await up(phone, peer)
        transfer = asyncio.create_task(call.transfer("8003"))
        refer, source = await peer.request("REFER")
        peer.send(peer.report(refer, "200 OK", "terminated"), source)
        bye, _ = await peer.request("BYE")
        peer.send(peer.answer(refer, 202), source)
        peer.send(peer.answer(bye, 200), source)
        assert (await transfer).by is EndedBy.US


async def test_bye_after_the_transfer_was_taken_on_is_success(peer: Peer) -> None:
    """A server that releases us instead of reporting has the call."""
    async with Phone("1001", server=peer.address, timers=QUICK) as phone:
        call = await up(phone, peer)
        transfer = asyncio.create_task(call.transfer("8003"))
        refer, source = await peer.request("REFER")
        peer.send(peer.answer(refer, 202), source)
        peer.send(peer.report(refer, "100 Trying", "active"), source)
        await peer.response("NOTIFY")
        peer.send(peer.within(refer, "BYE", 50), source)
        assert await transfer == End(EndedBy.THEM)


async def test_attended_transfer_names_the_call_to_be_replaced(peer: Peer) -> None:
    """Replaces bears the consultation's Call-ID with the tags as the other side sees them; both calls end."""
    async with Phone("1001", server=peer.address, timers=QUICK, max_calls=2) as phone:
        call, consultation = await up(phone, peer), await up(phone, peer)
        transfer = asyncio.create_task(call.transfer_to(consultation))
        refer, source = await peer.request("REFER")
        assert refer.headers.get("call-id") == call.call_id
        host, port = peer.address
        call_id, tag = consultation.key
        replaces = f"{call_id.replace('@', '%40')}%3Bto-tag%3Dpeer%3Bfrom-tag%3D{tag}"
        assert refer.headers.get("refer-to") == f"<sip:peer@{host}:{port}?Replaces={replaces}>"
        peer.send(peer.answer(refer, 202), source)
        peer.send(peer.report(refer, "200 OK", "terminated"), source)
        for ended in (call, consultation):
            bye, _ = await peer.request("BYE")
            assert bye.headers.get("call-id") == ended.call_id
            peer.send(peer.answer(bye, 200), source)
        await transfer
        assert phone.calls == []


async def test_number_that_could_forge_a_message_is_not_transferred_to(peer: Peer) -> None:
    """Brackets and line breaks never reach the wire; the call is untouched."""
    async with Phone("1001", server=peer.address, timers=QUICK) as phone:
        call = await up(phone, peer)
        with pytest.raises(UsageError):
            await call.transfer("8003>\r\nEvil: 1")
        assert call.state is State.UP
        await closed(phone, peer)


# -- remote control --------------------------------------------------------------------------------


@pytest.mark.parametrize("in_dialog", [False, True])
async def test_server_answers_holds_and_resumes_a_call(peer: Peer, in_dialog: bool) -> None:
    """``Event: talk`` answers who rings and takes back who is held, ``Event: hold`` holds."""
    async with Phone("1001", server=peer.address, timers=QUICK, remote_control=True) as phone:
        target = ("127.0.0.1", phone.port)
        peer.send(peer.make("INVITE", phone.contact, body=PEER_SDP), target)
        call = await phone.next_call()
        call.ring()
        to = (await peer.response("INVITE", 180)).headers.get("to")
        peer.send(peer.button(phone.contact, "talk", to if in_dialog else None, cseq=2), target)
        assert (await peer.response("NOTIFY")).status == 200
        assert (await peer.response("INVITE")).status == 200
        await call.wait_answered()
        peer.send(peer.make("ACK", phone.contact, to=to), target)
        for cseq, event, direction in ((3, "hold", "sendonly"), (4, "talk", "sendrecv")):
            peer.send(peer.button(phone.contact, event, to if in_dialog else None, cseq=cseq), target)
            invite, source = await peer.request("INVITE")
            assert sdp.parse(invite.body).direction == direction
            peer.send(peer.answer(invite, 200, PEER_SDP), source)
            await peer.request("ACK")
        await closed(phone, peer)


@pytest.mark.parametrize(
    ("switched_on", "event", "status"), [(False, "talk", 489), (True, "dance", 489), (True, "talk", 481)]
)
async def test_button_that_cannot_be_pressed_is_refused(
    peer: Peer, switched_on: bool, event: str, status: int
) -> None:
    """Switched off, unknown, or without a call to press it for: an error, and nothing happens."""
    async with Phone("1001", server=peer.address, timers=QUICK, remote_control=switched_on) as phone:
        peer.send(peer.button(phone.contact, event, None, cseq=1), ("127.0.0.1", phone.port))
        assert (await peer.response("NOTIFY")).status == status


async def test_answer_button_pressed_twice_answers_once(peer: Peer) -> None:
    """A double click does no harm: one answer, one call."""
    async with Phone("1001", server=peer.address, timers=QUICK, remote_control=True) as phone:
        target = ("127.0.0.1", phone.port)
        peer.send(peer.make("INVITE", phone.contact, body=PEER_SDP), target)
        call = await phone.next_call()
        for cseq in (2, 3):
            peer.send(peer.button(phone.contact, "talk", None, cseq=cseq), target)
        to = (await peer.response("INVITE")).headers.get("to")
        await call.wait_answered()
        peer.send(peer.make("ACK", phone.contact, to=to), target)
        assert call.state is State.UP
        await closed(phone, peer)


async def test_refused_hold_leaves_the_call_talking(peer: Peer) -> None:
    """The other side says 488: we are told, and what we say is heard again."""
    async with Phone("1001", server=peer.address, timers=QUICK) as phone:
        call = await up(phone, peer)
        hold = asyncio.create_task(call.hold())
        invite, source = await peer.request("INVITE")
        peer.send(peer.answer(invite, 488), source)
        with pytest.raises(ChangeRefused, match="hold was refused: 488"):
            await hold
        assert not call.held and call.state is State.UP
        await closed(phone, peer)

"""Hold and transfer on a bad network and beside bad peers: refusals, silence, crossings, lost datagrams."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

from hotline.telephony.phone import sdp
from hotline.telephony.phone.call import EndedBy
from hotline.telephony.phone.phone import Phone
from hotline.telephony.phone.states import CallStateError, ChangeRefused, State
from tests.fixtures.sip_peer import PEER_SDP, QUICK, Peer, closed, over, up


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as made:
        yield made


def phone_of(peer: Peer) -> Phone:
    return Phone("1001", server=peer.address, timers=QUICK, max_calls=2)


@pytest.mark.parametrize("seed", range(3))
async def test_hold_and_resume_over_a_wire_that_loses_and_doubles(seed: int) -> None:
    """A third of the datagrams lost and a third doubled: held once, resumed once, the call is up."""
    rng = random.Random(seed)
    async with over(lambda _: rng.choice([0, 1, 2])) as (caller, callee, _):
        outgoing = await caller.call("12345")
        incoming = await callee.next_call()
        await incoming.answer()
        await outgoing.wait_answered()
        for call, other in ((outgoing, incoming), (incoming, outgoing)):
            await call.hold()
            assert call.held and other.held_by_them
            await call.resume()
            assert not call.held and not other.held_by_them
        await outgoing.hangup()
        await incoming.wait_ended()


async def test_lost_ack_of_a_hold_is_sent_again(peer: Peer) -> None:
    """The 2xx to our re-INVITE comes again: so does our ACK, with the number of that re-INVITE."""
    async with phone_of(peer) as phone:
        call = await up(phone, peer)
        hold = asyncio.create_task(call.hold())
        invite, source = await peer.request("INVITE")
        for _ in range(2):
            peer.send(peer.answer(invite, 200, PEER_SDP), source)
            ack, _ = await peer.request("ACK")
            assert ack.cseq == invite.cseq
        await hold
        await closed(phone, peer)


async def test_hold_that_nobody_answers_ends_the_call(peer: Peer) -> None:
    """A dead peer: the hold fails with 408 and the call is over (RFC 3261 section 12.2.1.2)."""
    async with phone_of(peer) as phone:
        call = await up(phone, peer)
        with pytest.raises(ChangeRefused) as refusal:
            await call.hold()
        assert refusal.value.status == 408
        bye, source = await peer.request("BYE")
        peer.send(peer.answer(bye, 481), source)
        assert (await call.wait_ended()).by is EndedBy.FAULT


async def test_call_that_ends_while_being_held_says_so(peer: Peer) -> None:
    """Their BYE crosses our hold: whoever waits for the hold is told."""
    async with phone_of(peer) as phone:
        call = await up(phone, peer)
        hold = asyncio.create_task(call.hold())
        invite, source = await peer.request("INVITE")
        peer.send(peer.within(invite, "BYE", 50), source)
        with pytest.raises(ChangeRefused, match="the call ended"):
            await hold
        assert (await call.wait_ended()).by is EndedBy.THEM


async def test_crossed_reinvites_are_sent_again_a_few_times_only(peer: Peer) -> None:
    """491 is answered by trying again after a pause; a peer that never stops saying it has refused."""
    async with phone_of(peer) as phone:
        call = await up(phone, peer)
        hold = asyncio.create_task(call.hold())
        for _ in range(5):
            invite, source = await peer.request("INVITE")
            peer.send(peer.answer(invite, 491), source)
        with pytest.raises(ChangeRefused) as refusal:
            await hold
        assert refusal.value.status == 491
        assert not call.held and call.state is State.UP
        await closed(phone, peer)


async def test_their_reinvite_waits_while_ours_is_out(peer: Peer) -> None:
    """Theirs gets 491 while our hold is unanswered (RFC 3261 section 14.2); ours then goes through."""
    async with phone_of(peer) as phone:
        call = await up(phone, peer)
        hold = asyncio.create_task(call.hold())
        invite, source = await peer.request("INVITE")
        theirs = peer.within(invite, "INVITE", 50, body=PEER_SDP)
        peer.send(theirs, source)
        assert (await peer.response("INVITE")).status == 491
        peer.send(peer.answer(invite, 200, PEER_SDP), source)
        await hold
        held = peer.within(invite, "INVITE", 51, body=PEER_SDP)
        peer.send(held, source)
        answer = await peer.response("INVITE")
        assert sdp.parse(answer.body).direction == "sendonly", "their re-INVITE takes nothing off hold"
        peer.send(peer.within(invite, "ACK", 51), source)
        await closed(phone, peer)


async def test_reinvite_that_is_never_acknowledged_ends_the_call(peer: Peer) -> None:
    """RFC 3261 section 13.3.1.4, also in mid-call: no ACK, no call."""
    async with phone_of(peer) as phone:
        call = await up(phone, peer)
        hold = asyncio.create_task(call.hold())
        invite, source = await peer.request("INVITE")
        peer.send(peer.answer(invite, 200, PEER_SDP), source)
        await hold
        peer.send(peer.within(invite, "INVITE", 50, body=PEER_SDP), source)
        bye, _ = await peer.request("BYE")
        peer.send(peer.answer(bye, 200), source)
        assert (await call.wait_ended()).by is EndedBy.FAULT


# -- transfer --------------------------------------------------------------------------------------


async def test_refused_refer_leaves_the_call_and_may_be_tried_again(peer: Peer) -> None:
    """603 to the REFER: the transfer failed, the call is ours, a second transfer goes out."""
    async with phone_of(peer) as phone:
        call = await up(phone, peer)
        for _ in range(2):
            transfer = asyncio.create_task(call.transfer("8003"))
            refer, source = await peer.request("REFER")
            with pytest.raises(CallStateError):
                await call.transfer("8004")
            peer.send(peer.answer(refer, 603), source)
            with pytest.raises(ChangeRefused, match="transfer was refused: 603"):
                await transfer
        assert call.state is State.UP
        await closed(phone, peer)


@pytest.mark.parametrize(
    ("line", "state", "status"),
    [
        ("486 Busy Here", "active", 486),
        ("404 Not Found", "terminated;reason=noresource", 404),
        ("", "terminated;reason=noresource", 408),
        ("180 Ringing", "terminated;reason=timeout", 408),
    ],
)
async def test_transfer_whose_target_fails_leaves_the_call(
    peer: Peer, line: str, state: str, status: int
) -> None:
    """A report of failure, or one that ends without a result: the call is still ours."""
    async with phone_of(peer) as phone:
        call = await up(phone, peer)
        transfer = asyncio.create_task(call.transfer("8003"))
        refer, source = await peer.request("REFER")
        peer.send(peer.answer(refer, 202), source)
        peer.send(peer.report(refer, line, state), source)
        with pytest.raises(ChangeRefused) as refusal:
            await transfer
        assert refusal.value.status == status
        assert call.state is State.UP
        await closed(phone, peer)


@pytest.mark.parametrize("reports", [0, 1])
async def test_report_that_never_comes_is_not_awaited_for_ever(peer: Peer, reports: int) -> None:
    """After 202 (or progress) and then silence the transfer counts as failed, the call is ours."""
    async with phone_of(peer) as phone:
        call = await up(phone, peer)
        transfer = asyncio.create_task(call.transfer("8003"))
        refer, source = await peer.request("REFER")
        peer.send(peer.answer(refer, 202), source)
        for _ in range(reports):
            peer.send(peer.report(refer, "180 Ringing", "active;expires=1"), source)
        with pytest.raises(ChangeRefused, match="no word of the outcome"):
            await transfer
        assert call.state is State.UP
        await closed(phone, peer)


async def test_reports_that_make_no_sense_or_belong_nowhere_are_refused(peer: Peer) -> None:
    """Garbage gets 400 and is waited past; a report without a transfer gets 481."""
    async with phone_of(peer) as phone:
        call = await up(phone, peer)
        transfer = asyncio.create_task(call.transfer("8003"))
        refer, source = await peer.request("REFER")
        peer.send(peer.report(refer, "banana", "active"), source)
        assert (await peer.response("NOTIFY")).status == 400
        peer.send(peer.answer(refer, 603), source)
        with pytest.raises(ChangeRefused):
            await transfer
        peer.send(peer.report(refer, "200 OK", "terminated"), source)
        assert (await peer.response("NOTIFY")).status == 481
        assert call.state is State.UP
        await closed(phone, peer)


async def test_lost_refer_and_lost_answer_come_through_by_repetition() -> None:
    """The wire drops the first copy of every message: the refusal still arrives, once."""
    seen: set[bytes] = set()

    def first_is_lost(data: bytes) -> int:
        if data in seen:
            return 1
        seen.add(data)
        return 0

    async with over(first_is_lost) as (caller, callee, _):
        outgoing = await caller.call("12345")
        incoming = await callee.next_call()
        await incoming.answer()
        await outgoing.wait_answered()
        with pytest.raises(ChangeRefused) as refusal:
            await outgoing.transfer("8003")
        assert refusal.value.status == 501, "our phone follows no REFER"
        await outgoing.hangup()
        await incoming.wait_ended()

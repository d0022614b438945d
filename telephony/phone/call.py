"""One call of a phone: its signalling and its sound."""

from __future__ import annotations

import asyncio
from collections import Counter
from enum import Enum

from hotline.telephony.phone import sdp
from hotline.telephony.phone.address import MessageError, Uri
from hotline.telephony.phone.codec import Samples
from hotline.telephony.phone.dialling import Dialling
from hotline.telephony.phone.dialog import Dialog
from hotline.telephony.phone.hold import Holding
from hotline.telephony.phone.line import Line
from hotline.telephony.phone.media import AudioStream, Playback
from hotline.telephony.phone.message import Request, Response, reply
from hotline.telephony.phone.recorder import Recorder
from hotline.telephony.phone.session import Session
from hotline.telephony.phone.states import (
    TABLE,
    CallRefused,
    CallStateError,
    Direction,
    End,
    EndedBy,
    Hold,
    HoldStep,
    State,
    Step,
    TransferStep,
    after,
)
from hotline.telephony.phone.transactions import ServerTransaction
from hotline.telephony.phone.transfer import Transferring, replacing

__all__ = ["Call", "Direction", "End", "EndedBy"]


class Call:
    """A call in either direction. Made by `Phone.call` and by `Phone.incoming`, never directly.

    Attributes:
        direction: who calls.
        state: see `hotline.telephony.phone.states`.
        end: how it ended, once it has.
    """

    def __init__(self, line: Line, dialog: Dialog, direction: Direction) -> None:
        self.direction = direction
        self.state = State.DIALLING if direction is Direction.OUT else State.OFFERED
        self.end: End | None = None
        self.answered_at: float | None = None
        self._line = line
        self._dialog = dialog
        self._loop = asyncio.get_running_loop()
        self._session: Session | None = None
        self._dialling: Dialling | None = None
        self._holding: Holding | None = None
        self._transferring = Transferring(line, dialog, self._transferred)
        self._invitation: ServerTransaction | None = None
        self._offer: sdp.Media | None = None  # theirs, from the INVITE
        self._acknowledged = asyncio.Event()
        self._rang, self._settled, self._ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    # -- what a person sees ---------------------------------------------------------------------------

    @property
    def call_id(self) -> str:
        """SIP's name of the call."""
        return self._dialog.call_id

    @property
    def key(self) -> tuple[str, str]:
        """Call-ID and our tag: what an in-dialog request names us by."""
        return (self._dialog.call_id, self._dialog.local_tag)

    @property
    def number(self) -> str:
        """The other side's user part."""
        return Uri.parse(self._dialog.remote.uri).user

    @property
    def display_name(self) -> str:
        """The other side's name, perhaps empty."""
        return self._dialog.remote.display

    @property
    def heard(self) -> Recorder:
        """What the other side says; ``CallStateError`` before there is sound."""
        return self._stream.recorder

    @property
    def stream_counts(self) -> Counter[str]:
        """Packets sent, and packets dropped by reason."""
        return self._session.stream.counts if self._session is not None else Counter()

    @property
    def digits_heard(self) -> str:
        """The keys that the other side pressed."""
        return "".join(self._session.stream.digits_heard) if self._session is not None else ""

    @property
    def held(self) -> bool:
        """Whether we have the call on hold."""
        return self._holding is not None and self._holding.state in (Hold.HELD, Hold.RESUMING)

    @property
    def held_by_them(self) -> bool:
        """Whether the other side has us on hold."""
        return self._session is not None and self._session.held_by_them

    @property
    def muted(self) -> bool:
        """Whether our microphone is off."""
        return self._session is not None and self._session.stream.muted

    async def wait_ringing(self) -> None:
        """Wait until the other side rings (or more); `CallRefused` if the call ends first."""
        await self._rang.wait()
        self._raise_if_never_answered()

    async def wait_answered(self) -> None:
        """Wait until the call is answered; `CallRefused` if it ends first."""
        await self._settled.wait()
        self._raise_if_never_answered()

    async def wait_ended(self) -> End:
        """Wait until the call is over and say how it ended."""
        await self._ended.wait()
        return self.end or End(EndedBy.FAULT)

    async def wait_digits(self, count: int) -> str:
        """Wait until the other side has pressed ``count`` keys and return all it pressed."""
        return await self._stream.wait_digits(count)

    def play(self, samples: Samples) -> Playback:
        """Say int16 samples at 8 kHz after what is queued already; `CallStateError` unless the call is up."""
        self._require_up(Step.SPEAK)
        return self._stream.play(samples)

    async def send_dtmf(self, keys: str) -> None:
        """Press keys one after another and return when the last was let go (RFC 4733)."""
        await self._stream.press(keys).wait()

    # -- what a person does ---------------------------------------------------------------------------

    def ring(self) -> None:
        """Tell the caller that we ring."""
        if self.state is not State.OFFERED or self._invitation is None:
            raise CallStateError(self.state, Step.RING)
        self._invitation.respond(self._reply(180))

    async def answer(self) -> None:
        """Answer the caller; sound flows from now on.

        Raises:
            CallStateError: the caller has gone, or it is answered already.
        """
        after(self.state, Step.ANSWER)
        session = await self._line.open_session()
        if self._invitation is None or self.state is not State.OFFERED:  # the caller went in the meantime
            session.stream.close()
            raise CallStateError(self.state, Step.ANSWER)
        self._step(Step.ANSWER)
        self._session = session
        body = session.offer() if self._offer is None else session.answer(self._offer)
        self._await_ack(self._invitation)
        self._invitation.respond(self._reply(200, body=body))
        self._mark_answered(session)

    def reject(self, status: int = 486) -> None:
        """Refuse the caller."""
        self._step(Step.DECLINE)
        if self._invitation is not None:
            self._invitation.respond(self._reply(status))
        self._finish(End(EndedBy.US, status))

    async def hangup(self) -> End:
        """End the call, whatever its state, and return when the other side knows or cannot be reached."""
        if self.state is State.OFFERED:
            self.reject(480)
        elif self._dialling is not None and self.state in (State.DIALLING, State.RINGING):
            self._step(Step.GIVE_UP)
            self._dialling.give_up()
        elif self.state is State.UP:
            self._step(Step.HANG_UP)
            await self._acknowledged.wait()  # RFC 3261 section 15: not before the ACK
            if self.end is None:
                self._bye()
        return await self.wait_ended()

    def mute(self, muted: bool = True) -> None:
        """Turn the microphone off (or on again): silence goes out, whatever is played."""
        self._stream.muted = muted

    def suppress_silence(self) -> None:
        """Send nothing while nothing is said, as phones and gateways with silence suppression do."""
        self._stream.suppresses_silence = True

    async def hold(self) -> None:
        """Put the call on hold: neither side hears the other until `resume`.

        Raises:
            CallStateError: the call is not up, is on hold already, or a change is under way.
            ChangeRefused: the other side did not agree, or the call ended meanwhile.
        """
        await self._change(HoldStep.HOLD)

    async def resume(self) -> None:
        """Take the call back; raises as `hold`."""
        await self._change(HoldStep.RESUME)

    async def transfer(self, number: str) -> End:
        """Have the other side call a number instead of us (blind transfer, RFC 3515); our call then ends.

        Raises:
            UsageError: the number cannot be dialled.
            CallStateError: the call is not up, or a transfer is under way.
            ChangeRefused: it came to nothing; the call is still ours, unless it ended meanwhile.
        """
        return await self._refer(self._line.uri_of(number))

    async def transfer_to(self, consultation: Call) -> End:
        """Join the other sides of two calls of this phone (attended transfer, RFC 3891); both of ours end.

        Raises as `transfer`, also when the consultation is not up.
        """
        consultation._require_up(TransferStep.ASK)
        end = await self._refer(replacing(consultation._dialog))
        await consultation.hangup()
        return end

    # -- what the phone tells it ----------------------------------------------------------------------

    def dial(self, session: Session) -> None:
        """Send the INVITE."""
        self._session = session
        self._dialling = Dialling(self._line, self._dialog, session, self)

    def offered(self, transaction: ServerTransaction, offer: sdp.Media | None) -> None:
        """Take the caller's INVITE, whose description has been looked at."""
        self._invitation = transaction
        self._offer = offer

    def is_offered_by(self, invitation: ServerTransaction) -> bool:
        """Whether this is the unanswered call that the INVITE asks for."""
        return self.state is State.OFFERED and self._invitation is invitation

    def abandon(self) -> None:
        """The phone is closing and nobody confirmed the end: forget the call."""
        if self.end is None:
            self.state = State.ENDED
            self._acknowledged.set()
            self._finish(End(EndedBy.FAULT))

    def withdrawn(self) -> None:
        """The caller's CANCEL came."""
        self._step(Step.WITHDRAWN)
        if self._invitation is not None:
            self._invitation.respond(self._reply(487))
        self._finish(End(EndedBy.THEM, 487, "Request Terminated"))

    def on_request(self, request: Request, transaction: ServerTransaction | None) -> None:
        """Take a request within the dialog."""
        if transaction is None:
            self._on_ack(request)
            return
        if request.cseq <= self._dialog.remote_cseq:
            transaction.respond(reply(request, 500))
            return
        self._dialog.remote_cseq = request.cseq
        if request.method == "BYE":
            self._on_bye(transaction)
        elif request.method == "INVITE":
            self._on_reinvite(transaction)
        elif request.method == "NOTIFY":
            self._on_notify(transaction)
        else:
            transaction.respond(reply(request, 200 if request.method in ("INFO", "OPTIONS") else 501))

    # -- signalling, outgoing -------------------------------------------------------------------------

    def progressed(self, response: Response) -> None:
        """Our INVITE was answered provisionally; 183 may bring announcements."""
        if Step.PROGRESS in TABLE[self.state]:
            self._step(Step.PROGRESS)
        if response.body and self._session is not None and self.state is State.RINGING:
            self._follows(self._session, response.body)
        self._rang.set()

    def refused(self, response: Response, *, cancelled: bool) -> None:
        """Our INVITE was refused, or withdrawn by us."""
        if self.state is State.ENDED:
            return
        self._step(Step.REFUSED)
        by = EndedBy.US if cancelled else EndedBy.THEM
        fault = response.status == 408
        self._finish(End(EndedBy.FAULT if fault else by, response.status, response.reason))

    def accepted(self, response: Response) -> None:
        """Our INVITE was answered."""
        if self.state is State.ENDED or self._session is None:
            return
        self._step(Step.ACCEPTED)
        if self.state is State.CLOSING:
            self._bye()
            return
        if self._follows(self._session, response.body):
            self._mark_answered(self._session)
        else:
            self._lost()

    async def _change(self, step: HoldStep) -> None:
        self._require_up(step)
        await self._acknowledged.wait()  # RFC 3261 section 14.1: one INVITE of a call at a time
        if self._holding is None or self.state is not State.UP:
            raise CallStateError(self.state, step)
        await self._holding.ask(step)

    async def _refer(self, refer_to: str) -> End:
        self._require_up(TransferStep.ASK)
        await self._transferring.ask(refer_to)
        return await self.wait_ended()

    def _transferred(self) -> None:
        """Somebody else has the other side now."""
        if self.state is State.UP:
            self._step(Step.HANG_UP)
            self._bye()

    def _lost(self) -> None:
        """The other side does not do its part: end the call."""
        self._acknowledged.set()
        if self.state is State.UP:
            self._step(Step.HANG_UP)
            self._bye(EndedBy.FAULT)

    def _bye(self, by: EndedBy = EndedBy.US) -> None:
        if self._session is not None:
            self._session.stream.close()

        def confirmed(response: Response) -> None:
            if response.status >= 200 and self.state is State.CLOSING:
                self._step(Step.CONFIRMED)
                self._finish(End(by))

        self._line.send(lambda: self._dialog.request("BYE"), self._dialog.next_hop, confirmed)

    # -- signalling, incoming -------------------------------------------------------------------------

    def _on_ack(self, request: Request) -> None:
        if self._invitation is None or request.cseq != self._invitation.request.cseq:
            return  # of an earlier INVITE, once more
        self._invitation.acknowledge()
        self._acknowledged.set()
        if self._session is not None and self._session.awaits_answer and request.body:
            self._follows(self._session, request.body)

    def _on_bye(self, transaction: ServerTransaction) -> None:
        if Step.THEY_HANG_UP not in TABLE[self.state]:
            self._line.counts["out_of_turn"] += 1
            transaction.respond(reply(transaction.request, 481))
            return
        transaction.respond(reply(transaction.request, 200))
        self._step(Step.THEY_HANG_UP)
        self._acknowledged.set()
        self._finish(End(EndedBy.THEM))

    def _on_reinvite(self, transaction: ServerTransaction) -> None:
        """The other side moves its sound, holds, or refreshes the session: agreed."""
        request = transaction.request
        session = self._session
        if self.state is not State.UP or session is None or (self._holding and self._holding.pending):
            transaction.respond(reply(request, 491))
            return
        try:
            body = session.answer(sdp.parse(request.body)) if request.body else session.offer()
        except MessageError:
            self._line.counts["malformed"] += 1
            transaction.respond(reply(request, 488))
            return
        self._dialog.retarget(request)
        self._await_ack(transaction)
        transaction.respond(self._reply(200, body=body))

    def _on_notify(self, transaction: ServerTransaction) -> None:
        event = transaction.request.event
        if event == "refer":
            self._transferring.on_notify(transaction)
        else:
            transaction.respond(reply(transaction.request, self._line.remote_control(event, [self])))

    # -- bookkeeping ----------------------------------------------------------------------------------

    def _reply(self, status: int, *, body: bytes = b"") -> Response:
        if self._invitation is None:
            raise CallStateError(self.state, Step.ANSWER)
        extra = [("contact", f"<{self._dialog.contact}>")]
        if body:
            extra.append(("content-type", "application/sdp"))
        request = self._invitation.request
        return reply(request, status, to_tag=self._dialog.local_tag, extra=extra, body=body)

    @property
    def _stream(self) -> AudioStream:
        if self._session is None:
            raise CallStateError(self.state, Step.SPEAK)
        return self._session.stream

    def _follows(self, session: Session, body: bytes) -> bool:
        """Take their answer to our offer; False when it makes no sense."""
        try:
            session.accept(body)
        except MessageError:
            self._line.counts["malformed"] += 1
            return False
        return True

    def _await_ack(self, invitation: ServerTransaction) -> None:
        """An INVITE of theirs gets its 2xx now; without ACK the call ends (RFC 3261 section 13.3.1.4)."""
        self._invitation = invitation
        self._acknowledged.clear()
        invitation.on_unacknowledged = self._lost

    def _require_up(self, step: Enum) -> None:
        if self.state is not State.UP:
            raise CallStateError(self.state, step)

    def _step(self, step: Step) -> None:
        self.state = after(self.state, step)

    def _mark_answered(self, session: Session) -> None:
        we_called = self.direction is Direction.OUT
        self._holding = Holding(self._line, self._dialog, session, we_called=we_called, on_lost=self._lost)
        if we_called:
            self._acknowledged.set()
        self.answered_at = self._loop.time()
        self._rang.set()
        self._settled.set()

    def _finish(self, end: End) -> None:
        self.end = end
        self._transferring.close()
        if self._holding is not None:
            self._holding.close()
        if self._session is not None:
            self._session.stream.close()
        for event in (self._rang, self._settled, self._ended):
            event.set()
        self._line.forget(self)

    def _raise_if_never_answered(self) -> None:
        if self.answered_at is None and self.end is not None:
            raise CallRefused(self.end.status, self.end.reason)

"""One call of a phone: its signalling and its sound."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from hotline.telephony.phone import sdp
from hotline.telephony.phone.address import Address, MessageError, Uri
from hotline.telephony.phone.codec import Samples
from hotline.telephony.phone.dialog import Dialog
from hotline.telephony.phone.media import AudioStream, Playback
from hotline.telephony.phone.message import Headers, Request, Response, reply
from hotline.telephony.phone.recorder import Recorder
from hotline.telephony.phone.session import Session
from hotline.telephony.phone.states import TABLE, CallRefused, CallStateError, State, Step, after
from hotline.telephony.phone.transactions import ClientTransaction, Endpoint, ServerTransaction


class Direction(Enum):
    """Who calls."""

    OUT = "out"
    IN = "in"


class EndedBy(Enum):
    """Who ended a call."""

    US = "us"
    THEM = "them"
    FAULT = "fault"  # the other side fell silent or broke the protocol


@dataclass(frozen=True, slots=True)
class End:
    """How a call ended: by whom, and the SIP status if it was never answered (0 otherwise)."""

    by: EndedBy
    status: int = 0
    reason: str = ""


class Exchange(Protocol):
    """A request under way, perhaps sent a second time with credentials."""

    @property
    def transaction(self) -> ClientTransaction | None:
        """The transaction of its latest attempt; None once the phone is closed."""
        ...


class Line(Protocol):
    """What a call needs of its phone."""

    counts: Counter[str]

    def send(
        self, build: Callable[[], Request], target: Endpoint, on_response: Callable[[Response], None]
    ) -> Exchange:
        """Send a request, answering one challenge by building it anew."""
        ...

    def send_plain(self, request: Request, target: Endpoint) -> None:
        """Send an ACK, which has no transaction."""
        ...

    async def open_session(self) -> Session:
        """A bound RTP socket, nothing agreed yet."""
        ...

    def forget(self, call: Call) -> None:
        """The call has ended."""
        ...


class Call:
    """A call in either direction. Made by `Phone.call` and by `Phone.incoming`, never directly.

    Attributes:
        direction: who calls.
        number: the other side's user part.
        display_name: the other side's name, perhaps empty.
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
        self._exchange: Exchange | None = None
        self._invite_cseq = 0
        self._cancel_sent = False
        self._accepted = False
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
        if self.state is not State.UP:
            raise CallStateError(self.state, Step.SPEAK)
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
        self._invitation.on_unacknowledged = self._never_acknowledged
        self._invitation.respond(self._reply(200, body=body))
        self._mark_answered()

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
        elif self.state in (State.DIALLING, State.RINGING):
            self._step(Step.GIVE_UP)
            self._cancel_if_wanted()
        elif self.state is State.UP:
            self._step(Step.HANG_UP)
            if self.direction is Direction.IN:
                await self._acknowledged.wait()  # RFC 3261 section 15: not before the ACK
            if self.end is None:
                self._bye()
        return await self.wait_ended()

    # -- what the phone tells it ----------------------------------------------------------------------

    def dial(self, session: Session) -> None:
        """Send the INVITE."""
        self._session = session
        self._exchange = self._line.send(self._build_invite, self._dialog.next_hop, self._on_invite_response)

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
        else:
            transaction.respond(reply(request, 200 if request.method in ("INFO", "OPTIONS") else 501))

    # -- signalling, outgoing -------------------------------------------------------------------------

    def _build_invite(self) -> Request:
        body = self._session.offer() if self._session is not None else b""
        request = self._dialog.request("INVITE", body=body)
        self._invite_cseq = request.cseq
        return request

    def _on_invite_response(self, response: Response) -> None:
        if response.status == 100:
            self._cancel_if_wanted()
        elif response.status < 200:
            if self.state in (State.DIALLING, State.RINGING, State.CANCELLING):
                self._step(Step.PROGRESS)
            self._early(response)
            self._rang.set()
            self._cancel_if_wanted()
        elif response.status < 300:
            self._on_accepted(response)
        elif self.state is not State.ENDED:
            self._step(Step.REFUSED)
            by = EndedBy.US if self._cancel_sent else EndedBy.THEM
            fault = response.status == 408
            self._finish(End(EndedBy.FAULT if fault else by, response.status, response.reason))

    def _early(self, response: Response) -> None:
        """183 may bring announcements before the answer."""
        if response.body and self._session is not None and self.state is State.RINGING:
            try:
                self._session.accept(response.body)
            except MessageError:
                self._line.counts["malformed"] += 1

    def _on_accepted(self, response: Response) -> None:
        tag = Address.parse(response.headers.get("to")).params.get("tag", "")
        if self._accepted and tag != self._dialog.remote_tag:
            self._release_fork(response)
            return
        if self._accepted:
            self._ack()  # the 2xx again: our ACK got lost
            return
        self._accepted = True
        self._dialog.confirm(response)
        self._ack()
        if self.state is State.ENDED:
            return
        self._step(Step.ACCEPTED)
        if self.state is State.CLOSING:
            self._bye()
            return
        try:
            if self._session is not None:
                self._session.accept(response.body)
            self._mark_answered()
        except MessageError:
            self._line.counts["malformed"] += 1
            self._step(Step.HANG_UP)
            self._bye(EndedBy.FAULT)

    def _ack(self) -> None:
        self._line.send_plain(self._dialog.request("ACK", cseq=self._invite_cseq), self._dialog.next_hop)

    def _release_fork(self, response: Response) -> None:
        """A second phone answered the same INVITE: acknowledge it and hang up on it."""
        first = self._dialog
        fork = Dialog(first.call_id, first.local, first.remote, first.contact, first.target, first.peer)
        fork.local_cseq = self._invite_cseq
        fork.confirm(response)
        self._line.send_plain(fork.request("ACK", cseq=self._invite_cseq), fork.next_hop)
        self._line.send(lambda: fork.request("BYE"), fork.next_hop, lambda _: None)

    def _cancel_if_wanted(self) -> None:
        """RFC 3261 section 9.1: CANCEL goes out only after a provisional answer came."""
        transaction = self._exchange.transaction if self._exchange is not None else None
        if self.state is not State.CANCELLING or self._cancel_sent or transaction is None:
            return
        if not transaction.proceeding:
            return
        self._cancel_sent = True
        invite = transaction.request
        copied = ("via", "max-forwards", "from", "to", "call-id", "route")
        headers = Headers((name, value) for name, value in invite.headers if name in copied)
        headers.add("cseq", f"{invite.cseq} CANCEL")
        transaction.cancelled()
        self._line.send(lambda: Request("CANCEL", invite.uri, headers), self._dialog.next_hop, lambda _: None)

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
        if self._invitation is not None:
            self._invitation.acknowledge()
        self._acknowledged.set()
        if self._session is not None and self._session.awaits_answer and request.body:
            try:
                self._session.accept(request.body)
            except MessageError:
                self._line.counts["malformed"] += 1

    def _never_acknowledged(self) -> None:
        self._acknowledged.set()
        if self.state is State.UP:
            self._step(Step.HANG_UP)
            self._bye(EndedBy.FAULT)

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
        if self.state is not State.UP or session is None:
            transaction.respond(reply(request, 491))
            return
        try:
            body = session.answer(sdp.parse(request.body)) if request.body else session.offer()
        except MessageError:
            self._line.counts["malformed"] += 1
            transaction.respond(reply(request, 488))
            return
        self._dialog.retarget(request)
        self._invitation = transaction
        transaction.respond(self._reply(200, body=body))

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

    def _step(self, step: Step) -> None:
        self.state = after(self.state, step)

    def _mark_answered(self) -> None:
        self.answered_at = self._loop.time()
        self._rang.set()
        self._settled.set()

    def _finish(self, end: End) -> None:
        self.end = end
        if self._session is not None:
            self._session.stream.close()
        for event in (self._rang, self._settled, self._ended):
            event.set()
        self._line.forget(self)

    def _raise_if_never_answered(self) -> None:
        if self.answered_at is None and self.end is not None:
            raise CallRefused(self.end.status, self.end.reason)

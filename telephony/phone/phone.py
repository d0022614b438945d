"""A small SIP telephone on asyncio: registers, calls, answers, presses keys, speaks and listens.

    async with Phone("1001", secret, server=("127.0.0.1", 5060)) as phone:
        await phone.register()
        call = await phone.call("12345")
        await call.wait_answered()
        await call.play(samples).done()
        await call.hangup()

It speaks SIP over UDP (RFC 3261) and G.711 over RTP, which is what Asterisk's endpoints for agents and trunks
need; no TLS, no IPv6 names. It transfers calls (blind, and attended with ``max_calls=2``) but follows no
REFER of others. The demo's people and the tests' use it.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import quote

from hotline.core.errors import PeerError, UsageError
from hotline.telephony.phone import sdp
from hotline.telephony.phone.address import Address, Uri
from hotline.telephony.phone.call import Call, Direction
from hotline.telephony.phone.codec import CODECS
from hotline.telephony.phone.dialog import Dialog
from hotline.telephony.phone.exchange import AuthenticatedExchange, Credentials
from hotline.telephony.phone.media import AudioStream
from hotline.telephony.phone.message import Request, Response, reply
from hotline.telephony.phone.registration import Registration
from hotline.telephony.phone.session import Session
from hotline.telephony.phone.states import CallStateError, ChangeRefused, State
from hotline.telephony.phone.ticker import Ticker
from hotline.telephony.phone.transactions import Endpoint, ServerTransaction, Timers, TransactionLayer

ALLOWED_METHODS = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY"

#: How long `Phone.aclose` waits for the other side to confirm BYE and un-REGISTER before it goes anyway.
CLOSE_SECONDS = 2.0

_NAME = re.compile(r"[^\x00-\x20\x7f@<>\"]{1,64}")


class Phone(asyncio.DatagramProtocol):
    """One telephone: a SIP socket, an optional registration, and its calls.

    Limits: ``max_calls`` at a time, further callers hear busy (486). Datagrams that make no sense are dropped
    and counted in ``counts``.

    Args:
        username: the account, and the user part of our address; for a citizen the caller's number.
        secret: the account's password; None for a phone that needs none.
        server: address and port of the SIP server.
        local_host: the address to bind, and to be reached at.
        local_port: the UDP port to bind; any free one when 0.
        display_name: shown to whom we call.
        codecs: names of codecs, best first.
        max_calls: calls at a time, in both directions together.
        max_recorded_seconds: how much a call remembers of what it heard.
        remote_control: whether a NOTIFY of the server may answer, hold and resume calls, as the buttons of a
            desk phone do (``Event: talk`` and ``Event: hold``).
        timers: RFC 3261's unless a test wants quicker ones.
        ticker: what paces the sound; the event loop's shared one unless given.
    """

    def __init__(
        self,
        username: str,
        secret: str | None = None,
        *,
        server: Endpoint = ("127.0.0.1", 5060),
        local_host: str = "127.0.0.1",
        local_port: int = 0,
        display_name: str = "",
        codecs: tuple[str, ...] = ("PCMA", "PCMU"),
        max_calls: int = 1,
        max_recorded_seconds: float = 600.0,
        remote_control: bool = False,
        timers: Timers | None = None,
        ticker: Ticker | None = None,
    ) -> None:
        if not _NAME.fullmatch(username):
            raise UsageError("a phone's user name has 1 to 64 characters, none of them blank, @, < or >")
        if not codecs or any(name not in CODECS for name in codecs):
            raise UsageError(f"a phone's codecs are of {', '.join(CODECS)}")
        self.username = username
        self.server = server
        self.display_name = display_name
        self.counts: Counter[str] = Counter()
        self._credentials = Credentials(username, secret) if secret is not None else None
        self._local_host, self._local_port = local_host, local_port
        self._codecs = codecs
        self._max_calls = max_calls
        self._max_recorded_seconds = max_recorded_seconds
        self._remote_control = remote_control
        self._errands: set[asyncio.Task[None]] = set()  # what NOTIFYs asked for; ends with the calls
        self.timers = timers or Timers()
        self._ticker = ticker
        self._calls: dict[tuple[str, str], Call] = {}
        self._waiting: asyncio.Queue[Call | None] = asyncio.Queue()  # bounded by max_calls: more are refused
        self._transport: asyncio.DatagramTransport | None = None
        self._gone: asyncio.Future[None] | None = None
        self._layer: TransactionLayer | None = None
        self._registration: Registration | None = None
        self._closing = False

    # -- life -----------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def open(self) -> None:
        """Bind the SIP socket; ``OSError`` when that is impossible."""
        loop = asyncio.get_running_loop()
        self._ticker = self._ticker or Ticker.shared()
        self._gone = loop.create_future()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(self._local_host, self._local_port))
        self._layer = TransactionLayer(self, self._transmit, self.timers)
        self._layer.counts = self.counts

    async def aclose(self) -> None:
        """Hang up, sign off and free the sockets, within `CLOSE_SECONDS`; idempotent."""
        if self._transport is None or self._closing:
            return
        self._closing = True
        farewells: list[asyncio.Future[object]] = [
            asyncio.ensure_future(call.hangup()) for call in self.calls
        ]
        if self._registration is not None:
            farewells.append(asyncio.ensure_future(self._registration.aclose()))
        farewells += [asyncio.ensure_future(errand) for errand in self._errands]
        try:
            if farewells:
                await asyncio.wait(farewells, timeout=CLOSE_SECONDS)
        finally:
            for farewell in farewells:
                farewell.cancel()
            await asyncio.gather(*farewells, return_exceptions=True)
            self._release()
        if self._gone is not None:
            await self._gone

    def _release(self) -> None:
        for call in list(self._calls.values()):
            call.abandon()
        if self._layer is not None:
            self._layer.close()
        if self._transport is not None:
            self._transport.close()
        self._waiting.put_nowait(None)

    # -- what a person does ---------------------------------------------------------------------------

    @property
    def contact(self) -> str:
        """Where we are reached: ``sip:user@host:port``."""
        return f"sip:{self._user}@{self._local_host}:{self.port}"

    @property
    def port(self) -> int:
        """Our SIP port."""
        if self._transport is None:
            raise UsageError("the phone is not open")
        return int(self._transport.get_extra_info("sockname")[1])

    @property
    def calls(self) -> list[Call]:
        """The calls that are not over."""
        return list(self._calls.values())

    async def register(self, *, expires_seconds: int = 300) -> None:
        """Sign on at the server, and again before it forgets, until the phone is closed.

        Raises:
            PeerError: the server refused, or did not reply.
        """
        if self._closing or self._transport is None:
            raise UsageError("the phone is not open")
        if self._registration is None:
            self._registration = Registration(self, expires_seconds=expires_seconds)
        await self._registration.start()

    @property
    def registered(self) -> bool:
        """Whether the server has confirmed our latest registration."""
        return self._registration is not None and self._registration.confirmed

    async def call(self, number: str) -> Call:
        """Dial a number; returns at once with a call that is `DIALLING`.

        Raises:
            UsageError: the number cannot be dialled, or the phone is closed or has all the calls it may.
        """
        if self._closing or self._transport is None:
            raise UsageError("the phone is not open")
        target = self.uri_of(number)
        if len(self._calls) >= self._max_calls:
            raise UsageError("the phone has all the calls it may have")
        session = await self.open_session()
        local = Address(self.display_name, self.address_of_record)
        call = Call(self, Dialog.calling(local, target, self.contact, self.server), Direction.OUT)
        self._calls[call.key] = call
        call.dial(session)
        return call

    async def next_call(self) -> Call:
        """Wait for somebody to call us; it is up to the taker to ring, answer or reject.

        Raises:
            PeerError: the phone was closed.
        """
        call = await self._waiting.get()
        if call is None:
            self._waiting.put_nowait(None)  # whoever else waits is told too
            raise PeerError("the phone was closed while waiting for a call")
        return call

    async def incoming(self) -> AsyncIterator[Call]:
        """Every call that comes in, until the phone is closed."""
        while True:
            try:
                call = await self.next_call()
            except PeerError:
                return
            yield call

    # -- for calls and the registration ---------------------------------------------------------------

    @property
    def address_of_record(self) -> str:
        """Our public address at the server: ``sip:user@server``."""
        return str(Uri(self._user, *self.server))

    @property
    def _user(self) -> str:
        return quote(self.username, safe="*+.-_")

    def uri_of(self, number: str) -> str:
        """The address of a number at the server; `UsageError` if it cannot be dialled."""
        if not _NAME.fullmatch(number):
            raise UsageError("a number to dial has 1 to 64 characters, none of them blank, @, < or >")
        return str(Uri(quote(number, safe="*+.-_"), *self.server))

    def send(
        self, build: Callable[[], Request], target: Endpoint, on_response: Callable[[Response], None]
    ) -> AuthenticatedExchange:
        """Send a request and see it through to its final answer, answering one challenge."""
        if self._layer is None:
            raise UsageError("the phone is not open")
        return AuthenticatedExchange(self._layer, self._credentials, build, target, on_response)

    def send_plain(self, request: Request, target: Endpoint) -> None:
        """Send an ACK, which has no transaction."""
        self._transmit(request.encode(), target)

    async def open_session(self) -> Session:
        """A bound RTP socket, nothing agreed yet."""
        ticker = self._ticker or Ticker.shared()
        stream = await AudioStream.open(
            self._local_host, ticker, max_recorded_seconds=self._max_recorded_seconds
        )
        return Session(stream, self._local_host, self._codecs)

    def forget(self, call: Call) -> None:
        """The call has ended."""
        self._calls.pop(call.key, None)

    def remote_control(self, event: str, calls: Sequence[Call]) -> int:
        """Do with one of the calls what a NOTIFY asks for; the status to answer it with."""
        if not self._remote_control or event not in ("talk", "hold"):
            return 489
        act = _answer_or_resume(calls) if event == "talk" else _hold(calls)
        if act is None:
            return 481
        errand = asyncio.ensure_future(self._carry_out(act))
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)
        return 200

    async def _carry_out(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except (CallStateError, ChangeRefused):  # the call went on meanwhile, or the other side disagrees
            self.counts["remote_control_failed"] += 1

    # -- the network ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a datagram endpoint has no other kind

    def connection_lost(self, exc: Exception | None) -> None:
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens over there; the transaction's own timers draw the conclusion."""
        self.counts["unreachable"] += 1

    def datagram_received(self, data: bytes, addr: Endpoint) -> None:
        if self._layer is not None:
            self._layer.receive(data, (addr[0], addr[1]))

    def _transmit(self, data: bytes, target: Endpoint) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, target)

    def on_request(self, request: Request, transaction: ServerTransaction | None, source: Endpoint) -> None:
        """Take a new request and hand it to the call that it belongs to."""
        tag = Address.parse(request.headers.get("to")).params.get("tag", "")
        call = self._calls.get((request.headers.get("call-id"), tag)) if tag else None
        if transaction is None:
            if call is not None:
                call.on_request(request, None)
            return
        if request.method == "CANCEL":
            self._on_cancel(request, transaction)
        elif call is not None:
            call.on_request(request, transaction)
        elif tag and request.method != "OPTIONS":
            transaction.respond(reply(request, 481))
        elif request.method == "INVITE":
            self._on_invite(request, transaction, source)
        elif request.method == "OPTIONS":
            extra = [("allow", ALLOWED_METHODS), ("accept", "application/sdp")]
            transaction.respond(reply(request, 200, extra=extra))
        elif request.method == "NOTIFY":
            transaction.respond(reply(request, self.remote_control(request.event, self.calls)))
        else:
            self.counts["unsupported"] += 1
            transaction.respond(reply(request, 501, extra=[("allow", ALLOWED_METHODS)]))

    def _on_invite(self, request: Request, transaction: ServerTransaction, source: Endpoint) -> None:
        required = request.headers.all("require")
        if required:
            transaction.respond(reply(request, 420, extra=[("unsupported", ", ".join(required))]))
            return
        if self._closing or len(self._calls) >= self._max_calls:
            transaction.respond(reply(request, 486))
            return
        offer = sdp.parse(request.body) if request.body else None
        if offer is not None and not any(name in self._codecs for name in offer.payload_types):
            transaction.respond(reply(request, 488))
            return
        dialog = Dialog.called(request, self.contact, source)
        transaction.respond(reply(request, 100))
        call = Call(self, dialog, Direction.IN)
        call.offered(transaction, offer)
        self._calls[call.key] = call
        self._waiting.put_nowait(call)

    def _on_cancel(self, request: Request, transaction: ServerTransaction) -> None:
        if self._layer is None:
            return
        invitation = self._layer.invitation(request)
        if invitation is None:
            transaction.respond(reply(request, 481))
            return
        transaction.respond(reply(request, 200))
        for call in self.calls:
            if call.is_offered_by(invitation):
                call.withdrawn()


def _answer_or_resume(calls: Sequence[Call]) -> Callable[[], Awaitable[None]] | None:
    """What ``Event: talk`` means: answer who rings, else take back who is on hold."""
    for call in calls:
        if call.state is State.OFFERED:
            return call.answer
    return next((call.resume for call in calls if call.state is State.UP and call.held), None)


def _hold(calls: Sequence[Call]) -> Callable[[], Awaitable[None]] | None:
    """What ``Event: hold`` means."""
    return next((call.hold for call in calls if call.state is State.UP and not call.held), None)

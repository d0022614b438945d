"""SIP transactions over UDP (RFC 3261 section 17, RFC 6026): what repeats a message and absorbs repetition.

Above this layer every request gets exactly one final answer (a missing one is a 408 of our own making) and is
seen exactly once. Timers are handles on the event loop; there are no tasks. `TransactionLayer.close` leaves
nothing scheduled.

Limit: `MAX_TRANSACTIONS` at a time; beyond that new requests from the network are dropped and counted.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hotline.telephony.phone.address import MessageError
from hotline.telephony.phone.message import Headers, Request, Response, parse, reply, via_branch

Endpoint = tuple[str, int]

#: RFC 3261 section 8.1.1.7: how every branch of this edition of SIP begins.
MAGIC_COOKIE = "z9hG4bK"
MAX_TRANSACTIONS = 2_000


@dataclass(frozen=True, slots=True)
class Timers:
    """RFC 3261 table 4. A test makes ``t1_seconds`` small."""

    t1_seconds: float = 0.5
    t2_seconds: float = 4.0

    @property
    def lifetime_seconds(self) -> float:
        """Timers B, F, H, J: how long an answer is awaited and a repetition absorbed."""
        return 64 * self.t1_seconds


class Core(Protocol):
    """What sits above the transactions: the phone."""

    def on_request(self, request: Request, transaction: ServerTransaction | None, source: Endpoint) -> None:
        """A new request. An ACK to a 2xx comes without a transaction: it is never answered."""
        ...


class _Repeater:
    """Sends one message again and again at doubling intervals, until it is stopped or gives up."""

    def __init__(self, layer: TransactionLayer, target: Endpoint, *, ceiling_seconds: float) -> None:
        self._layer = layer
        self._target = target
        self._interval = layer.timers.t1_seconds
        self._ceiling = ceiling_seconds
        self._handle: asyncio.TimerHandle | None = None

    def start(self, data: bytes) -> None:
        self.stop()
        self._handle = self._layer.loop.call_later(self._interval, self._again, data)

    def slow_down(self) -> None:
        """The other side is alive: from now on only every T2 (RFC 3261 section 17.1.2.2)."""
        self._interval = self._ceiling

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _again(self, data: bytes) -> None:
        self._layer.counts["retransmitted"] += 1
        self._layer.send(data, self._target)
        self._interval = min(self._interval * 2, self._ceiling)
        self._handle = self._layer.loop.call_later(self._interval, self._again, data)


class ClientTransaction:
    """A request of ours. ``on_response`` gets every provisional answer, then one final one.

    Of an INVITE's 2xx it gets the repetitions too, because only the call can acknowledge them.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        request: Request,
        target: Endpoint,
        on_response: Callable[[Response], None],
    ) -> None:
        self.request = request
        self.target = target
        self.proceeding = False
        self.answered = False
        self.key = (via_branch(request.headers.get("via")), request.method)
        self._layer = layer
        self._on_response = on_response
        self._accepted = False
        self._ack: bytes = b""
        timers = layer.timers
        # Timer A doubles without end, timer E up to T2.
        ceiling = timers.lifetime_seconds if request.method == "INVITE" else timers.t2_seconds
        self._repeater = _Repeater(layer, target, ceiling_seconds=ceiling)
        self._deadline = layer.loop.call_later(timers.lifetime_seconds, self._time_out)
        data = request.encode()
        layer.send(data, target)
        self._repeater.start(data)

    def receive(self, response: Response) -> None:
        """Take an answer that the network brought."""
        if self.answered:
            self._receive_again(response)
        elif response.status < 200:
            self._provisional(response)
        else:
            self._final(response)

    def cancelled(self) -> None:
        """We sent CANCEL: the final answer must now come within a lifetime (RFC 3261 section 9.1)."""
        if not self.answered:
            self._deadline.cancel()
            self._deadline = self._layer.loop.call_later(self._layer.timers.lifetime_seconds, self._time_out)

    def close(self) -> None:
        """Forget everything that is scheduled."""
        self._repeater.stop()
        self._deadline.cancel()

    def _provisional(self, response: Response) -> None:
        self.proceeding = True
        if self.request.method == "INVITE":
            self._repeater.stop()
            self._deadline.cancel()  # a phone may ring as long as it likes
        else:
            self._repeater.slow_down()
        self._on_response(response)

    def _final(self, response: Response) -> None:
        self.answered = True
        self.close()
        linger = self._layer.timers.lifetime_seconds if self.request.method == "INVITE" else 0
        self._deadline = self._layer.loop.call_later(linger, self._layer.forget_client, self)
        if self.request.method == "INVITE":
            self._accepted = response.status < 300
            if not self._accepted:
                self._ack = self._build_ack(response).encode()
                self._layer.send(self._ack, self.target)
        self._on_response(response)

    def _receive_again(self, response: Response) -> None:
        if self._accepted and 200 <= response.status < 300:
            self._on_response(response)
        elif self._ack and response.status >= 300:
            self._layer.send(self._ack, self.target)

    def _build_ack(self, response: Response) -> Request:
        """The ACK to a refusal belongs to the transaction (RFC 3261 section 17.1.1.3)."""
        sent = self.request.headers
        headers = Headers([("via", sent.get("via")), ("max-forwards", "70"), ("from", sent.get("from"))])
        headers.add("to", response.headers.get("to"))
        headers.add("call-id", sent.get("call-id"))
        headers.add("cseq", f"{self.request.cseq} ACK")
        for route in sent.all("route"):
            headers.add("route", route)
        return Request("ACK", self.request.uri, headers)

    def _time_out(self) -> None:
        """Nobody answered: RFC 3261 section 8.1.3.1 has us treat that as a 408."""
        self.answered = True
        self.close()
        self._layer.forget_client(self)
        self._layer.counts["timed_out"] += 1
        self._on_response(reply(self.request, 408))


class ServerTransaction:
    """A request from the network, and what we answered to it."""

    def __init__(self, layer: TransactionLayer, request: Request, source: Endpoint) -> None:
        self.request = request
        self.source = source
        self.final: Response | None = None
        self.on_unacknowledged: Callable[[], None] | None = None
        self._layer = layer
        self._last: bytes = b""
        self._repeater = _Repeater(layer, source, ceiling_seconds=layer.timers.t2_seconds)
        self._deadline: asyncio.TimerHandle | None = None

    def respond(self, response: Response) -> None:
        """Send an answer; a second final one is refused with ``RuntimeError``."""
        if self.final is not None:
            raise RuntimeError("the request has its final response already")
        self._last = response.encode()
        self._layer.send(self._last, self.source)
        if response.status < 200:
            return
        self.final = response
        if self.request.method == "INVITE":
            self._repeater.start(self._last)
        self._deadline = self._layer.loop.call_later(self._layer.timers.lifetime_seconds, self._expire)

    def repeat(self) -> None:
        """The request came again: so does the last answer."""
        if self._last:
            self._layer.counts["retransmitted"] += 1
            self._layer.send(self._last, self.source)

    def acknowledge(self) -> None:
        """The ACK to an INVITE's final answer came."""
        self._repeater.stop()
        self.on_unacknowledged = None

    def close(self) -> None:
        """Forget everything that is scheduled."""
        self._repeater.stop()
        if self._deadline is not None:
            self._deadline.cancel()

    def _expire(self) -> None:
        self._repeater.stop()
        self._layer.forget_server(self)
        if self.on_unacknowledged is not None:
            self._layer.counts["unacknowledged"] += 1
            self.on_unacknowledged()


class TransactionLayer:
    """All transactions of one socket.

    Args:
        core: who gets the requests.
        send: puts one datagram on the network; must not block.
        timers: RFC 3261's, or quicker ones.
    """

    def __init__(self, core: Core, send: Callable[[bytes, Endpoint], None], timers: Timers) -> None:
        self.send = send
        self.timers = timers
        self.loop = asyncio.get_running_loop()
        self.counts: Counter[str] = Counter()
        self._core = core
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[tuple[str, str, str], ServerTransaction] = {}

    def request(
        self, request: Request, target: Endpoint, on_response: Callable[[Response], None]
    ) -> ClientTransaction:
        """Send a request and see it through to its final answer."""
        transaction = ClientTransaction(self, request, target, on_response)
        self._clients[transaction.key] = transaction
        return transaction

    def receive(self, data: bytes, source: Endpoint) -> None:
        """Take one datagram. Whatever cannot be understood is counted and dropped."""
        if not data.strip(b"\r\n\0"):
            return  # keep-alive (RFC 5626 section 3.5.1)
        try:
            message = parse(data)
            if isinstance(message, Response):
                self._receive_response(message)
            else:
                self._receive_request(message, source)
        except MessageError:
            self.counts["malformed"] += 1

    def invitation(self, cancel: Request) -> ServerTransaction | None:
        """The INVITE that a CANCEL means (RFC 3261 section 9.2)."""
        return self._servers.get(_server_key(cancel, "INVITE"))

    def forget_client(self, transaction: ClientTransaction) -> None:
        """Called by a transaction at its end."""
        self._clients.pop(transaction.key, None)

    def forget_server(self, transaction: ServerTransaction) -> None:
        """Called by a transaction at its end."""
        self._servers.pop(_server_key(transaction.request, transaction.request.method), None)

    def close(self) -> None:
        """Stop every timer; nothing is sent any more."""
        for client in self._clients.values():
            client.close()
        for server in self._servers.values():
            server.close()
        self._clients.clear()
        self._servers.clear()

    def _receive_response(self, response: Response) -> None:
        key = (via_branch(response.headers.get("via")), response.method)
        client = self._clients.get(key)
        if client is None:
            self.counts["stray_response"] += 1
        else:
            client.receive(response)

    def _receive_request(self, request: Request, source: Endpoint) -> None:
        method = "INVITE" if request.method == "ACK" else request.method
        known = self._servers.get(_server_key(request, method))
        if request.method == "ACK":
            if known is not None:
                known.acknowledge()
            else:
                self._core.on_request(request, None, source)
        elif known is not None:
            known.repeat()
        elif len(self._servers) >= MAX_TRANSACTIONS:
            self.counts["overload"] += 1
        else:
            request = Request(request.method, request.uri, _stamp(request.headers, source), request.body)
            transaction = ServerTransaction(self, request, source)
            self._servers[_server_key(request, request.method)] = transaction
            try:
                self._core.on_request(request, transaction, source)
            except MessageError:
                self.counts["malformed"] += 1
                if transaction.final is None:
                    transaction.respond(reply(request, 400))


def new_branch() -> str:
    """A branch parameter nobody has used."""
    return MAGIC_COOKIE + secrets.token_hex(10)


def _server_key(request: Request, method: str) -> tuple[str, str, str]:
    """Branch, sent-by and method name a transaction (RFC 3261 section 17.2.3); Call-ID without branch."""
    via = (request.headers.all("via") or [""])[0]
    branch = via_branch(via)
    sent_by = via.split(";")[0].split()[-1] if via.split(";")[0].split() else ""
    if not branch.startswith(MAGIC_COOKIE):
        branch = f"{request.headers.get('call-id')} {request.cseq}"
    return (branch, sent_by.lower(), method)


def _stamp(headers: Headers, source: Endpoint) -> Headers:
    """Note in the topmost Via where the request really came from (RFC 3581 section 4)."""
    top, *others = headers.all("via")
    params = [
        param
        for param in top.split(";")
        if param.strip().partition("=")[0].lower() not in ("rport", "received")
    ]
    stamped = ";".join([*params, f"received={source[0]}", f"rport={source[1]}"])
    rest = [(name, value) for name, value in headers if name != "via"]
    return Headers([("via", via) for via in (stamped, *others)] + rest)

"""Keeping a phone known to its server (RFC 3261 section 10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from hotline.core.backoff import backoff
from hotline.core.errors import PeerError
from hotline.telephony.phone.address import Address, MessageError, Uri
from hotline.telephony.phone.dialog import Dialog
from hotline.telephony.phone.exchange import AuthenticatedExchange
from hotline.telephony.phone.message import Request, Response
from hotline.telephony.phone.transactions import Endpoint

#: A registration is renewed when this share of its time has gone.
RENEW_AT = 0.8


class Registrant(Protocol):
    """What a registration needs of its phone."""

    server: Endpoint

    @property
    def contact(self) -> str:
        """Where the phone is reached."""
        ...

    @property
    def address_of_record(self) -> str:
        """Its public address."""
        ...

    def send(
        self, build: Callable[[], Request], target: Endpoint, on_response: Callable[[Response], None]
    ) -> AuthenticatedExchange:
        """Send a request through to its final answer."""
        ...


class Registration:
    """One binding at the server and the task that renews it.

    A renewal that fails is tried again with growing pauses; ``confirmed`` is False meanwhile.
    """

    def __init__(self, phone: Registrant, *, expires_seconds: int) -> None:
        self.confirmed = False
        self._bound = False  # the server may hold our binding, even while a renewal is under way
        self._phone = phone
        self._expires_seconds = expires_seconds
        self._renewal: asyncio.Task[None] | None = None
        address = Address("", phone.address_of_record)
        registrar = str(Uri("", *phone.server))
        self._dialog = Dialog.calling(address, registrar, phone.contact, phone.server)
        self._dialog.remote = address  # To is the address that is registered, the request URI the server

    async def start(self) -> None:
        """Register now; `PeerError` if the server does not agree. Later renewals run by themselves."""
        granted = await self._register(self._expires_seconds)
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renew(granted), name="phone registration")

    async def aclose(self) -> None:
        """Stop renewing and withdraw the binding; a server that does not reply is let be."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)
            self._renewal = None
        if self._bound:
            self.confirmed = self._bound = False
            await self._exchange(0)

    async def _renew(self, granted_seconds: float) -> None:
        pauses = backoff(initial_seconds=1.0, max_seconds=30.0)
        while True:
            await asyncio.sleep(granted_seconds * RENEW_AT if self.confirmed else next(pauses))
            try:
                granted_seconds = await self._register(self._expires_seconds)
                pauses = backoff(initial_seconds=1.0, max_seconds=30.0)
            except PeerError:
                continue  # `confirmed` is False: the next round waits for the next pause

    async def _register(self, expires_seconds: int) -> float:
        response = await self._exchange(expires_seconds)
        if response.status == 423:  # interval too brief: the server names the shortest it takes
            minimum = response.headers.get("min-expires")
            if minimum.isascii() and minimum.isdigit():
                self._expires_seconds = max(expires_seconds, int(minimum[:6]))
                response = await self._exchange(self._expires_seconds)
        self.confirmed = 200 <= response.status < 300
        if not self.confirmed:
            raise PeerError(
                f"the SIP server refused the registration: {response.status} {response.reason}",
                hint="check the account's name and secret, and that the server runs",
            )
        self._bound = True
        return self._granted(response)

    async def _exchange(self, expires_seconds: int) -> Response:
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

        def build() -> Request:
            request = self._dialog.request("REGISTER")
            request.headers.add("expires", str(expires_seconds))
            return request

        def on_response(response: Response) -> None:
            if response.status >= 200 and not answer.done():
                answer.set_result(response)

        self._phone.send(build, self._phone.server, on_response)
        return await answer

    def _granted(self, response: Response) -> float:
        """How long the server keeps the binding: on our Contact, else in Expires, else what we asked."""
        values = [response.headers.get("expires")]
        for contact in response.headers.all("contact"):
            try:
                address = Address.parse(contact)
            except MessageError:
                continue  # another phone's binding, not ours to judge
            if address.uri == self._phone.contact:
                values.insert(0, address.params.get("expires", ""))
        for value in values:
            if value.isascii() and value.isdigit() and int(value[:6]) > 0:
                return float(value[:6])
        return float(self._expires_seconds)

"""What a call needs of its phone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from hotline.telephony.phone.message import Request, Response
from hotline.telephony.phone.session import Session
from hotline.telephony.phone.transactions import ClientTransaction, Endpoint, Timers

if TYPE_CHECKING:
    from hotline.telephony.phone.call import Call


class Exchange(Protocol):
    """A request under way, perhaps sent a second time with credentials."""

    @property
    def transaction(self) -> ClientTransaction | None:
        """The transaction of its latest attempt; None once the phone is closed."""
        ...


class Line(Protocol):
    """A phone, as its calls use it."""

    counts: Counter[str]

    @property
    def timers(self) -> Timers:
        """How long to wait for whom."""
        ...

    @property
    def address_of_record(self) -> str:
        """Our public address at the server."""
        ...

    def uri_of(self, number: str) -> str:
        """The address of a number at the server; ``UsageError`` if it cannot be dialled."""
        ...

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

    def remote_control(self, event: str, calls: Sequence[Call]) -> int:
        """Do with one of the calls what a NOTIFY asks for; the status to answer it with."""
        ...

    def forget(self, call: Call) -> None:
        """The call has ended."""
        ...

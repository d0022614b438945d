"""Our INVITE: from sending it to its acknowledged answer, or to its end (RFC 3261 sections 9 and 13)."""

from __future__ import annotations

from typing import Protocol

from hotline.telephony.phone.address import Address
from hotline.telephony.phone.dialog import Dialog
from hotline.telephony.phone.line import Exchange, Line
from hotline.telephony.phone.message import Headers, Request, Response
from hotline.telephony.phone.session import Session


class Dialled(Protocol):
    """Who wants to know how the INVITE fares: the call."""

    def progressed(self, response: Response) -> None:
        """101-199 came."""
        ...

    def accepted(self, response: Response) -> None:
        """The first 2xx came and has been acknowledged."""
        ...

    def refused(self, response: Response, *, cancelled: bool) -> None:
        """A final refusal came; ``cancelled``: after our CANCEL."""
        ...


class Dialling:
    """One INVITE that begins a call.

    Args:
        line: the phone.
        dialog: the call's; confirmed by the first 2xx.
        session: what we offer.
        call: who is told.
    """

    def __init__(self, line: Line, dialog: Dialog, session: Session, call: Dialled) -> None:
        self._line = line
        self._dialog = dialog
        self._session = session
        self._call = call
        self._cseq = 0
        self._accepted = self._given_up = self._cancel_sent = False
        self._exchange: Exchange = line.send(self._build, dialog.next_hop, self._on_response)

    def give_up(self) -> None:
        """Cancel it as soon as that is allowed."""
        self._given_up = True
        self._cancel_if_wanted()

    def _build(self) -> Request:
        request = self._dialog.request("INVITE", body=self._session.offer())
        self._cseq = request.cseq
        return request

    def _on_response(self, response: Response) -> None:
        if response.status == 100:
            self._cancel_if_wanted()
        elif response.status < 200:
            self._call.progressed(response)
            self._cancel_if_wanted()
        elif response.status >= 300:
            self._call.refused(response, cancelled=self._cancel_sent)
        elif not self._accepted:
            self._accepted = True
            self._dialog.confirm(response)
            self._ack(self._dialog)
            self._call.accepted(response)
        elif Address.parse(response.headers.get("to")).params.get("tag", "") != self._dialog.remote_tag:
            self._release_fork(response)
        else:
            self._ack(self._dialog)  # the 2xx again: our ACK got lost

    def _ack(self, dialog: Dialog) -> None:
        self._line.send_plain(dialog.request("ACK", cseq=self._cseq), dialog.next_hop)

    def _release_fork(self, response: Response) -> None:
        """A second phone answered the same INVITE: acknowledge it and hang up on it."""
        first = self._dialog
        fork = Dialog(first.call_id, first.local, first.remote, first.contact, first.target, first.peer)
        fork.local_cseq = self._cseq
        fork.confirm(response)
        self._ack(fork)
        self._line.send(lambda: fork.request("BYE"), fork.next_hop, lambda _: None)

    def _cancel_if_wanted(self) -> None:
        """RFC 3261 section 9.1: CANCEL goes out only after a provisional answer came."""
        transaction = self._exchange.transaction
        if not self._given_up or self._cancel_sent or self._accepted or transaction is None:
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

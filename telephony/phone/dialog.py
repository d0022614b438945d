"""The dialog of a call (RFC 3261 section 12): who talks to whom, by which route, and how far the count is."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from hotline.telephony.phone.address import Address, MessageError, Uri
from hotline.telephony.phone.message import Headers, Request, Response
from hotline.telephony.phone.transactions import Endpoint, new_branch


@dataclass(slots=True)
class Dialog:
    """One side's view of a dialog.

    Attributes:
        local: our address, with our tag.
        remote: theirs, with their tag once it is known.
        contact: where they reach us.
        target: their contact, which in-dialog requests name.
        peer: where datagrams go: their contact's address, or where they first came from when that is a name.
    """

    call_id: str
    local: Address
    remote: Address
    contact: str
    target: str
    peer: Endpoint
    route: list[str] = field(default_factory=list)
    local_cseq: int = field(default_factory=lambda: secrets.randbelow(10_000) + 1)
    remote_cseq: int = 0

    @property
    def local_tag(self) -> str:
        """Ours: with the Call-ID it names the dialog."""
        return self.local.params.get("tag", "")

    @property
    def remote_tag(self) -> str:
        """Theirs; empty until their first answer."""
        return self.remote.params.get("tag", "")

    @classmethod
    def calling(cls, local: Address, remote_uri: str, contact: str, peer: Endpoint) -> Dialog:
        """The dialog of a call that we are about to make."""
        host = Uri.parse(contact).host
        return cls(
            call_id=f"{secrets.token_hex(12)}@{host}",
            local=Address(local.display, local.uri, {"tag": new_tag()}),
            remote=Address("", remote_uri),
            contact=contact,
            target=remote_uri,
            peer=peer,
        )

    @classmethod
    def called(cls, invite: Request, contact: str, source: Endpoint) -> Dialog:
        """The dialog of a call that has come in; ``MessageError`` if it names nobody to call back."""
        contacts = invite.headers.all("contact")
        if not contacts:
            raise MessageError("INVITE has no Contact")
        target = Address.parse(contacts[0]).uri
        to = Address.parse(invite.headers.get("to"))
        return cls(
            call_id=invite.headers.get("call-id"),
            local=Address(to.display, to.uri, {**to.params, "tag": new_tag()}),
            remote=Address.parse(invite.headers.get("from")),
            contact=contact,
            target=target,
            peer=_reachable(target, source),
            route=invite.headers.all("record-route"),
            remote_cseq=invite.cseq,
        )

    def confirm(self, response: Response) -> None:
        """Take the other side's tag, contact and route from its 2xx."""
        self.remote = Address.parse(response.headers.get("to"))
        self.route = response.headers.all("record-route")[::-1]
        self.retarget(response)

    def retarget(self, message: Request | Response) -> None:
        """A new Contact in a 2xx or a re-INVITE moves the other end (RFC 3261 section 12.2).

        One that makes no sense is passed over: the call must still be acknowledged and ended somewhere.
        """
        for contact in message.headers.all("contact")[:1]:
            with suppress(MessageError):
                self.target = Address.parse(contact).uri
                self.peer = _reachable(self.target, self.peer)

    def request(
        self,
        method: str,
        *,
        cseq: int | None = None,
        extra: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Request:
        """The next request within the dialog.

        Args:
            method: its method.
            cseq: only for an ACK, which repeats its INVITE's number.
            extra: further fields.
            body: a session description.
        """
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        contact = Uri.parse(self.contact)
        headers = Headers(
            [
                ("via", f"SIP/2.0/UDP {contact.host}:{contact.port};rport;branch={new_branch()}"),
                ("max-forwards", "70"),
                *(("route", route) for route in self.route),
                ("from", str(self.local)),
                ("to", str(self.remote)),
                ("call-id", self.call_id),
                ("cseq", f"{cseq} {method}"),
                ("contact", f"<{self.contact}>"),
                *extra,
            ]
        )
        if body:
            headers.add("content-type", "application/sdp")
        return Request(method, self.target, headers, body)

    @property
    def next_hop(self) -> Endpoint:
        """Where the next request's datagram goes."""
        if self.route:
            return _reachable(Address.parse(self.route[0]).uri, self.peer)
        return self.peer


def new_tag() -> str:
    """A tag nobody has used (RFC 3261 section 19.3)."""
    return secrets.token_hex(6)


def _reachable(uri: str, otherwise: Endpoint) -> Endpoint:
    """The address in a URI; where messages came from, when it is a name or useless."""
    try:
        parsed = Uri.parse(uri)
        ipaddress.ip_address(parsed.host)
    except ValueError:
        return otherwise
    return (parsed.host, parsed.port)

"""A request that may have to prove who sends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hotline.telephony.phone.digest import authorization, choose
from hotline.telephony.phone.message import Request, Response
from hotline.telephony.phone.transactions import ClientTransaction, Endpoint, TransactionLayer

#: Challenge status to the header that brings the challenge and the one that answers it (RFC 3261 section 22).
_CHALLENGES = {
    401: ("www-authenticate", "authorization"),
    407: ("proxy-authenticate", "proxy-authorization"),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account at the server."""

    username: str
    secret: str = field(repr=False)


class AuthenticatedExchange:
    """Sends a request; on a challenge sends it once more with credentials, twice if the nonce was stale.

    Args:
        layer: where requests go.
        credentials: the account, or None: then a challenge is the final answer.
        build: makes the request anew for each attempt, with the next CSeq and a fresh branch.
        target: where its datagram goes.
        on_response: gets every answer but the challenges that were met.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        credentials: Credentials | None,
        build: Callable[[], Request],
        target: Endpoint,
        on_response: Callable[[Response], None],
    ) -> None:
        self._layer = layer
        self._credentials = credentials
        self._build = build
        self._target = target
        self._on_response = on_response
        self._attempts = 1
        self.transaction: ClientTransaction = layer.request(build(), target, self._receive)

    def _receive(self, response: Response) -> None:
        retry = self._answer_challenge(response) if response.status in _CHALLENGES else None
        if retry is None:
            self._on_response(response)
        else:
            self._attempts += 1
            self.transaction = self._layer.request(retry, self._target, self._receive)

    def _answer_challenge(self, response: Response) -> Request | None:
        challenge_header, answer_header = _CHALLENGES[response.status]
        challenge = choose(response.headers.whole(challenge_header))
        if challenge is None or self._credentials is None:
            return None
        if self._attempts > (2 if challenge.stale else 1):
            return None  # the password is wrong: asking again would not help
        request = self._build()
        value = authorization(
            challenge,
            username=self._credentials.username,
            secret=self._credentials.secret,
            method=request.method,
            uri=request.uri,
        )
        request.headers.add(answer_header, value)
        return request

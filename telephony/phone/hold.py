"""Putting a call on hold and taking it back: our re-INVITE with another direction (RFC 3264 section 8.4)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from hotline.telephony.phone.address import MessageError
from hotline.telephony.phone.dialog import Dialog
from hotline.telephony.phone.line import Line
from hotline.telephony.phone.message import Request, Response
from hotline.telephony.phone.session import Session
from hotline.telephony.phone.states import HOLD_TABLE, ChangeRefused, Hold, HoldStep, follow

#: How often a re-INVITE that crossed one of theirs (491) is sent again before it counts as refused.
MAX_CROSSINGS = 4

#: RFC 3261 section 14.1: the pause before that, in units of T1; whoever made the call waits longer.
PAUSE_OF_CALLER_T1 = (4.2, 8.0)  # 2.1 to 4 s at T1 = 0.5 s
PAUSE_OF_CALLED_T1 = (0.0, 4.0)

#: The other side knows the call no more, or does not reply (RFC 3261 section 12.2.1.2).
DIALOG_LOST = (408, 481)


class Holding:
    """The hold of one call that is up.

    Args:
        line: the phone.
        dialog: the call's.
        session: whose direction changes.
        we_called: whether the call is ours.
        on_lost: called when the other side turns out to know the call no more.
    """

    def __init__(
        self, line: Line, dialog: Dialog, session: Session, *, we_called: bool, on_lost: Callable[[], None]
    ) -> None:
        self.state = Hold.TALKING
        self._line = line
        self._dialog = dialog
        self._session = session
        self._pause_t1 = PAUSE_OF_CALLER_T1 if we_called else PAUSE_OF_CALLED_T1
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._cseq = 0
        self._crossings = 0
        self._done: asyncio.Future[None] | None = None
        self._retry: asyncio.TimerHandle | None = None

    @property
    def pending(self) -> bool:
        """Whether a re-INVITE of ours is out: theirs must wait (491)."""
        return self._done is not None and self._retry is None

    def ask(self, step: HoldStep) -> asyncio.Future[None]:
        """Hold or resume; the future ends with the other side's consent, or with `ChangeRefused`.

        We fall silent at once, and speak again only when the other side has agreed.

        Raises:
            CallStateError: it is on hold already, or is not, or a change is under way.
        """
        self.state = follow(HOLD_TABLE, self.state, step)
        self._session.hold(step is HoldStep.HOLD)
        self._session.stream.held = True
        self._crossings = 0
        self._done = self._loop.create_future()
        self._send()
        return self._done

    def close(self) -> None:
        """The call has ended."""
        self._settle(ChangeRefused("hold", 487, "the call ended"))

    def _send(self) -> None:
        self._retry = None
        self._line.send(self._build, self._dialog.next_hop, self._on_response)

    def _build(self) -> Request:
        request = self._dialog.request("INVITE", body=self._session.offer())
        self._cseq = request.cseq
        return request

    def _on_response(self, response: Response) -> None:
        if response.status < 200:
            return
        if response.status < 300:
            ack = self._dialog.request("ACK", cseq=response.cseq)
            self._line.send_plain(ack, self._dialog.next_hop)  # also when the 2xx comes again
        if self._done is None or response.cseq != self._cseq:
            return
        if response.status < 300:
            self._agreed(response)
        elif response.status == 491 and self._crossings < MAX_CROSSINGS:
            self._crossings += 1
            pause = random.uniform(*self._pause_t1) * self._line.timers.t1_seconds  # noqa: S311  # no secret
            self._retry = self._loop.call_later(pause, self._send)
        else:
            self._refused(response)

    def _agreed(self, response: Response) -> None:
        self._dialog.retarget(response)
        try:
            self._session.accept(response.body)
        except MessageError:
            self._line.counts["malformed"] += 1
            self._on_lost()
            return
        self.state = follow(HOLD_TABLE, self.state, HoldStep.AGREED)
        self._session.stream.held = self.state is Hold.HELD
        self._settle(None)

    def _refused(self, response: Response) -> None:
        self.state = follow(HOLD_TABLE, self.state, HoldStep.REFUSED)
        self._session.refused()
        self._session.hold(self.state is Hold.HELD)
        self._settle(ChangeRefused("hold", response.status, response.reason))
        if response.status in DIALOG_LOST:
            self._on_lost()

    def _settle(self, error: ChangeRefused | None) -> None:
        done, self._done = self._done, None
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if done is None or done.done():  # nobody waits any more
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

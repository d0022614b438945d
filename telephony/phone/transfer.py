"""Handing a call over: REFER, and the NOTIFYs that say what came of it (RFC 3515, RFC 3891, RFC 5589)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import quote

from hotline.telephony.phone.address import is_number, param_pair
from hotline.telephony.phone.dialog import Dialog
from hotline.telephony.phone.line import Line
from hotline.telephony.phone.message import VERSION, Response, reply
from hotline.telephony.phone.states import (
    TRANSFER_TABLE,
    ChangeRefused,
    Transfer,
    TransferStep,
    follow,
)
from hotline.telephony.phone.transactions import ServerTransaction


class Transferring:
    """The transfer of one call that is up. After a failure it may be tried again.

    Args:
        line: the phone.
        dialog: the call's.
        on_success: called when somebody else has the call: it is time to say BYE.
    """

    def __init__(self, line: Line, dialog: Dialog, on_success: Callable[[], None]) -> None:
        self.state = Transfer.IDLE
        self._line = line
        self._dialog = dialog
        self._on_success = on_success
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def ask(self, refer_to: str) -> asyncio.Future[None]:
        """Send the other side to an address; the future ends with success, or with `ChangeRefused`.

        Raises:
            CallStateError: a transfer is under way, or done.
        """
        self.state = follow(TRANSFER_TABLE, self.state, TransferStep.ASK)
        self._done = self._loop.create_future()
        fields = [("refer-to", f"<{refer_to}>"), ("referred-by", f"<{self._line.address_of_record}>")]
        self._line.send(
            lambda: self._dialog.request("REFER", extra=fields), self._dialog.next_hop, self._on_response
        )
        return self._done

    def on_notify(self, transaction: ServerTransaction) -> None:
        """Take a report."""
        request = transaction.request
        if self._done is None:
            transaction.respond(reply(request, 481))
            return
        status, reason = _fragment(request.body)
        state, _, params = request.headers.get("subscription-state").partition(";")
        final = status >= 200 or state.strip().lower() == "terminated"
        if not status and not final:
            self._line.counts["malformed"] += 1
            transaction.respond(reply(request, 400))
            return
        transaction.respond(reply(request, 200))
        if not final:
            self._step(TransferStep.PROGRESS)
            self._wait(_expires_seconds(params) or self._line.timers.lifetime_seconds)
        elif 200 <= status < 300:
            self._succeeded(TransferStep.SUCCEEDED)
        elif status >= 300:
            self._failed(status, reason)
        else:  # RFC 3515 section 2.4.5: the last report before the end was no result
            self._failed(408, "the report ended without a result")

    def close(self) -> None:
        """The call has ended; a transfer that was taken on counts as done, for its maker is released."""
        if TransferStep.RELEASED in TRANSFER_TABLE[self.state]:
            self._succeeded(TransferStep.RELEASED)
        elif self._done is not None:
            self._failed(487, "the call ended")

    def _on_response(self, response: Response) -> None:
        if response.status < 200 or self._done is None:
            return
        if response.status >= 300:
            self._failed(response.status, response.reason)
            return
        first = self.state is Transfer.ASKED
        self._step(TransferStep.TAKEN_ON)
        if first:  # RFC 3515 section 2.4.4: a first NOTIFY follows at once
            self._wait(self._line.timers.lifetime_seconds)

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, self._failed, 408, "no word of the outcome")

    def _step(self, step: TransferStep) -> None:
        self.state = follow(TRANSFER_TABLE, self.state, step)

    def _succeeded(self, step: TransferStep) -> None:
        self._step(step)
        done = self._forget()
        if done is not None and not done.done():
            done.set_result(None)
        if step is TransferStep.SUCCEEDED:
            self._on_success()

    def _failed(self, status: int, reason: str) -> None:
        self._step(TransferStep.FAILED)
        done = self._forget()
        if done is not None and not done.done():
            done.set_exception(ChangeRefused("transfer", status, reason))

    def _forget(self) -> asyncio.Future[None] | None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        done, self._done = self._done, None
        return done


def replacing(dialog: Dialog) -> str:
    """The address of a call's other side that has it drop that call for the new one (RFC 3891 section 3).

    Tags are named as the other side sees them: ``to-tag`` is its own.
    """
    value = f"{dialog.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"
    return f"{dialog.target}?Replaces={quote(value, safe='')}"


def _fragment(body: bytes) -> tuple[int, str]:
    """Status and reason of a ``message/sipfrag`` (RFC 3420); (0, "") when it has none."""
    line = body.decode("utf-8", "replace").partition("\r\n")[0]
    version, _, rest = line.partition(" ")
    code, _, reason = rest.strip().partition(" ")
    if version != VERSION or not is_number(code, 3) or not 100 <= int(code) <= 699:
        return 0, ""
    return int(code), reason


def _expires_seconds(params: str) -> int | None:
    """The ``expires`` of a Subscription-State."""
    value = dict(param_pair(param) for param in params.split(";")).get("expires", "")
    return int(value) if is_number(value, 5) else None

"""Drafts as the console shows and takes them: begun with what is known, hidden from those who merely look.

The phone, the address and numbers of persons in what was written are personal. Whole they are only for the
seat that has the call in hand (it rings or is talked on there, or is being wrapped up); everybody else,
supervisors too, sees them masked. What comes back as masked as it was shown was not changed, and what is
stored stays.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from hotline.agent_console.identity import Identity
from hotline.agent_console.ownership import Viewer, visible_live
from hotline.agent_console.room import Room
from hotline.agent_console.wire import mask_number
from hotline.config.orders import handling_unit
from hotline.core.drafts import Draft, DraftFields, StaleDraft
from hotline.core.events import DraftChanged
from hotline.core.sensitive import mask_numbers, numbers_put_back
from hotline.core.views import CallSummary

_DIGIT: Final = re.compile(r"\d")
_FREE_TEXTS: Final = ("name", "title", "content", "platform", "goods", "price")


def mask_digits(address: str) -> str:
    """An address without the numbers of house and flat."""
    return _DIGIT.sub("*", address)


async def shown_draft(room: Room, identity: Identity, call: CallSummary) -> Draft:
    """The call's draft as this user may see it; of revision 0 if nobody has saved one."""
    draft = await _stored(room, call)
    return draft if in_hand(room, identity, call.call_id) else _masked(draft)


async def save_draft(
    room: Room, identity: Identity, call: CallSummary, revision: int, fields: DraftFields
) -> Draft:
    """Save what this user wrote on ``revision`` of the draft, and tell the other pages.

    Raises:
        StaleDraft: another revision has been saved meanwhile; it holds that one as this user may see it.
    """
    user = identity.account.name
    before = await _stored(room, call)
    fields = _unmasked(fields, before)
    if before.updated_by != user:  # once for each who takes the pen, not for every second of typing
        await room.deps.audit.record(user, "draft", call.call_id)
    whole = in_hand(room, identity, call.call_id)
    try:
        saved = await room.deps.drafts.save(call.call_id, revision, fields, user)
    except StaleDraft as stale:
        raise stale if whole else StaleDraft(_masked(stale.current)) from None
    assert saved.updated_at is not None  # noqa: S101 - a saved draft has its moment
    room.deps.bus.publish(DraftChanged(call.call_id, saved.updated_at, saved.revision, user))
    return saved if whole else _masked(saved)


async def _stored(room: Room, call: CallSummary) -> Draft:
    site = room.deps.site
    found = await room.deps.drafts.of_call(call.call_id)
    if found is not None:
        return found
    line = next((line for line in site.lines if line.id == call.line), None)
    return Draft(call.call_id, 0, DraftFields(unit=handling_unit(site, line) if line else ""))


def in_hand(room: Room, identity: Identity, call_id: str) -> bool:
    """Whether this user's seat has the call: it rings or is talked on there, or is being wrapped up."""
    own = visible_live(room.hub.live(), Viewer(identity.account.name, False, identity.account.agent))
    return call_id in {call.call_id for call in own.calls} | {seat.call_id for seat in own.agents}


def _masked(draft: Draft) -> Draft:
    fields = draft.fields
    texts: dict[str, Any] = {name: mask_numbers(getattr(fields, name)) for name in _FREE_TEXTS}
    hidden = replace(fields, phone=mask_number(fields.phone), address=mask_digits(fields.address), **texts)
    return replace(draft, fields=hidden)


def _unmasked(fields: DraftFields, before: Draft) -> DraftFields:
    """What was written on a draft that may have been shown masked, with what was hidden put back."""
    stored, hidden = before.fields, _masked(before).fields
    texts: dict[str, Any] = {
        name: numbers_put_back(getattr(fields, name), getattr(stored, name)) for name in _FREE_TEXTS
    }
    return replace(
        fields,
        phone=stored.phone if fields.phone == hidden.phone else fields.phone,
        address=stored.address if fields.address == hidden.address else fields.address,
        **texts,
    )

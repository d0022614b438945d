"""The HTTP API of what calls are about.

As of drafts, telephone numbers and addresses are whole only for the seat that has the call in hand, and only
there anything is offered to the draft; so are all numbers that are masked in the text of a call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter

from hotline.agent_console.api import CallId, find_call, own_part
from hotline.agent_console.drafts import in_hand, mask_digits
from hotline.agent_console.routes import InRoom, Signed
from hotline.agent_console.wire import mask_number, to_json
from hotline.core.sensitive import mask_numbers
from hotline.core.understanding import CallPoints, Cite, Point, PointKind

router = APIRouter()


@router.get("/api/calls/{call_id}/points")
async def points(call_id: CallId, identity: Signed, room: InRoom) -> dict[str, Any]:
    """What the call is about; to an agent as far as it rests on the own part of it."""
    await find_call(room, identity, call_id)
    found = await room.deps.points.of_call(call_id)
    if found is None:
        return {"points": None, "proposals": []}
    part = await own_part(room, identity, call_id)
    if part is not None:
        segments = await room.deps.transcripts.of_call(call_id)
        own = {Cite(one.side, one.utterance) for one in segments if one.start_seconds < part.seconds}
        found = replace(found, points=tuple(one for one in found.points if own.issuperset(one.cites)))
    if not in_hand(room, identity, call_id):
        return {"points": to_json(_masked(found)), "proposals": []}
    return {"points": to_json(found), "proposals": to_json(room.deps.points.proposals(found))}


def _masked(found: CallPoints) -> CallPoints:
    places = [point.value for point in found.of(PointKind.PLACE)]
    return replace(found, points=tuple(_hidden(point, places) for point in found.points))


def _hidden(point: Point, places: list[str]) -> Point:
    if point.kind is PointKind.PHONE:
        return replace(point, value=mask_number(point.value))
    if point.kind is PointKind.PLACE:
        return replace(point, value=mask_digits(point.value))
    value = point.value
    if point.kind is PointKind.SUMMARY:
        for place in places:
            value = value.replace(place, mask_digits(place))
    return replace(point, value=mask_numbers(value))

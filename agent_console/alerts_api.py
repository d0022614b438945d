"""``GET /api/alerts``: what is wrong now, for supervisors."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from hotline.agent_console.routes import InRoom, Signed, supervisor
from hotline.agent_console.wire import to_json

router = APIRouter()


@router.get("/api/alerts")
async def alerts(identity: Signed, room: InRoom) -> dict[str, Any]:
    """The alerts that are raised now, oldest first."""
    supervisor(identity)
    return {"alerts": to_json(room.deps.alerts.active())}

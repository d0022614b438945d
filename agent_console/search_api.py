"""The HTTP API of searching what was said."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query

from hotline.agent_console.errors import ApiError
from hotline.agent_console.past_api import Limit, Moment, Name
from hotline.agent_console.routes import InRoom, Signed, supervisor
from hotline.agent_console.wire import mask_name, to_json
from hotline.core.errors import SetupError, UsageError
from hotline.core.sensitive import mask_alone
from hotline.core.text_search import LONGEST_QUERY
from hotline.core.views import CallFilter, FoundCalls

router = APIRouter()


@router.get("/api/transcripts/search")
async def search(
    identity: Signed,
    room: InRoom,
    q: Annotated[str, Query(min_length=1, max_length=LONGEST_QUERY)],
    limit: Limit = 20,
    before: Annotated[int | None, Query(ge=1)] = None,
    since: Moment = None,
    until: Moment = None,
    line: Name = None,
    agent: Name = None,
) -> Any:
    """Calls in which the words were said, an agent's own only; a supervisor's search is recorded first."""
    if agent is not None:
        supervisor(identity)
    if identity.supervisor:
        asked = {"line": line, "agent": agent, "since": since, "until": until, "before": before}
        detail = " ".join([mask_name(q), *(f"{name}={given}" for name, given in asked.items() if given)])
        await room.deps.audit.record(identity.account.name, "search_text", "", detail)
    elif identity.account.agent is None:
        return to_json(FoundCalls((), None, complete=True, catching_up=False))
    else:
        agent = identity.account.agent
    wanted = CallFilter(agent=agent, line=line, since=since, until=until)
    try:
        found = await room.deps.search.find(q, wanted, limit=limit, before=before)
        return to_json(_masked(found) if identity.supervisor else found)
    except UsageError as error:
        raise ApiError(400, "nothing_to_search", error.message, hint=error.hint) from error
    except SetupError as error:
        raise ApiError(503, "search_unavailable", error.message, hint=error.hint) from error


def _masked(found: FoundCalls) -> FoundCalls:
    """Without the numbers of persons, letter for letter; whoever may see them opens the call."""
    calls = [
        replace(
            call,
            utterances=tuple(replace(one, text=mask_alone(one.text)) for one in call.utterances),
        )
        for call in found.calls
    ]
    return replace(found, calls=tuple(calls))

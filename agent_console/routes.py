"""What routes share: the shape of bodies, who asks, and how the exchange's refusals are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Final, TypeVar

from fastapi import Depends
from pydantic import BaseModel, ConfigDict

from hotline.agent_console.errors import ApiError
from hotline.agent_console.identity import Identity
from hotline.agent_console.room import Room, room_of, signed_in
from hotline.core.errors import (
    ExchangeUnreachable,
    HotlineError,
    IllegalState,
    PeerError,
    SetupError,
    UnknownName,
)

EXCHANGE_SECONDS: Final = 10.0  # for Asterisk to carry out what was asked

NO_SUCH_CALL: Final = "there is no such call, or it is not yours"

T = TypeVar("T")
Signed = Annotated[Identity, Depends(signed_in)]
InRoom = Annotated[Room, Depends(room_of)]


class Body(BaseModel):
    """Common ground of request bodies: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


def seat_of(identity: Identity) -> str:
    """The seat of the site file that this account may take.

    Raises:
        ApiError: 403 ``no_seat``.
    """
    if identity.account.agent is None:
        raise ApiError(403, "no_seat", "this account has no seat", hint="ask a supervisor for one")
    return identity.account.agent


def supervisor(identity: Identity) -> str:
    """The name of a supervisor's account, for the audit log.

    Raises:
        ApiError: 403 ``forbidden``.
    """
    if not identity.supervisor:
        raise ApiError(403, "forbidden", "only supervisors may do this")
    return identity.account.name


async def asked_of_exchange(action: Awaitable[T]) -> T:
    """What came of ``action``.

    Raises:
        ApiError: 503 ``exchange_unreachable``, 404 ``not_found`` for what is not there, or 409 with the
            error's own code (``illegal_now`` if it has none) for what the present state forbids.
    """
    unreachable = "the exchange did not carry this out"
    try:
        async with asyncio.timeout(EXCHANGE_SECONDS):
            return await action
    except (ExchangeUnreachable, PeerError, SetupError) as error:
        raise ApiError(503, "exchange_unreachable", error.message or unreachable, hint=error.hint) from error
    except TimeoutError as error:
        raise ApiError(503, "exchange_unreachable", unreachable, hint="try again in a moment") from error
    except UnknownName as error:
        raise ApiError(404, "not_found", error.message or NO_SUCH_CALL, hint=error.hint) from error
    except HotlineError as error:
        code = error.code if isinstance(error, IllegalState) else "illegal_now"
        raise ApiError(409, code, error.message, hint=error.hint) from error

"""Errors as the API tells them: one shape, a code for programs, a sentence and a hint for people."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from hotline.core.errors import HotlineError, TookTooLong

log = logging.getLogger(__name__)

_HTTP_CODES = {
    400: "bad_request", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    413: "too_large", 415: "not_json",
}  # fmt: skip


class ApiError(HotlineError):
    """An answer other than success.

    Args:
        status: the HTTP status.
        code: the word in ``docs/console-api.md``.
        message: a sentence for a person.
        hint: what to do, if anything.
        headers: further response headers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


def error_response(error: ApiError) -> JSONResponse:
    """The response that tells ``error``."""
    body = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    return JSONResponse(body, status_code=error.status, headers=error.headers)


def install(app: FastAPI) -> None:
    """Make every error of ``app`` come out in the one shape; unexpected ones are the gate's."""

    @app.exception_handler(ApiError)
    async def _ours(_request: Request, error: ApiError) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        code = _HTTP_CODES.get(error.status_code, "error")
        return error_response(ApiError(error.status_code, code, str(error.detail), headers=error.headers))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        # the values are not repeated: one of them may be a password
        faults = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()[:5]]
        return error_response(ApiError(400, "bad_request", "; ".join(faults)))

    @app.exception_handler(TookTooLong)
    async def _too_long(_request: Request, error: TookTooLong) -> JSONResponse:
        return error_response(ApiError(503, error.code, error.message, hint=error.hint))

    @app.exception_handler(SQLAlchemyError)
    async def _database(_request: Request, error: SQLAlchemyError) -> JSONResponse:
        log.error("the database failed a console request: %s", type(error).__name__)
        return error_response(
            ApiError(
                503, "database_unavailable", "the database cannot be had now", hint="try again in a moment"
            )
        )

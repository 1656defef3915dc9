"""The one place where errors become answers: RFC 9457 problem documents."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from tutela.api.log import log, log_unforeseen
from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    LockedOutError,
    NotAgreedError,
    NotFoundError,
    NotPermittedError,
    NotSignedInError,
    OutOfTurnError,
    OverCapacityError,
    StorageError,
    TooLargeError,
    TooManyWaitError,
    TooSlowError,
    TutelaError,
)

MEDIA_TYPE = "application/problem+json"

_STATUS: dict[type[TutelaError], HTTPStatus] = {
    InvalidInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFoundError: HTTPStatus.NOT_FOUND,
    AlreadyExistsError: HTTPStatus.CONFLICT,
    OutOfTurnError: HTTPStatus.CONFLICT,
    NotAgreedError: HTTPStatus.CONFLICT,
    LockedOutError: HTTPStatus.TOO_MANY_REQUESTS,
    TooManyWaitError: HTTPStatus.TOO_MANY_REQUESTS,
    NotSignedInError: HTTPStatus.UNAUTHORIZED,
    NotPermittedError: HTTPStatus.FORBIDDEN,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooSlowError: HTTPStatus.REQUEST_TIMEOUT,
    OverCapacityError: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageError: HTTPStatus.SERVICE_UNAVAILABLE,
    TutelaError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
_HEADERS: dict[HTTPStatus, dict[str, str]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="tutela"'},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "1"},
}


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str = Field("about:blank", description="Always `about:blank`: the status says it.")
    title: str = Field(description="The status in words.", examples=["Forbidden"])
    status: int = Field(description="The HTTP status.", examples=[403])
    detail: str = Field(
        description="What is wrong and what to do about it, in one line.",
        examples=['the key "forum" lacks the scope "screen"'],
    )


def problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, object]]:
    """The entries of a route's ``responses`` for the problems that it may answer with."""
    return {
        int(status): {
            "description": status.phrase,
            "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
        }
        for status in statuses
    }


def answer(status: HTTPStatus, detail: str) -> JSONResponse:
    """A problem document."""
    problem = Problem(type="about:blank", title=status.phrase, status=status, detail=detail)
    return JSONResponse(
        problem.model_dump(), status, headers=_HEADERS.get(status), media_type=MEDIA_TYPE
    )


def answer_to(error: TutelaError) -> JSONResponse:
    """The problem document that tells a caller of an error."""
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    if isinstance(error, StorageError):
        # The message may name the database's address, which is not for callers.
        log.error("storage failed", reason=error.message)
        return answer(
            status, "Tutela's storage fails just now (its log says how): try again in a moment"
        )
    response = answer(status, error.message)
    if isinstance(error, LockedOutError):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def answer_to_one_who_left() -> Response:
    """What nobody reads any more, for the server's sake."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def add_error_answers(application: FastAPI) -> None:
    """Make every error of the application a problem document."""

    @application.exception_handler(TutelaError)
    def foreseen(_request: Request, error: TutelaError) -> JSONResponse:
        return answer_to(error)

    @application.exception_handler(RequestValidationError)
    def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        details = "; ".join(
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
            for each in error.errors()
        )
        return answer(HTTPStatus.UNPROCESSABLE_ENTITY, details)

    @application.exception_handler(HTTPException)
    def refused(_request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        detail = status.description if error.detail == status.phrase else str(error.detail)
        response = answer(status, detail or status.phrase)
        response.headers.update(error.headers or {})
        return response

    @application.exception_handler(ClientDisconnect)
    def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return answer_to_one_who_left()

    @application.exception_handler(Exception)
    def unforeseen(request: Request, error: Exception) -> JSONResponse:
        route = getattr(request.scope.get("route"), "path", "unknown")
        log_unforeseen(error, route)
        return answer(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "something went wrong here that Tutela did not foresee; the service's log says more",
        )

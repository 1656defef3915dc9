"""``/healthz``, ``/readyz`` and ``/metrics``: for those who watch over the service."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Response, Security
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, Field
from starlette.status import HTTP_503_SERVICE_UNAVAILABLE

from tutela.accounts.keys import require
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.metrics import CONTENT_TYPE, health_series, verdict_series
from tutela.api.problems import problems
from tutela.api.readiness import check_readiness
from tutela.api.service import Here, Permitted, bearer
from tutela.examination import How, examine

router = APIRouter(tags=["health"])
Reader = Annotated[ApiKey, Security(Permitted(Permission.SETTINGS_READ))]


class Alive(BaseModel):
    """The process answers."""

    status: str = Field("ok", examples=["ok"])


class CheckAnswer(BaseModel):
    """One thing that must work."""

    name: str = Field(examples=["database"])
    ok: bool
    detail: str = Field(examples=["SQLite answers"])


class Ready(BaseModel):
    """Whether requests can be served, and if not, why."""

    status: str = Field(description="`ready` or `not ready`.", examples=["ready"])
    checks: list[CheckAnswer]


@router.get("/healthz", summary="Is the process alive?")
async def alive() -> Alive:
    """Answers as soon as the process does. Needs no key."""
    return Alive(status="ok")


@router.get("/readyz", summary="Can it serve requests?", responses={503: {"model": Ready}})
def ready(service: Here, response: Response) -> Ready:
    """Asks database, index, cells, vault and ledger. Needs no key; 503 while one is amiss.

    The ledger alone does not make it 503: files are screened even while it cannot be signed.
    """
    checks = check_readiness(service)
    good = all(check.ok for check in checks if check.needed)
    if not good:
        response.status_code = HTTP_503_SERVICE_UNAVAILABLE
        response.headers["Retry-After"] = "1"
    return Ready(
        status="ready" if good else "not ready",
        checks=[CheckAnswer(name=check.name, ok=check.ok, detail=check.detail) for check in checks],
    )


class FindingAnswer(BaseModel):
    """What was found of one thing."""

    name: str = Field(description="What was looked at.", examples=["sandbox: landlock"])
    how: How = Field(description="`warning`: it works, but less well or less safely than it could.")
    detail: str = Field(description="A few words for operators.", examples=["holds"])
    advice: str | None = Field(description="What to do, where something is amiss.")


class Examination(BaseModel):
    """How the house is, looked over."""

    findings: list[FindingAnswer]


@router.get(
    "/v1/health",
    summary="Look the house over",
    responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
)
def look_over(service: Here, _key: Reader) -> Examination:
    """What `tutela doctor` says: machine, data, decoders, and each layer of the sandbox."""
    return Examination(
        findings=[
            FindingAnswer.model_validate(each.as_fields()) for each in examine(service.settings)
        ]
    )


@router.get(
    "/metrics",
    summary="Measurements for Prometheus",
    response_class=Response,
    responses={
        200: {"content": {CONTENT_TYPE: {"schema": {"type": "string"}}}},
        **problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
    },
    # Beside the key that its parameter asks for: none.
    openapi_extra={"security": [{}]},
)
async def metrics(
    service: Here,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Response:
    """Without a key: requests and the size of the lists, which tell nothing of any verdict.

    With a key that has the scope `metrics:read`: also times, and counts of verdicts, in all and
    by list.
    """
    series = await service.work(partial(health_series, service))
    if credentials is not None:
        require(await service.check_key(credentials.credentials), Permission.METRICS_READ)
        series += await service.work(partial(verdict_series, service))
    return Response(series, media_type=CONTENT_TYPE)

"""``/v1/settings``: what is configured, and where."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Security
from pydantic import BaseModel, Field

from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted
from tutela.storage.stated_settings import Source, state_settings

router = APIRouter(
    prefix="/v1/settings",
    tags=["settings"],
    responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.SETTINGS_READ))]


class SettingAnswer(BaseModel):
    """One setting as it is in force."""

    key: str = Field(description="Its name.", examples=["policy.max_distance"])
    value: str | None = Field(
        description="Its value as text; `null` if it has none, or if it is secret.", examples=["31"]
    )
    secret: bool = Field(description="Whether its value is never shown.")
    set: bool = Field(description="Whether it has a value.")
    source: Source = Field(description="Where the value comes from.")
    variable: str = Field(
        description="The environment variable that sets it.",
        examples=["TUTELA_POLICY__MAX_DISTANCE"],
    )
    meaning: str = Field(description="What it means.")


class SettingsAnswer(BaseModel):
    """Every setting."""

    settings: list[SettingAnswer]


@router.get("", summary="Every setting")
def show_settings(service: Here, _key: Reader) -> SettingsAnswer:
    """Its value, meaning and origin. Read-only: they are changed in `tutela.toml`.

    Passwords and other secrets are never given out, nor what stands before the `@` of an address.
    """
    return SettingsAnswer(
        settings=[
            SettingAnswer(
                key=each.key,
                value=each.value,
                secret=each.is_secret,
                set=each.is_set,
                source=each.source,
                variable=each.variable,
                meaning=each.meaning,
            )
            for each in state_settings(service.settings)
        ]
    )

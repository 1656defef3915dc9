"""The operator's official copy has the last word where there is one."""

import os
from importlib.resources import files
from pathlib import Path

import pytest

from tutela.errors import SettingsError
from tutela.reporting.cybertipline.choosing import schema_of
from tutela.reporting.cybertipline.schema import own_schema
from tutela.storage.settings import Reporting, load_settings

_OURS = (files("tutela.reporting.cybertipline") / "schema.xsd").read_bytes()


def test_without_an_official_copy_our_own_schema_decides(tmp_path: Path) -> None:
    assert schema_of(load_settings(data=tmp_path)) is own_schema()


def test_the_official_copy_is_taken_from_the_settings_and_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "official.xsd"
    path.write_bytes(_OURS)
    settings = load_settings(data=tmp_path, reporting=Reporting(cybertipline_schema=path))
    first = schema_of(settings)
    assert first.is_official
    assert schema_of(settings) is first
    path.write_bytes(_OURS.replace(b"Login", b"Sign-in"))
    os.utime(path, ns=(1, 1))
    anew = schema_of(settings)
    at = ("report", "personOrUserReported", "ipCaptureEvent", "eventName")
    assert "Sign-in" in anew.values(at)
    assert "Sign-in" not in first.values(at)


def test_a_copy_that_is_gone_stops_whoever_asks(tmp_path: Path) -> None:
    path = tmp_path / "official.xsd"
    settings = load_settings(data=tmp_path, reporting=Reporting(cybertipline_schema=path))
    with pytest.raises(SettingsError, match="cannot be read"):
        schema_of(settings)

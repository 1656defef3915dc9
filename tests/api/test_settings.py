"""``/v1/settings`` says what is in force and where it was set, and never a secret."""

import pytest
from pydantic import SecretStr

from tests.house import running_house
from tutela.accounts.permissions import Permission
from tutela.storage.settings import Mail, load_settings
from tutela.storage.stated_settings import Source, state_settings


def test_each_setting_says_its_value_its_meaning_and_where_it_was_set(
    data, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    file = tmp_path / "tutela.toml"
    file.write_text('[policy]\nmax_distance = 20\n[policy.lists."on trial"]\non_match = "count"\n')
    monkeypatch.setenv("TUTELA_CONFIG", str(file))
    monkeypatch.setenv("TUTELA_MAIL__PORT", "25")
    stated = {each.key: each for each in state_settings(load_settings(data=data))}
    assert (stated["policy.max_distance"].value, stated["policy.max_distance"].source) == (
        "20",
        Source.FILE,
    )
    assert stated["policy.lists.on trial.on_match"].value == "count"
    assert (stated["mail.port"].value, stated["mail.port"].source) == ("25", Source.ENVIRONMENT)
    assert stated["data"].source is Source.COMMAND_LINE
    assert stated["workers"].source is Source.DEFAULT
    assert all(each.meaning for each in stated.values())


def test_no_secret_and_no_password_in_an_address_is_given_out(data, clock) -> None:
    settings = load_settings(
        data=data,
        cells=1,
        mail=Mail(password=SecretStr("a-password")),
        ledger_timestamp_url="https://me:a-password@stamps.example/tsa",
    )
    with running_house(settings, clock) as house:
        answer = house.client.get("/v1/settings")
        stranger = house.client_with(*(set(Permission) - {Permission.SETTINGS_READ}))
        assert stranger.get("/v1/settings").status_code == 403
    assert answer.status_code == 200
    assert "a-password" not in answer.text
    shown = {each["key"]: each for each in answer.json()["settings"]}
    assert shown["mail.password"]["secret"]
    assert shown["mail.password"]["set"]
    assert shown["ledger_timestamp_url"]["value"] == "https://…@stamps.example/tsa"

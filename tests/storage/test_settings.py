"""Settings come from the right place, and a wrong one is named with its fix."""

from pathlib import Path

import pytest

from tutela.errors import SettingsError
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import OnMatch, load_settings, settings_file


def write(text: str) -> None:
    settings_file().write_text(text)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("port = 1\nworkers = 1\nmax_batch = 1\n")
    monkeypatch.setenv("TUTELA_PORT", "2")
    monkeypatch.setenv("TUTELA_WORKERS", "2")
    settings = load_settings(port=3, host=None)
    assert (settings.port, settings.workers, settings.max_batch) == (3, 2, 1)
    assert settings.host == "127.0.0.1"


def test_a_lists_policy_can_be_set_apart() -> None:
    write('[policy]\nmax_distance = 20\n[policy.lists."a partner"]\non_match = "count"\n')
    policy = load_settings().policy
    assert policy.max_distance == 20
    assert policy.lists["a partner"].on_match is OnMatch.COUNT


def test_the_environment_reaches_into_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTELA_POLICY__MIN_QUALITY", "60")
    assert load_settings().policy.min_quality == 60


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 1", r"tutela\.toml: prot: unknown setting; did you mean port\?"),
        ("port = 'many'", r"tutela\.toml: port: is 'many', but should be a whole number"),
        ("[policy]\non_match = 'blok'", r"is 'blok', but should be one of: block, pass, count"),
        ("[policy]\nmax_distance = 300", r"policy\.max_distance: is 300, which is more than 128"),
        ("[policy.lists.x]\nquality = 1", r"policy\.lists\.x\.quality: unknown.*min_quality"),
        ("jurisdiction = 'USA'", r"jurisdiction: is 'USA', but should be two capital letters"),
        ("port = = 1", r"is not valid TOML.*line 1"),
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(text: str, message: str) -> None:
    write(text)
    with pytest.raises(SettingsError, match=message):
        load_settings()


def test_a_wrong_variable_is_named_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTELA_PORT", "99999")
    with pytest.raises(SettingsError, match=r"^TUTELA_PORT in the environment: port: is '99999'"):
        load_settings()


def test_a_settings_file_that_was_named_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTELA_CONFIG", "/nowhere/tutela.toml")
    with pytest.raises(SettingsError, match="there is no such file"):
        load_settings()


def test_without_any_settings_the_data_is_in_a_folder_here() -> None:
    settings = load_settings()
    assert settings.data == Path("tutela-data")
    assert str(settings.database.database).endswith("/tutela-data/tutela.db")


def test_a_misspelt_variable_is_refused_but_other_words_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TUTELA_KEY", "for a script of mine")
    load_settings()
    monkeypatch.setenv("TUTELA_WORKER", "2")
    with pytest.raises(SettingsError, match=r"TUTELA_WORKER .*did you mean TUTELA_WORKERS\?"):
        load_settings()


@pytest.mark.parametrize("name", ["a folder", "q?x", "p%20z", "ü#1"])
def test_a_data_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    settings = load_settings(data=tmp_path / name)
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    database.close()
    assert (tmp_path / name / "tutela.db").stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == [name]

"""How a command ends."""

import pytest
import typer

from tutela.cli.main import COMMANDS, run
from tutela.errors import StorageError, TutelaError


def ending_with(error: BaseException) -> typer.Typer:
    commands = typer.Typer()

    @commands.command()
    def fail() -> None:
        raise error

    return commands


def while_clearing_away(error: Exception) -> Exception:
    error.__context__ = RuntimeError("the connection is in use")
    error.__context__.__context__ = KeyboardInterrupt()
    return error


@pytest.mark.parametrize("error", [StorageError("no room"), ValueError("a surprise")])
def test_a_failure_is_told_and_exits_with_2(error: Exception, capsys) -> None:
    assert run([], ending_with(error)) == 2
    said = capsys.readouterr().err
    assert said.splitlines()[-1].startswith("error: ")
    assert ("Traceback" in said) is not isinstance(error, TutelaError)


@pytest.mark.parametrize("error", [StorageError("no room"), ValueError("a surprise")])
def test_an_interruption_that_made_the_clearing_away_fail_exits_with_130(
    error: Exception, capsys
) -> None:
    assert run([], ending_with(while_clearing_away(error))) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_the_help_names_every_command(capsys) -> None:
    assert run(["--help"]) == 0
    said = capsys.readouterr().out.split()
    assert set(COMMANDS) <= set(said)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_tells_how_it_is_used(name: str, capsys) -> None:
    assert run([name, "--help"]) == 0
    assert f"Usage: tutela {name} " in capsys.readouterr().out


def test_a_command_that_is_mistyped_is_told_of_its_like(capsys) -> None:
    assert run(["lsit", "ls"]) == 2
    assert "'list'" in capsys.readouterr().err


def test_an_interruption_exits_with_130() -> None:
    assert run([], ending_with(KeyboardInterrupt())) == 130

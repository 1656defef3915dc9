"""Which server the settings mean, and by which credentials."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tutela.errors import SettingsError, StorageError
from tutela.reporting.model import Environment
from tutela.storage.secret_files import read_secret
from tutela.storage.settings import CyberTipline

# The official documentation, https://report.cybertip.org/ispws/documentation
_KNOWN = {
    Environment.TEST: "https://exttest.cybertip.org/ispws",
    Environment.LIVE: "https://report.cybertip.org/ispws",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server and who calls it.

    Attributes:
        base: Its address, to which the names of the calls are appended.
        user: The name to sign in by.
        password: The password.
        is_sandbox: Whether it only plays the authority.
        seconds: The time that it has to answer, or to take the next piece of a file.
    """

    base: str
    user: str
    password: str = field(repr=False)
    is_sandbox: bool
    seconds: float


def server_of(settings: CyberTipline) -> Server:
    """The server that the settings mean.

    Raises:
        SettingsError: They lack something, or contradict one another.
    """
    environment = Environment(settings.environment)
    return Server(
        base=_base(settings, environment),
        user=_given(settings.user, "user"),
        password=_password(settings),
        is_sandbox=environment is Environment.SANDBOX,
        seconds=settings.timeout_seconds,
    )


def _base(settings: CyberTipline, environment: Environment) -> str:
    if environment is not Environment.SANDBOX:
        if settings.address is not None:
            raise SettingsError(
                f"reporting.cybertipline.address: leave it out: that of {environment} is known"
            )
        return _KNOWN[environment]
    address = _given(settings.address, "address").rstrip("/")
    parts = urlsplit(address)
    known = {urlsplit(each).hostname for each in _KNOWN.values()}
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise SettingsError(
            "reporting.cybertipline.address: should look like http://127.0.0.1:8471/ispws"
        )
    if parts.hostname in known:
        raise SettingsError(
            "reporting.cybertipline.address: this is no sandbox: set environment to test or live"
        )
    return address


def _password(settings: CyberTipline) -> str:
    if settings.password_file is None:
        given = settings.password.get_secret_value() if settings.password else None
        return _given(given, "password")
    if settings.password is not None:
        raise SettingsError(
            "reporting.cybertipline: give password or password_file, not both of them"
        )
    try:
        return read_secret(settings.password_file).decode().strip()
    except FileNotFoundError:
        raise SettingsError(
            f"reporting.cybertipline.password_file: there is no file {settings.password_file}"
        ) from None
    except StorageError as error:
        raise SettingsError(f"reporting.cybertipline.password_file: {error.message}") from None
    except UnicodeDecodeError:
        raise SettingsError(
            "reporting.cybertipline.password_file: its content is no text"
        ) from None


def _given(value: str | None, name: str) -> str:
    if not value:
        raise SettingsError(f"reporting.cybertipline.{name}: is missing")
    return value

"""Amazon's library, which comes with the extra ``aws``."""

from types import ModuleType

from tutela.errors import SettingsError


def load_boto3(wanted_by: str) -> ModuleType:
    """The library.

    Raises:
        SettingsError: It is not installed.
    """
    try:
        import boto3  # noqa: PLC0415 - optional, and slow to import
    except ImportError:
        raise SettingsError(
            f'{wanted_by} needs the extra "aws": install it with pip install "tutela[aws]"'
        ) from None
    return boto3  # type: ignore[no-any-return]  # it has no types


SECONDS_TO_CONNECT = 5
SECONDS_TO_ANSWER = 30
# A key is a few bytes, and whoever uploads a match waits for it.
SECONDS_FOR_A_KEY = 5
TRIES_FOR_A_KEY = 2

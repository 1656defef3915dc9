"""Opening what watching streams needs, from the settings."""

from tutela.errors import SettingsError
from tutela.sandbox.watching_pool import WatchingPool
from tutela.screening.opening import keeping_of, limits_of
from tutela.storage.settings import Settings
from tutela.streams.allowing import Allowed


def allowed_by(settings: Settings) -> Allowed:
    """Where streams may come from.

    Raises:
        SettingsError: ``streams.sources`` or ``streams.ports`` cannot be understood.
    """
    try:
        return Allowed.of(settings.streams.sources, settings.streams.ports)
    except ValueError as error:
        raise SettingsError("streams: {error}", error=error) from None


def watching_pool(settings: Settings) -> WatchingPool:
    """Where streams are decoded."""
    return WatchingPool(limits_of(settings), keeping_of(settings))

"""The ways there are to authorities, by the settings."""

from collections.abc import Callable, Mapping

from tutela.reporting.delivery.channel import Channel, NeedsPersonError
from tutela.reporting.model import ChannelKind, Report
from tutela.storage.settings import Settings

Opening = Callable[[Report], Channel]
"""Opens the way that a report goes."""


class Channels:
    """Finds the channel of a report. Safe to share between threads.

    Args:
        settings: The configuration.
        openings: What opens each kind.
    """

    def __init__(self, settings: Settings, openings: Mapping[ChannelKind, Opening]) -> None:
        self._settings = settings
        self._openings = openings

    def find(self, report: Report) -> Channel:
        """The way that a report goes.

        Raises:
            NeedsPersonError: There is no such way here.
            WrongCredentialsError: The settings lack what it needs.
        """
        opening = self._openings.get(report.channel)
        if opening is None:
            raise NeedsPersonError(f"there is no channel {report.channel} here: choose another one")
        return opening(report)

    def submits_per_minute(self, channel: ChannelKind) -> int:
        """How many reports may begin to be sent in a minute by a channel."""
        if channel is ChannelKind.CYBERTIPLINE:
            return self._settings.reporting.cybertipline.submits_per_minute
        return _OTHERS_PER_MINUTE


_OTHERS_PER_MINUTE = 60

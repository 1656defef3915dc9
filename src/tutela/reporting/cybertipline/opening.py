"""Opening the way to the CyberTipline by the settings: once a process, when it is first needed."""

import threading

from tutela.errors import SettingsError
from tutela.reporting.delivery.channel import Channel, WrongCredentialsError
from tutela.reporting.delivery.channels import Opening
from tutela.reporting.model import Report
from tutela.storage.clock import Clock
from tutela.storage.settings import Settings


def cybertipline_opening(settings: Settings, clock: Clock) -> Opening:
    """What opens it.

    What is wrong with the settings stops the channel, and not the house.
    """
    opened: list[Channel] = []
    opening = threading.Lock()

    def find(_report: Report) -> Channel:
        with opening:
            if not opened:
                try:
                    opened.append(_open(settings, clock))
                except SettingsError as error:
                    raise WrongCredentialsError(error.message) from None
            return opened[0]

    return find


def _open(settings: Settings, clock: Clock) -> Channel:
    # Only here: XML takes its time to load, and most commands send nothing.
    from tutela.reporting.cybertipline.choosing import schema_of  # noqa: PLC0415
    from tutela.reporting.cybertipline.client import Client  # noqa: PLC0415
    from tutela.reporting.cybertipline.sending import CyberTiplineChannel  # noqa: PLC0415
    from tutela.reporting.cybertipline.server import server_of  # noqa: PLC0415

    client = Client(server_of(settings.reporting.cybertipline))
    return CyberTiplineChannel(client, schema_of(settings), clock)

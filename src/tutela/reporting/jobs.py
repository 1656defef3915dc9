"""The kinds of jobs of this room."""

from collections.abc import Iterator

from tutela.evidence.vault import Vault
from tutela.reporting.cybertipline.opening import cybertipline_opening
from tutela.reporting.delivery.alerting import alerting, alerting_of_stops
from tutela.reporting.delivery.channels import Channels
from tutela.reporting.delivery.delivering import delivering
from tutela.reporting.forgetting import forgetting
from tutela.reporting.letters.letterboxes import openings_of_letters
from tutela.reporting.model import ChannelKind
from tutela.storage.clock import Clock
from tutela.storage.jobs.model import Kind
from tutela.storage.settings import Settings


def kinds_of_reports(settings: Settings, vault: Vault, clock: Clock) -> Iterator[Kind]:
    """Sending reports, telling people of authorities that do not answer, and forgetting."""
    openings = {
        ChannelKind.CYBERTIPLINE: cybertipline_opening(settings, clock),
        **openings_of_letters(settings, vault.database, clock),
    }
    channels = Channels(settings, openings)
    yield delivering(settings, vault, channels, clock)
    yield alerting(settings, vault.database, clock)
    yield alerting_of_stops(settings, vault.database, clock)
    yield forgetting(vault.database, clock)

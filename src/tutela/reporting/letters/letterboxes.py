"""The ways by mail and by webhook to the authorities of the directory."""

from tutela.errors import InvalidInputError, NotFoundError
from tutela.evidence.disclosure.recipients import read_recipients
from tutela.reporting.authorities.model import Authority, channel_id
from tutela.reporting.authorities.model import Channel as Way
from tutela.reporting.authorities.standing import directory_now
from tutela.reporting.delivery.channel import WrongCredentialsError
from tutela.reporting.delivery.channels import Opening
from tutela.reporting.letters.letters import Addressee
from tutela.reporting.letters.sealed_mail import SealedMail
from tutela.reporting.letters.signed_webhook import SignedWebhook
from tutela.reporting.model import ChannelKind, Report
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings
from tutela.webhooks.addresses import checked_url
from tutela.webhooks.signing import is_secret


def openings_of_letters(
    settings: Settings, database: Database, clock: Clock
) -> dict[ChannelKind, Opening]:
    """What opens the ways by mail and by webhook.

    The directory is read anew each time, so that a change of an address or a key counts at once.
    """

    def mail(report: Report) -> SealedMail:
        way, addressee = _addressee(settings, database, report, ChannelKind.SEALED_MAIL)
        return SealedMail(settings, addressee, way.address, clock)

    def webhook(report: Report) -> SignedWebhook:
        way, addressee = _addressee(settings, database, report, ChannelKind.WEBHOOK)
        secrets = _secrets(settings, report.authority)
        try:
            url = checked_url(way.address, settings.webhooks.private_networks)
        except InvalidInputError as error:
            raise WrongCredentialsError(error.message) from None
        return SignedWebhook(settings, addressee, url, secrets, clock)

    return {ChannelKind.SEALED_MAIL: mail, ChannelKind.WEBHOOK: webhook}


def _addressee(
    settings: Settings, database: Database, report: Report, kind: ChannelKind
) -> tuple[Way, Addressee]:
    with database.reading() as connection:
        directory = directory_now(connection, settings)
    try:
        authority: Authority = directory.authority(report.authority)
        way = directory.channels[channel_id(authority.id, kind)]
    except (NotFoundError, KeyError):
        raise WrongCredentialsError(
            f"the directory has no {kind} to {report.authority}: set it"
        ) from None
    if not way.counts:
        raise WrongCredentialsError(
            f"nobody stands for the {kind} to {report.authority}: confirm it in the directory"
        )
    if not way.address or not way.recipients:
        raise WrongCredentialsError(
            f"the {kind} to {report.authority} lacks its address or its public key: set them"
        )
    try:
        recipients = read_recipients(way.recipients, way.id)
    except InvalidInputError as error:
        raise WrongCredentialsError(error.message) from None
    return way, Addressee(authority.name, recipients)


def _secrets(settings: Settings, authority: str) -> list[str]:
    kept = settings.reporting.webhook_secrets.get(authority)
    secrets = kept.get_secret_value().split() if kept else []
    if not secrets or not all(map(is_secret, secrets)):
        raise WrongCredentialsError(
            f"reporting.webhook_secrets has no secret for {authority} that can sign: it is whsec_ "
            "and 24 to 64 bytes in base 64"
        )
    return secrets

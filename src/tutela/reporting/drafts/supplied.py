"""What a platform supplies of those whom a confirmed case concerns: only what a channel knows.

The model is the content model's own, and forbids whatever it does not know: what is not asked for
is refused, and so never kept.
"""

from typing import Annotated

from pydantic import Field

from tutela.cases.joining import LONGEST_KEY
from tutela.reporting.cybertipline.model import (
    Content,
    DeviceId,
    IntendedRecipient,
    InternetDetails,
    IpCaptureEvent,
    PersonOrUserReported,
    Victim,
)
from tutela.reporting.cybertipline.values import Address, Flag, LongText, Moment

MOST = 100
"""How many people of one kind, or uploads, are supplied at once."""


class Upload(Content):
    """One of the case's uploads, as the platform knows it."""

    reference: Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)] = Field(
        description="What you called the upload when you sent it to be screened."
    )
    uploaded_at: Moment | None = Field(None, description="When it was uploaded, with a zone.")
    original_file_name: LongText | None = Field(
        None, description="The file's name, as it was uploaded to you."
    )
    location_of_file: Address | None = Field(None, description="Where it stood in your service.")
    publicly_available: Flag | None = Field(
        None, description="Whether anybody could see it in your service."
    )
    ip_capture_events: tuple[IpCaptureEvent, ...] = Field(
        (), max_length=MOST, description="The IP addresses it came from."
    )
    device_ids: tuple[DeviceId, ...] = Field(
        (), max_length=MOST, description="The devices it came from."
    )


class Supplied(Content):
    """All that a platform supplies for one case."""

    reported: PersonOrUserReported | None = Field(
        None, description="Whom the case is about: the account, and the person behind it."
    )
    intended_recipients: tuple[IntendedRecipient, ...] = Field(
        (), max_length=MOST, description="Whom it was sent to. Nobody else who was there."
    )
    victims: tuple[Victim, ...] = Field(
        (), max_length=MOST, description="The children who are concerned, as far as you know them."
    )
    internet_details: tuple[InternetDetails, ...] = Field(
        (), max_length=MOST, description="Where in your service it happened."
    )
    uploads: tuple[Upload, ...] = Field(
        (), max_length=MOST, description="What you know of the case's uploads. No others are taken."
    )

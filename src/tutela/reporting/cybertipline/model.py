"""What a report to the CyberTipline says: the whole ``<report>`` and the whole ``<fileDetails>``.

Names are the schema's in snake_case, in the plural where there may be several; where they differ
more, ``Element`` says so. Which order XML wants is the matter of the schema (``schema.xsd``), not
that of the fields here. Everything is immutable, goes to JSON and back, and forbids what it does
not know. The descriptions are shown as help in forms and in the API's documentation.
"""

from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tutela.reporting.cybertipline.values import (
    Address,
    Age,
    CallingCode,
    Country,
    Day,
    EmailText,
    FileNumber,
    Flag,
    IpAddress,
    Latitude,
    Longitude,
    LongText,
    Moment,
    Port,
    ReportNumber,
    ShortText,
    State,
    Text100,
    Text300,
    Words,
)
from tutela.reporting.cybertipline.vocabulary import (
    AddressType,
    DetailsType,
    EmailType,
    EventName,
    FileAnnotation,
    FileRelevance,
    IncidentType,
    IndustryClassification,
    PhoneType,
    ReportAnnotation,
)

MOST = 1_000
"""How many of one kind a report may list; Tutela's own limit."""


@dataclass(frozen=True, slots=True)
class Element:
    """Marks a field whose element does not bear the field's name.

    Attributes:
        name: The element's name.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """Marks a field that is an XML attribute of the model's element.

    Attributes:
        name: The attribute's name; empty for the field's in camelCase.
    """

    name: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Marks the field that is the text of the model's element, beside its attributes."""


class Content(BaseModel):
    """A part of a report."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Phone(Content):
    """A telephone number."""

    number: Annotated[Text100, Text()] = Field(description="The number, as it was given.")
    type: Annotated[PhoneType | None, Attribute()] = Field(None, description="What it is for.")
    verified: Annotated[Flag | None, Attribute()] = Field(
        None, description="Whether you made sure that it is theirs."
    )
    verification_date: Annotated[Moment | None, Attribute()] = Field(
        None, description="When you did."
    )
    country_calling_code: Annotated[CallingCode | None, Attribute()] = Field(
        None, description="The country's calling code, such as +1."
    )
    extension: Annotated[Text100 | None, Attribute()] = Field(None, description="The extension.")


class Email(Content):
    """An email address."""

    address: Annotated[EmailText, Text()] = Field(description="The address.")
    type: Annotated[EmailType | None, Attribute()] = Field(None, description="What it is for.")
    verified: Annotated[Flag | None, Attribute()] = Field(
        None, description="Whether you made sure that it is theirs."
    )
    verification_date: Annotated[Moment | None, Attribute()] = Field(
        None, description="When you did."
    )


class PostalAddress(Content):
    """A postal address."""

    address: ShortText | None = Field(None, description="Street and number.")
    city: ShortText | None = Field(None, description="The town.")
    zip_code: Text100 | None = Field(None, description="The postal code.")
    state: State | None = Field(
        None, description="The state's two capital letters, in the United States."
    )
    non_usa_state: ShortText | None = Field(
        None, description="The state or province, anywhere else."
    )
    country: Country | None = Field(
        None, description="The country's two capital letters (ISO 3166-1), such as US."
    )
    type: Annotated[AddressType | None, Attribute()] = Field(None, description="What it is for.")


class ContactPerson(Content):
    """Somebody who can be asked."""

    first_name: ShortText | None = Field(None, description="Their first name.")
    last_name: ShortText | None = Field(None, description="Their last name.")
    phones: Annotated[tuple[Phone, ...], Element("phone")] = Field(
        (), max_length=MOST, description="Their telephone numbers."
    )
    emails: Annotated[tuple[Email, ...], Element("email")] = Field(
        (), max_length=MOST, description="Their email addresses."
    )
    addresses: Annotated[tuple[PostalAddress, ...], Element("address")] = Field(
        (), max_length=MOST, description="Their postal addresses."
    )


class Person(ContactPerson):
    """A person, as far as you know them."""

    age: Age | None = Field(None, description="Their age in years.")
    age_assertion_discrepancy: Flag | None = Field(
        None, description="Whether the age that they gave seems not to be theirs."
    )
    date_of_birth: Day | None = Field(None, description="Their date of birth.")


class ReportingPerson(Person):
    """Who reports: it needs an email address."""

    emails: Annotated[tuple[Email, ...], Element("email")] = Field(
        min_length=1, max_length=MOST, description="Their email addresses; at least one."
    )


class IpCaptureEvent(Content):
    """An IP address, when it was seen and doing what."""

    ip_address: IpAddress = Field(description="The address, of version 4 or 6.")
    event_name: EventName | None = Field(None, description="What was done from it.")
    date_time: Moment | None = Field(None, description="When, with a zone.")
    possible_proxy: Flag | None = Field(
        None, description="Whether somebody else's address may stand before theirs."
    )
    port: Port | None = Field(None, description="The port, where many share the address.")


class DeviceId(Content):
    """A device, when it was seen and doing what."""

    id_type: ShortText = Field(description="What the number is, such as IMEI.")
    id_value: ShortText = Field(description="The number.")
    event_name: EventName | None = Field(None, description="What was done with it.")
    date_time: Moment | None = Field(None, description="When, with a zone.")


class EstimatedLocation(Content):
    """Where somebody seems to be."""

    city: ShortText | None = Field(None, description="The town.")
    region: ShortText | None = Field(None, description="The region.")
    country_code: Country = Field(
        description="The country's two capital letters (ISO 3166-1), such as US."
    )
    verified: Annotated[Flag | None, Attribute()] = Field(
        None, description="Whether you made sure of it."
    )
    timestamp: Annotated[Moment | None, Attribute()] = Field(
        None, description="When they were there, with a zone."
    )


class AccountTemporarilyDisabled(Content):
    """That an account was shut for a while."""

    disabled: Annotated[Flag, Text()] = Field(description="Whether it was.")
    disabled_date: Annotated[Moment | None, Attribute()] = Field(
        None, description="When it was shut, with a zone."
    )
    reenabled_date: Annotated[Moment | None, Attribute()] = Field(
        None, description="When it was or will be open again, with a zone."
    )


class AccountPermanentlyDisabled(Content):
    """That an account was shut for good."""

    disabled: Annotated[Flag, Text()] = Field(description="Whether it was.")
    disabled_date: Annotated[Moment | None, Attribute()] = Field(
        None, description="When it was shut, with a zone."
    )


class WebPageIncident(Content):
    """It happened on a web page."""

    urls: Annotated[tuple[Address, ...], Element("url")] = Field(
        (), max_length=MOST, description="The pages' addresses."
    )
    additional_info: LongText | None = Field(None, description="Anything else.")
    third_party_hosted_content: Flag | None = Field(
        None, description="Whether somebody else keeps what the page shows."
    )


class EmailIncident(Content):
    """It happened by email."""

    email_addresses: Annotated[tuple[Email, ...], Element("emailAddress")] = Field(
        (), max_length=MOST, description="The addresses that took part."
    )
    content: Words | None = Field(None, description="What was written.")
    additional_info: LongText | None = Field(None, description="Anything else.")


class NewsgroupIncident(Content):
    """It happened in a newsgroup."""

    name: ShortText | None = Field(None, description="The group's name.")
    email_addresses: Annotated[tuple[Email, ...], Element("emailAddress")] = Field(
        (), max_length=MOST, description="The addresses that took part."
    )
    content: Words | None = Field(None, description="What was written.")
    additional_info: LongText | None = Field(None, description="Anything else.")


class ChatImIncident(Content):
    """It happened in a chat or by messages."""

    chat_client: ShortText | None = Field(None, description="The service or program.")
    chat_room_name: ShortText | None = Field(None, description="The room's name.")
    content: Words | None = Field(None, description="What was written.")
    additional_info: LongText | None = Field(None, description="Anything else.")


class OnlineGamingIncident(Content):
    """It happened in a game."""

    game_name: ShortText | None = Field(None, description="The game.")
    console: ShortText | None = Field(None, description="What it is played on.")
    content: Words | None = Field(None, description="What was written.")
    additional_info: LongText | None = Field(None, description="Anything else.")


class CellPhoneIncident(Content):
    """It happened by a mobile phone."""

    phone_number: Phone | None = Field(None, description="The number.")
    latitude: Latitude | None = Field(None, description="Where: degrees north of the equator.")
    longitude: Longitude | None = Field(None, description="Where: degrees east of Greenwich.")
    additional_info: LongText | None = Field(None, description="Anything else.")


class NonInternetIncident(Content):
    """It did not happen on the net."""

    location_name: ShortText | None = Field(None, description="The place's name.")
    incident_addresses: Annotated[tuple[PostalAddress, ...], Element("incidentAddress")] = Field(
        (), max_length=MOST, description="The place's address."
    )
    additional_info: LongText | None = Field(None, description="Anything else.")


class Peer2peerIncident(Content):
    """It happened in a network of equals, where files are shared."""

    client: ShortText | None = Field(None, description="The program.")
    ip_capture_events: Annotated[tuple[IpCaptureEvent, ...], Element("ipCaptureEvent")] = Field(
        (), max_length=MOST, description="The IP addresses that took part."
    )
    file_names: Words | None = Field(None, description="The files' names.")
    additional_info: LongText | None = Field(None, description="Anything else.")


class InternetDetails(Content):
    """Where it happened: exactly one of these."""

    web_page_incident: WebPageIncident | None = Field(None, description="On a web page.")
    email_incident: EmailIncident | None = Field(None, description="By email.")
    newsgroup_incident: NewsgroupIncident | None = Field(None, description="In a newsgroup.")
    chat_im_incident: ChatImIncident | None = Field(None, description="In a chat or by messages.")
    online_gaming_incident: OnlineGamingIncident | None = Field(None, description="In a game.")
    cell_phone_incident: CellPhoneIncident | None = Field(None, description="By a mobile phone.")
    non_internet_incident: NonInternetIncident | None = Field(
        None, description="Not on the net at all."
    )
    peer2peer_incident: Peer2peerIncident | None = Field(
        None, description="In a network of equals."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                "needs exactly one kind of place"
                + (f", but has {len(given)}: begin another one for each" if given else "")
            )
        return self


class IncidentSummary(Content):
    """What happened, and when."""

    incident_type: IncidentType = Field(description="What kind of incident it is.")
    platform: ShortText | None = Field(None, description="On which platform it happened.")
    escalate_to_high_priority: LongText | None = Field(
        None,
        description="Why this cannot wait, such as a child in danger now. Whatever stands here "
        "puts the report forward: leave it out otherwise.",
    )
    report_annotations: tuple[ReportAnnotation, ...] = Field(
        (), description="What else is to be said of it."
    )
    incident_date_time: Moment = Field(
        description="When it happened or was found, with a zone, such as 2026-01-15T12:00:00Z."
    )
    incident_date_time_description: LongText | None = Field(
        None, description="What this moment is, such as that of the upload."
    )

    @field_validator("report_annotations")
    @classmethod
    def _in_order(cls, value: tuple[ReportAnnotation, ...]) -> tuple[ReportAnnotation, ...]:
        return tuple(each for each in ReportAnnotation if each in value)


class ServedLegalProcessInternational(Content):
    """Whether an authority abroad has served legal process about this."""

    served: Annotated[Flag, Text()] = Field(description="Whether one has.")
    flea_country: Annotated[Country | None, Attribute()] = Field(
        None, description="Of which country: two capital letters (ISO 3166-1)."
    )


class LawEnforcement(Content):
    """The authority that knows of it already."""

    agency_name: ShortText = Field(description="The authority's name.")
    case_number: Text100 | None = Field(None, description="Its own number of the case.")
    officer_contact: ContactPerson | None = Field(None, description="Who works on it there.")
    reported_to_le: Flag | None = Field(None, description="Whether you told them of it.")
    served_legal_process_domestic: Flag | None = Field(
        None, description="Whether one of the United States has served legal process about this."
    )
    served_legal_process_international: ServedLegalProcessInternational | None = Field(
        None, description="Whether one abroad has."
    )


class Reporter(Content):
    """Who reports."""

    reporting_person: ReportingPerson = Field(description="Who answers for the report.")
    contact_person: ContactPerson | None = Field(
        None, description="Whom law enforcement asks, if it is somebody else."
    )
    company_template: LongText | None = Field(
        None, description="The template of yours at the CyberTipline."
    )
    terms_of_service: LongText | None = Field(
        None, description="The part of your terms that this breaks."
    )
    legal_url: Annotated[Address | None, Element("legalURL")] = Field(
        None, description="Where your guide for law enforcement stands."
    )


class PersonOrUserReported(Content):
    """Whom the report is about: a person, an account, or both."""

    person: Annotated[Person | None, Element("personOrUserReportedPerson")] = Field(
        None, description="The person, as far as you know them."
    )
    vehicle_description: Text300 | None = Field(None, description="Their vehicle.")
    esp_identifier: ShortText | None = Field(
        None, description="The account's number in your service: it never changes."
    )
    esp_service: Text100 | None = Field(None, description="Which of your services it is.")
    compromised_account: Flag | None = Field(
        None, description="Whether somebody else seems to have taken the account over."
    )
    screen_name: ShortText | None = Field(None, description="The account's name.")
    display_names: Annotated[tuple[ShortText, ...], Element("displayName")] = Field(
        (), max_length=MOST, description="The names that others see."
    )
    profile_urls: Annotated[tuple[Address, ...], Element("profileUrl")] = Field(
        (), max_length=MOST, description="Where the profile stands."
    )
    profile_bio: LongText | None = Field(None, description="What the profile says of them.")
    ip_capture_events: Annotated[tuple[IpCaptureEvent, ...], Element("ipCaptureEvent")] = Field(
        (), max_length=MOST, description="The IP addresses it was used from."
    )
    device_ids: Annotated[tuple[DeviceId, ...], Element("deviceId")] = Field(
        (), max_length=MOST, description="The devices it was used with."
    )
    third_party_user_reported: Flag | None = Field(
        None, description="Whether it is an account of another service than yours."
    )
    prior_ct_reports: Annotated[tuple[ReportNumber, ...], Element("priorCTReports")] = Field(
        (), max_length=MOST, description="Earlier reports about them, by the authority's numbers."
    )
    group_identifier: ShortText | None = Field(None, description="The group they act in.")
    account_temporarily_disabled: AccountTemporarilyDisabled | None = Field(
        None, description="Whether the account was shut for a while."
    )
    account_permanently_disabled: AccountPermanentlyDisabled | None = Field(
        None, description="Whether the account was shut for good."
    )
    estimated_location: EstimatedLocation | None = Field(None, description="Where they seem to be.")
    all_emails_reported: Flag | None = Field(
        None, description="Whether these are all the email addresses of theirs that you know."
    )
    additional_info: LongText | None = Field(None, description="Anything else.")


class IntendedRecipient(Content):
    """Whom it was meant for."""

    person: Annotated[Person | None, Element("intendedRecipientPerson")] = Field(
        None, description="The person, as far as you know them."
    )
    esp_identifier: ShortText | None = Field(
        None, description="The account's number in your service: it never changes."
    )
    esp_service: Text100 | None = Field(None, description="Which of your services it is.")
    compromised_account: Flag | None = Field(
        None, description="Whether somebody else seems to have taken the account over."
    )
    screen_name: ShortText | None = Field(None, description="The account's name.")
    display_names: Annotated[tuple[ShortText, ...], Element("displayName")] = Field(
        (), max_length=MOST, description="The names that others see."
    )
    profile_urls: Annotated[tuple[Address, ...], Element("profileUrl")] = Field(
        (), max_length=MOST, description="Where the profile stands."
    )
    profile_bio: LongText | None = Field(None, description="What the profile says of them.")
    ip_capture_events: Annotated[tuple[IpCaptureEvent, ...], Element("ipCaptureEvent")] = Field(
        (), max_length=MOST, description="The IP addresses it was used from."
    )
    device_ids: Annotated[tuple[DeviceId, ...], Element("deviceId")] = Field(
        (), max_length=MOST, description="The devices it was used with."
    )
    prior_ct_reports: Annotated[tuple[ReportNumber, ...], Element("priorCTReports")] = Field(
        (), max_length=MOST, description="Earlier reports about them, by the authority's numbers."
    )
    group_identifier: ShortText | None = Field(None, description="The group they act in.")
    account_temporarily_disabled: AccountTemporarilyDisabled | None = Field(
        None, description="Whether the account was shut for a while."
    )
    account_permanently_disabled: AccountPermanentlyDisabled | None = Field(
        None, description="Whether the account was shut for good."
    )
    estimated_location: EstimatedLocation | None = Field(None, description="Where they seem to be.")
    all_emails_reported: Flag | None = Field(
        None, description="Whether these are all the email addresses of theirs that you know."
    )
    additional_info: LongText | None = Field(None, description="Anything else.")


class Victim(Content):
    """A child who is concerned."""

    person: Annotated[Person, Element("victimPerson")] = Field(
        description="The child, as far as you know them."
    )
    esp_identifier: ShortText | None = Field(
        None, description="The account's number in your service: it never changes."
    )
    esp_service: Text100 | None = Field(None, description="Which of your services it is.")
    compromised_account: Flag | None = Field(
        None, description="Whether somebody else seems to have taken the account over."
    )
    screen_name: ShortText | None = Field(None, description="The account's name.")
    display_names: Annotated[tuple[ShortText, ...], Element("displayName")] = Field(
        (), max_length=MOST, description="The names that others see."
    )
    profile_urls: Annotated[tuple[Address, ...], Element("profileUrl")] = Field(
        (), max_length=MOST, description="Where the profile stands."
    )
    profile_bio: LongText | None = Field(None, description="What the profile says of them.")
    ip_capture_events: Annotated[tuple[IpCaptureEvent, ...], Element("ipCaptureEvent")] = Field(
        (), max_length=MOST, description="The IP addresses it was used from."
    )
    device_ids: Annotated[tuple[DeviceId, ...], Element("deviceId")] = Field(
        (), max_length=MOST, description="The devices it was used with."
    )
    school_name: ShortText | None = Field(None, description="The child's school.")
    prior_ct_reports: Annotated[tuple[ReportNumber, ...], Element("priorCTReports")] = Field(
        (), max_length=MOST, description="Earlier reports about them, by the authority's numbers."
    )
    estimated_location: EstimatedLocation | None = Field(None, description="Where they seem to be.")
    all_emails_reported: Flag | None = Field(
        None, description="Whether these are all the email addresses of theirs that you know."
    )
    additional_info: LongText | None = Field(None, description="Anything else.")


class Report(Content):
    """A report."""

    incident_summary: IncidentSummary = Field(description="What happened, and when.")
    internet_details: tuple[InternetDetails, ...] = Field(
        (), max_length=MOST, description="Where it happened."
    )
    law_enforcement: LawEnforcement | None = Field(
        None, description="The authority that knows of it already."
    )
    reporter: Reporter = Field(description="Who reports.")
    person_or_user_reported: PersonOrUserReported | None = Field(
        None, description="Whom the report is about."
    )
    intended_recipients: Annotated[tuple[IntendedRecipient, ...], Element("intendedRecipient")] = (
        Field((), max_length=MOST, description="Whom it was meant for.")
    )
    victims: Annotated[tuple[Victim, ...], Element("victim")] = Field(
        (), max_length=MOST, description="The children who are concerned."
    )
    additional_info: LongText | None = Field(None, description="Anything else.")


class OriginalFileHash(Content):
    """A hash of the file as it was uploaded to you."""

    value: Annotated[ShortText, Text()] = Field(description="The hash.")
    hash_type: Annotated[Text100, Attribute()] = Field(description="Its kind, such as MD5.")


class NameValuePair(Content):
    """One named value."""

    name: ShortText = Field(description="Its name.")
    value: LongText = Field(description="Its value.")


class Details(Content):
    """Named values of a file."""

    type: Annotated[DetailsType, Attribute()] = Field(description="What they are.")
    name_value_pairs: Annotated[tuple[NameValuePair, ...], Element("nameValuePair")] = Field(
        min_length=1, max_length=MOST, description="The values."
    )


class FileDescription(Content):
    """What is said of one file, before the authority has it."""

    original_file_name: LongText | None = Field(
        None, description="The file's name, as it was uploaded to you."
    )
    uploaded_to_esp_timestamp: Moment | None = Field(
        None, description="When it was uploaded to you, with a zone."
    )
    location_of_file: Address | None = Field(None, description="Where it stood in your service.")
    file_viewed_by_esp: Flag | None = Field(
        description="Whether a person of yours viewed the entire file before reporting it. It "
        "decides whether the police need a warrant to look, so it is what the review's record "
        "says and nothing else; null says nothing.",
    )
    exif_viewed_by_esp: Flag | None = Field(
        description="Whether a person of yours read all of the file's EXIF data before reporting "
        "it; null says nothing.",
    )
    publicly_available: Flag | None = Field(
        None, description="Whether anybody could see it in your service."
    )
    file_relevance: FileRelevance | None = Field(
        None,
        description="Whether it is what is reported, which it is if nothing is said, or only helps "
        "to understand it.",
    )
    file_annotations: tuple[FileAnnotation, ...] = Field(
        (), description="What else is to be said of it."
    )
    industry_classification: IndustryClassification | None = Field(
        None, description="How you classify it. Only a file that is itself reported has one."
    )
    original_file_hashes: Annotated[tuple[OriginalFileHash, ...], Element("originalFileHash")] = (
        Field((), max_length=MOST, description="Its hashes, as it was uploaded to you.")
    )
    ip_capture_events: Annotated[tuple[IpCaptureEvent, ...], Element("ipCaptureEvent")] = Field(
        (), max_length=MOST, description="The IP addresses it came from."
    )
    device_ids: Annotated[tuple[DeviceId, ...], Element("deviceId")] = Field(
        (), max_length=MOST, description="The devices it came from."
    )
    details: tuple[Details, ...] = Field(
        (), max_length=MOST, description="Its named values: EXIF data, other hashes."
    )
    additional_infos: Annotated[tuple[LongText, ...], Element("additionalInfo")] = Field(
        (), max_length=MOST, description="Anything else."
    )

    @field_validator("file_annotations")
    @classmethod
    def _in_order(cls, value: tuple[FileAnnotation, ...]) -> tuple[FileAnnotation, ...]:
        return tuple(each for each in FileAnnotation if each in value)

    @property
    def is_reported(self) -> bool:
        """Whether the file itself is what is reported."""
        return self.file_relevance in {None, FileRelevance.REPORTED}

    @model_validator(mode="after")
    def _fits_its_relevance(self) -> Self:
        if self.is_reported:
            return self
        if self.industry_classification is not None:
            raise ValueError(
                "only a file that is itself reported may have an industry classification"
            )
        if FileAnnotation.POTENTIAL_MEME in self.file_annotations:
            raise ValueError("only a file that is itself reported may be a potential meme")
        return self

    def uploaded(self, report_id: int, file_id: str) -> "FileDetails":
        """The same of the file as the authority has it.

        Args:
            report_id: Its number of the open report.
            file_id: Its name for the file.

        Raises:
            ValidationError: It could not have given such a number or name.
        """
        said = {name: getattr(self, name) for name in FileDescription.model_fields}
        return FileDetails(report_id=report_id, file_id=file_id, **said)


class FileDetails(FileDescription):
    """What is said of one uploaded file."""

    report_id: ReportNumber = Field(description="The authority's number of the open report.")
    file_id: FileNumber = Field(description="The authority's name for the uploaded file.")

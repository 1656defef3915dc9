"""Every setting, its meaning, its default and where it may be set.

Values come, the first that has one winning, from the command line, from the environment
(``TUTELA_PORT``, ``TUTELA_POLICY__MAX_DISTANCE``) and from ``tutela.toml`` in the working folder
(or the file that ``TUTELA_CONFIG`` names). The reference in ``docs/configuration.md`` is written
from this module.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from tutela.errors import SettingsError
from tutela.refusing import words_of_refusal

ENVIRONMENT_PREFIX = "TUTELA_"
FILE_NAME = "tutela.toml"


class OnMatch(StrEnum):
    """What a match with a list means for the file."""

    BLOCK = "block"
    """Open a case, and answer "match" so that the service keeps the file back."""
    PASS = "pass"  # noqa: S105 - a verb, not a password
    """Open a case for the reviewers, and answer "clear" so that nobody outside is told."""
    COUNT = "count"
    """Only count it: for a list that is being tried out."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ListPolicy(_Section):
    """Overrides for one list; what is left out follows ``policy``."""

    on_match: OnMatch | None = Field(None, description="`block`, `pass` or `count`.")
    max_distance: int | None = Field(
        None, ge=0, le=128, description="Greatest number of differing PDQ bits that is a match."
    )
    min_quality: int | None = Field(
        None, ge=0, le=100, description="PDQ quality below which a picture is not compared."
    )
    min_video_percent: int | None = Field(
        None, ge=1, le=100, description="Share of frames in common that makes two videos match."
    )


class Policy(_Section):
    """What a match means."""

    on_match: OnMatch = Field(
        OnMatch.BLOCK,
        description="`block`: open a case and answer “match”. `pass`: open a case and answer "
        "“clear”. `count`: only count.",
    )
    max_distance: int = Field(
        31,
        ge=0,
        le=128,
        description="Greatest number of differing PDQ bits (of 256) that is a match. "
        "31 is the industry's usual threshold.",
    )
    min_quality: int = Field(
        50,
        ge=0,
        le=100,
        description="PDQ quality below which a picture is too flat to be compared by PDQ. "
        "Exact digests are always compared.",
    )
    min_video_percent: int = Field(
        80,
        ge=1,
        le=100,
        description="Two videos match by vPDQ if at least this share of the frames of either, in "
        "percent, is in the other. 80 is what Meta publishes.",
    )
    lists: dict[str, ListPolicy] = Field(
        default_factory=dict,
        description='Overrides per list, as `[policy.lists."name"]` with the same keys.',
    )


class OnUnreadable(StrEnum):
    """What becomes of a file that could not be looked at, and matches nothing that is known."""

    REFUSE = "refuse"
    """The service is told not to take it."""
    PASS = "pass"  # noqa: S105 - a verb, not a password
    """The service is told that it may take it. It is counted."""
    QUEUE = "queue"
    """A case is opened, for a person to look."""


def _on(default: OnUnreadable, where: str) -> Any:
    return Field(default, description=f"What becomes of a file where this is so: {where}.")


class OnEachUnreadable(_Section):
    """What becomes of files that could not be looked at, by the reason."""

    damaged: OnUnreadable = _on(OnUnreadable.REFUSE, "it is damaged")
    ends_early: OnUnreadable = _on(OnUnreadable.REFUSE, "its data ends early")
    too_large: OnUnreadable = _on(OnUnreadable.REFUSE, "something in it is too large")
    too_many_pixels: OnUnreadable = _on(OnUnreadable.REFUSE, "it has too many pixels")
    too_slow: OnUnreadable = _on(OnUnreadable.REFUSE, "it took too long to decode")
    too_much_memory: OnUnreadable = _on(OnUnreadable.REFUSE, "it took too much memory to decode")
    crashed: OnUnreadable = _on(OnUnreadable.REFUSE, "it crashed the decoder")
    attack: OnUnreadable = _on(OnUnreadable.REFUSE, "it made its decoder try what none does")
    not_supported: OnUnreadable = _on(OnUnreadable.PASS, "it cannot be decoded here")
    encrypted: OnUnreadable = _on(OnUnreadable.PASS, "it is encrypted")
    bomb: OnUnreadable = _on(OnUnreadable.REFUSE, "it unpacks to far more than it is")
    too_deep: OnUnreadable = _on(OnUnreadable.REFUSE, "something lies too deep within other files")
    too_many: OnUnreadable = _on(OnUnreadable.REFUSE, "it has too many parts")
    empty: OnUnreadable = _on(OnUnreadable.PASS, "it is named as a picture, and is empty")
    wrong_name: OnUnreadable = _on(
        OnUnreadable.REFUSE, "it is named as a picture, and its content is something else"
    )
    not_read: OnUnreadable = _on(
        OnUnreadable.REFUSE, "its bytes cannot be read, so that it cannot be queued either"
    )

    cut_short: OnUnreadable = _on(
        OnUnreadable.REFUSE,
        "it is the rest of a video that was left out, since it matched, and the entry that it "
        "matched was withdrawn in that very moment",
    )

    @field_validator("not_read")
    @classmethod
    def _not_queued(cls, value: OnUnreadable) -> OnUnreadable:
        if value is OnUnreadable.QUEUE:
            raise ValueError("`refuse` or `pass`: there is nothing to keep for a person")
        return value

    def of(self, reason: str) -> OnUnreadable:
        """What becomes of a file for this reason, one of the names above."""
        on: OnUnreadable = getattr(self, reason)
        return on


class MailSecurity(StrEnum):
    """How the way to the mail server is kept from others' eyes."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Mail(_Section):
    """How mail is sent."""

    server: str = Field("localhost", description="The mail server (SMTP).")
    port: int = Field(587, ge=1, le=65535, description="Its port.")
    security: MailSecurity = Field(
        MailSecurity.STARTTLS,
        description="`starttls`, `tls` from the first byte, or `none`, for a server on this "
        "machine.",
    )
    user: str | None = Field(None, description="The name to sign in by, if it wants one.")
    password: SecretStr | None = Field(None, description="The password to sign in by.")
    sender: str = Field("tutela@localhost", description="The address that mail comes from.")


class SecondFactor(StrEnum):
    """Whether people need more than a password."""

    REQUIRED = "required"
    OPTIONAL = "optional"


class Console(_Section):
    """The pages that people work with, and how they sign in to them."""

    address: str | None = Field(
        None,
        description="Where people find the pages, such as `https://tutela.organisation.example`. "
        "Default: `http://` with `host` and `port`. Passkeys and single sign-on depend on it.",
    )
    session_idle_minutes: int = Field(
        30, ge=1, le=1440, description="After so many minutes of silence a person is signed out."
    )
    session_hours: int = Field(
        12, ge=1, le=168, description="After so many hours a person signs in anew in any case."
    )
    proof_minutes: int = Field(
        15,
        ge=1,
        le=720,
        description="For so many minutes after signing in, or after showing again that it is them, "
        "a person may do what asks for that: see evidence, disclose it, change who may do what.",
    )
    second_factor: SecondFactor = Field(
        SecondFactor.REQUIRED,
        description="`required`: nobody works without a passkey or a code besides their password. "
        "`optional`: whoever wants one has one.",
    )


class SecondLookFor(StrEnum):
    """Which decisions a second person looks at, always."""

    NOT_CONFIRMED_DIGEST = "not_confirmed_digest"
    """"Not confirmed" where a list has the very file."""
    NOT_CONFIRMED = "not_confirmed"
    """Every "not confirmed"."""
    CONFIRMED_UNLISTED = "confirmed_unlisted"
    """"Confirmed" where no list has it: nobody but one person says so."""
    CONFIRMED = "confirmed"
    """Every "confirmed"."""


class Review(_Section):
    """How people decide on cases."""

    hold_minutes: int = Field(
        15,
        ge=1,
        le=480,
        description="How long a case is a person's own after the last sign of them, in minutes.",
    )
    undo_seconds: int = Field(
        60,
        ge=0,
        le=3600,
        description="How long a decision can be undone by whoever took it, in seconds. Nobody "
        "outside is told of a decision before.",
    )
    second_look_percent: int = Field(
        5,
        ge=0,
        le=100,
        description="How many of 100 decisions a second person looks at, drawn by lot, without "
        "knowing the first one's decision.",
    )
    second_look_for: tuple[SecondLookFor, ...] = Field(
        (SecondLookFor.NOT_CONFIRMED_DIGEST,),
        description="Which decisions a second person always looks at: `not_confirmed_digest` (a "
        "list has the very file), `not_confirmed`, `confirmed_unlisted` (no list has it), "
        "`confirmed`.",
    )
    due_hours: int | None = Field(
        None,
        ge=1,
        le=8760,
        description="Within how many hours a case has to be decided, if the law or you want that: "
        "it is put forward, and the pages say until when. Ask your counsel which law applies.",
    )
    label_schemes: Path | None = Field(
        None,
        description="A folder of label schemes of your own, which add to Tutela's or replace them; "
        "see [cases](cases.md#labels).",
    )
    appeal_words_days: int = Field(
        180,
        ge=1,
        le=3650,
        description="How long what a person wrote in an appeal is kept after the decision, in "
        "days.",
    )


class SingleSignOn(_Section):
    """Another house of the organisation that says who people are (OpenID Connect)."""

    issuer: str | None = Field(
        None,
        description="The provider's address, as it calls itself, such as "
        "`https://login.example/realms/staff`. Without it there is no single sign-on.",
    )
    client_id: str | None = Field(None, description="What the provider calls this house.")
    client_secret: SecretStr | None = Field(
        None, description="The secret that the provider gave to this house, if it wants one."
    )
    name: str = Field(
        "single sign-on",
        min_length=1,
        max_length=60,
        description="What people call the provider; it stands on the button.",
    )
    scopes: str = Field("openid email", description="What is asked for of the provider.")
    counts_as_second_factor: bool = Field(
        False,
        description="Whether the provider asks for a second step itself, so that none is asked for "
        "here.",
    )
    roles_claim: str | None = Field(
        None,
        description="The claim that holds a person's groups there, such as `groups` or "
        "`realm_access.roles`. Without it, roles are given here, and never taken from there.",
    )
    roles: dict[str, str] = Field(
        default_factory=dict,
        description="Which group there has which role here, in `[single_sign_on.roles]`. At each "
        "sign-in a person gets these roles and no other.",
    )


class Webhooks(_Section):
    """How the platform is told of what people decide."""

    private_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        default_factory=tuple,
        description="Networks of your own that webhooks may go to, such as "
        '`["127.0.0.0/8", "10.1.0.0/16"]`. Without it they only go to public addresses, by https. '
        "To these they may also go by http.",
    )
    timeout_seconds: int = Field(
        10, ge=1, le=60, description="Time that a receiver has to answer, in seconds."
    )
    give_up_hours: int = Field(
        72,
        ge=1,
        le=720,
        description="How long what a receiver does not take is tried again, in hours.",
    )
    rotation_hours: int = Field(
        24,
        ge=1,
        le=720,
        description="How long the old secret signs beside the new one after a rotation, in hours.",
    )
    keep_days: int = Field(
        30, ge=1, le=3650, description="How long the log of deliveries is kept, in days."
    )
    alert_to: str | None = Field(
        None,
        description="Whom to write a mail to when a receiver does not answer any more (see "
        "`mail`). Without it, only the log and the pages say so.",
    )


class Links(_Section):
    """How addresses are fetched, to screen what is there."""

    fetch: bool = Field(
        False,
        description="Whether anything is fetched at all, for keys with the scope `screen:fetch` "
        'that ask for it by `"fetch": true`. Addresses are looked up in lists without it.',
    )
    max_mib: int = Field(
        50, ge=1, le=16_384, description="Largest file that is fetched, in MiB, as it comes."
    )
    seconds: int = Field(
        20,
        ge=1,
        le=600,
        description="Time that fetching may take in all, from the first name that is looked up to "
        "the last byte, redirects included, in seconds.",
    )
    redirects: int = Field(
        5, ge=0, le=20, description="How often an address may point to another one."
    )
    ports: tuple[int, ...] = Field(
        (80, 443), description="The ports that are asked at. Those of all others are refused."
    )
    at_once: int = Field(
        8,
        ge=1,
        le=1_000,
        description="So many are fetched at once by one server process. Above it, callers get 503 "
        "with `Retry-After`. One API key has half of them at most, and at least one.",
    )
    user_agent: str | None = Field(
        None,
        max_length=300,
        pattern=r"^[!-~]([ -~]*[!-~])?$",
        description="What the house calls itself to whom it asks. Default: "
        "`tutela/VERSION (child protection; screens what it is asked to)`, which is honest, and by "
        "which a server may show it something else than it shows people.",
    )
    private_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        default_factory=tuple,
        description='Networks of your own that may be fetched from, such as `["10.1.7.0/24"]` '
        "with your media server in it. All other addresses have to be public.",
    )
    refused_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        default_factory=tuple,
        description="Public networks that are not fetched from all the same: your own ones, where "
        "they let your machines in where they keep others out.",
    )
    proxy: SecretStr | None = Field(
        None,
        description="A proxy that everything is fetched through, such as "
        "`http://proxy.organisation.example:3128`. It looks names up, so it has to refuse "
        "private addresses: see [links](links.md#through-a-proxy).",
    )


class ReportsTo(StrEnum):
    """How real the reports to the CyberTipline are."""

    SANDBOX = "sandbox"
    """They go to a server that only plays the authority, at ``address``."""
    TEST = "test"
    """They go to the authority's own test system."""
    LIVE = "live"
    """They go to the authority."""


class CyberTipline(_Section):
    """How reports reach NCMEC's CyberTipline."""

    environment: ReportsTo = Field(
        ReportsTo.SANDBOX,
        description="`sandbox`: to a server that only plays the authority, at `address`. `test`: "
        "to the CyberTipline's own test system. `live`: to the CyberTipline, once somebody has "
        "said so by `tutela report go-live`.",
    )
    address: str | None = Field(
        None,
        description="Where the sandbox is, such as `http://127.0.0.1:8471/ispws`. Those of `test` "
        "and `live` are known.",
    )
    user: str | None = Field(None, description="The name that NCMEC gave you to sign in by.")
    password: SecretStr | None = Field(None, description="The password that belongs to it.")
    password_file: Path | None = Field(
        None,
        description="A file that holds the password instead, which no other user of the machine "
        "may read.",
    )
    submits_per_minute: int = Field(
        60,
        ge=1,
        le=6000,
        description="How many reports may begin to be sent in a minute, by all processes together.",
    )
    timeout_seconds: int = Field(
        60,
        ge=1,
        le=3600,
        description="Time that the CyberTipline has to answer, or to take the next piece of a "
        "file, in seconds.",
    )


class Company(_Section):
    """Who reports, as it stands in every report."""

    service: str | None = Field(
        None,
        max_length=100,
        description="What your service is called, such as `Example Forum`.",
    )
    email: str | None = Field(
        None,
        max_length=254,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="The mail address of whoever answers for your reports. Nothing is reported to "
        "the CyberTipline without one.",
    )
    first_name: str | None = Field(
        None, min_length=1, max_length=255, description="Their first name."
    )
    last_name: str | None = Field(
        None, min_length=1, max_length=255, description="Their last name."
    )
    phone: str | None = Field(
        None, min_length=1, max_length=100, description="Their telephone number."
    )
    contact_email: str | None = Field(
        None,
        max_length=254,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="The mail address of whomever law enforcement asks, if it is somebody else.",
    )
    contact_first_name: str | None = Field(
        None, min_length=1, max_length=255, description="Their first name."
    )
    contact_last_name: str | None = Field(
        None, min_length=1, max_length=255, description="Their last name."
    )
    contact_phone: str | None = Field(
        None, min_length=1, max_length=100, description="Their telephone number."
    )
    template: str | None = Field(
        None,
        min_length=1,
        max_length=3000,
        description="What the authority has agreed with you to put into each report about your "
        "company.",
    )
    terms_of_service: str | None = Field(
        None,
        min_length=1,
        max_length=3000,
        description="The part of your terms that this breaks.",
    )
    legal_url: str | None = Field(
        None,
        min_length=1,
        max_length=2083,
        description="Where your guide for law enforcement stands.",
    )


class Approval(StrEnum):
    """Which reports a second person agrees to before they are sent."""

    NEVER = "never"
    """None: whoever signs has it sent."""
    UNLISTED = "unlisted"
    """Those of cases of which no list has anything: nobody but people of the house say so."""
    ALWAYS = "always"
    """All of them, also those that would go by themselves."""


class Automatic(_Section):
    """Which reports go without a person."""

    incidents: tuple[str, ...] = Field(
        (),
        description="Kinds of incident, such as `csam`, whose reports go without a person: only of "
        "cases of which each item is, to the bit, on one of `lists`. Empty: none. Read [what it "
        "means in law](reporting.md#without-a-person) first.",
    )
    lists: tuple[str, ...] = Field(
        (), description="The names of the lists of known material on which that may rest."
    )
    wait_minutes: int = Field(
        30,
        ge=0,
        le=10_080,
        description="How long your platform has to supply what it knows before such a report "
        "goes, in minutes.",
    )


class Reporting(_Section):
    """How cases reach the authorities."""

    establishment: str | None = Field(
        None,
        description="The country where your service is established, such as `US` (ISO 3166-1): it "
        "decides [to whom a case goes](authorities.md). Without it, nothing that depends on it "
        "applies, and no clock of it runs.",
    )
    authorities: Path | None = Field(
        None,
        description="A TOML file of your own authorities and duties, which add to Tutela's or "
        "replace them; see [authorities](authorities.md#your-own-file).",
    )
    mail_mebibytes: int = Field(
        20,
        ge=1,
        le=1024,
        description="How large a [mail with a report](reporting-by-mail.md) may be, in MiB. Most "
        "mail servers take 20 to 50.",
    )
    webhook_mebibytes: int = Field(
        200,
        ge=1,
        le=10_240,
        description="How large a report to an authority's webhook may be, in MiB.",
    )
    webhook_secrets: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="What signs reports to the webhooks of authorities: by each authority's id a "
        "secret that begins with `whsec_`, or two with a space between, while one takes the place "
        "of the other; see [reports by mail and webhook](reporting-by-mail.md#by-webhook).",
    )
    feedback_secrets: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="What authorities sign by what they [say of reports](reporting-follow-up.md): "
        "by each authority's id a secret that begins with `whsec_`, or two with a space between, "
        "while one takes the place of the other.",
    )
    within_hours: int = Field(
        24,
        ge=1,
        le=8760,
        description="Within how many hours of its confirmation you want a case reported where the "
        "law asks for haste and gives no number of hours.",
    )
    alert_before_hours: int = Field(
        6,
        ge=0,
        le=8760,
        description="So many hours before a case has to be reported, an alert is raised if it has "
        "not been.",
    )
    alert_to: str | None = Field(
        None,
        description="Whom to write a mail to then, and when an authority takes no reports any more "
        "(see `mail`). Without it, only the pages say so.",
    )
    cybertipline: CyberTipline = Field(
        default_factory=CyberTipline, description="How reports reach the CyberTipline."
    )
    cybertipline_schema: Path | None = Field(
        None,
        description="Your copy of the official schema of the [CyberTipline](cybertipline.md)'s "
        "interface, which is what `GET /xsd` answers there. Reports are then written and checked "
        "by it; without it, by a schema of Tutela's own.",
    )

    company: Company = Field(
        default_factory=Company, description="Who reports, as it stands in every report."
    )
    approval: Approval = Field(
        Approval.NEVER,
        description="Which signed reports a second person agrees to before they are sent: `never`, "
        "`unlisted` (of cases of which no list has anything) or `always`.",
    )
    automatic: Automatic = Field(
        default_factory=Automatic, description="Which reports go without a person."
    )
    supplied_days: int = Field(
        30,
        ge=1,
        le=365,
        description="How long what your platform supplied of those concerned is kept after the "
        "case was reported, in days. What was sent is evidence, and kept as that.",
    )

    @field_validator("webhook_secrets", "feedback_secrets")
    @classmethod
    def _are_secrets(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for secrets in value.values():
            if not secrets.get_secret_value().split():
                raise ValueError("a secret is missing: it begins with whsec_")
        return value

    @field_validator("establishment")
    @classmethod
    def _is_a_country(cls, value: str | None) -> str | None:
        if value is None or re.fullmatch("[A-Z]{2}", value):
            return value
        raise ValueError("a country's two capital letters (ISO 3166-1), such as US or DE")


class Statistics(_Section):
    """What the public is shown."""

    public: bool = Field(
        False,
        description="Whether anybody may read the counts of past months at `/transparency` and "
        "`/v1/statistics`.",
    )


class Care(_Section):
    """How much a person may be shown, and when they rest."""

    enough_items: int = Field(
        40,
        ge=1,
        description="After so many items revealed in a day (in part or whole, each counted once) a "
        "person is kindly asked to stop looking for today.",
    )
    most_items: int = Field(
        80, ge=1, description="After so many items in a day nothing more is shown to a person."
    )
    enough_minutes: int = Field(
        45,
        ge=1,
        description="After so many minutes of looking in a day, as `enough_items`. Only the time "
        "counts while something is in sight.",
    )
    most_minutes: int = Field(
        90, ge=1, description="After so many minutes of looking in a day, as `most_items`."
    )
    break_after_minutes: int = Field(
        50,
        ge=1,
        description="After so many minutes of work with cases without a rest, a break is due: no "
        "next case is given and nothing is shown.",
    )
    break_after_severe: int = Field(
        10, ge=1, description="After so many items of severe cases without a rest, the same."
    )
    break_minutes: int = Field(10, ge=1, le=240, description="How long such a break is.")
    help: str = Field(
        "",
        max_length=2000,
        description="Whom your people can turn to, and how, as it stands on the page about their "
        "wellbeing: such as the number of a counsellor who knows this work.",
    )
    largest_mib: int = Field(
        512,
        ge=1,
        le=16_384,
        description="Largest file that is shown to a person, in MiB. It is opened in memory.",
    )


class VideoSampling(StrEnum):
    """Which frames of a video are looked at."""

    SECONDS = "seconds"
    KEY_FRAMES = "key_frames"
    SCENES = "scenes"


class Sandbox(_Section):
    """How untrusted files are kept apart, and what opening one up may cost beside one picture."""

    strict: bool = Field(
        False,
        description="Whether nothing is opened where a layer of the sandbox is lacking: then "
        "`tutela serve` and `tutela scan` do not start. See [the sandbox](sandbox.md).",
    )
    jobs: int = Field(
        5_000,
        ge=1,
        le=1_000_000,
        description="After so many files a cell is ended and a new one takes its place.",
    )

    whole_seconds: int = Field(
        300,
        ge=1,
        le=86_400,
        description="Time that a file may take with all that is found in it, such as the members "
        "of an archive, in seconds. `decode_seconds` is for each picture.",
    )
    cpu_seconds: int = Field(
        300,
        ge=1,
        le=86_400,
        description="The same, in seconds of a processor's time.",
    )
    frames: int = Field(
        64,
        ge=1,
        le=100_000,
        description="Of a moving picture or one of many pages, so many frames or pages are looked "
        "at, evenly spread.",
    )
    video_sampling: VideoSampling = Field(
        VideoSampling.SECONDS,
        description="Which frames of a video are looked at. `seconds`: one of every second, those "
        "that Meta's vPDQ library takes. `key_frames`: those that the others are made from, at "
        "most one of every second; many times quicker, and many fewer. `scenes`: the first of "
        "every scene. See [videos](videos.md).",
    )
    video_frames: int = Field(
        20_000,
        ge=1,
        le=50_000,
        description="Of a video, so many frames are looked at. With one of every second, 20,000 "
        "are five hours and a half.",
    )
    video_frames_if_matched: int = Field(
        600,
        ge=0,
        le=50_000,
        description="Of a video in a file that is a match already, no more than so many frames are "
        "looked at; 600 are ten minutes, at one a second. 0: the first match is the last frame. As "
        "many as `video_frames`: all of it is looked at. See [videos](videos.md).",
    )
    parts: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="So many parts of one file are looked at: members of archives, pictures in "
        "documents, frames of what is no video.",
    )
    depth: int = Field(
        3,
        ge=1,
        le=16,
        description="How deep archives may lie in one another. With 1, an archive in an archive is "
        "not opened.",
    )
    ratio: int = Field(
        200,
        ge=1,
        le=100_000,
        description="How many times its packed size something may unpack to before it counts as a "
        "bomb. It is held against what unpacks to more than `freely_unpacked_mib`.",
    )
    freely_unpacked_mib: int = Field(
        64,
        ge=0,
        le=1_048_576,
        description="So much may be unpacked whatever its ratio, in MiB: flat pictures pack well.",
    )
    unpacked_mib: int = Field(
        4_096,
        ge=1,
        le=1_048_576,
        description="How much may be unpacked in all from one file, in MiB.",
    )


class Streams(_Section):
    """How live streams are watched."""

    sources: tuple[str, ...] = Field(
        (),
        description="The hosts that streams may come from, and nowhere else, whatever a playlist "
        "says: names, all names in a domain, addresses and networks, such as "
        '`["media.example.org", "*.live.example.org", "10.1.0.0/16"]`. Empty: the API takes no '
        "streams.",
    )
    ports: tuple[int | str, ...] = Field(
        (80, 443, 1935, 1936, 8080, 8443, 8888),
        description="The ports there that streams may come from, and spans of ports: "
        '`[1935, "9000-9100"]`. Those of all others are not connected to, so that whoever may name '
        "streams cannot find out what else your media servers' network has.",
    )
    at_once: int = Field(
        100,
        ge=0,
        le=10_000,
        description="Streams that one server process watches at once. The others wait until "
        "another process takes them, or one is over.",
    )
    every_seconds: float = Field(
        1.0,
        gt=0,
        le=3600,
        description="Of so many seconds of a stream one key frame is looked at, and one frame "
        "between key frames.",
    )
    again_minutes: int = Field(
        10,
        ge=1,
        le=1440,
        description="After how many minutes the same entry of a list is told of again, while a "
        "stream goes on to match it.",
    )
    give_up_minutes: int = Field(
        10,
        ge=1,
        le=1440,
        description="For how many minutes a source that is lost is tried again, before the stream "
        "has ended.",
    )


class Settings(BaseSettings):
    """The whole configuration of one Tutela installation."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
    )

    data: Path = Field(
        Path("tutela-data"),
        description="The one folder that holds Tutela's state. Made at first start.",
    )
    database_url: str | None = Field(
        None,
        description="`postgresql://user:password@host/name` to use PostgreSQL; "
        "without it, SQLite in the data folder.",
    )
    secrets: Path | None = Field(
        None,
        description="The folder that holds Tutela's secret keys, apart from what they protect. "
        "Default: beside the data folder, under its name with `.keys`.",
    )
    vault_key: str = Field(
        "file",
        description="What wraps the keys of evidence: `file`, for `vault.key` in the folder of "
        "keys; or `aws-kms:` and the ARN of a key of AWS KMS, or its alias as `alias/NAME`.",
    )
    kms_endpoint: str | None = Field(
        None, description="Address of the KMS, if it is not Amazon's own for the region."
    )
    blob_url: str | None = Field(
        None,
        description="`s3://bucket/prefix` to keep sealed evidence there; "
        "without it, in `vault` in the data folder.",
    )
    s3_endpoint: str | None = Field(
        None, description="Address of the S3 server, if it is not Amazon's own for the region."
    )
    organisation: str = Field(
        "",
        max_length=300,
        description="Your organisation's name, as it stands on what is handed to an authority.",
    )
    host: str = Field("127.0.0.1", description="Address that the service listens on.")
    port: int = Field(8470, ge=0, le=65535, description="Port that the service listens on.")
    workers: int = Field(
        1, ge=1, le=256, description="Server processes. Each has its own decoding cells."
    )
    cells: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)),
        ge=1,
        le=256,
        description="Decoding processes for each server process or scan. "
        "Default: one for each core.",
    )
    max_upload_mib: int = Field(
        100, ge=1, le=16_384, description="Largest upload to `/v1/screen`, in MiB."
    )
    max_batch: int = Field(
        1_000, ge=1, le=100_000, description="Most items in one call of `/v1/screen/batch`."
    )
    max_waiting: int = Field(
        64,
        ge=1,
        le=100_000,
        description="Screenings of files that may be under way or waiting in one server process, "
        "and as many of fingerprints. Above it, callers get 503 with `Retry-After` at once instead "
        "of a slow answer.",
    )
    max_held_mib: int = Field(
        1_024,
        ge=1,
        le=1_048_576,
        description="Uploads that one server process holds in memory at once, in MiB. Above it, "
        "callers get 503 with `Retry-After`.",
    )
    upload_seconds: int = Field(
        60, ge=1, le=3600, description="Time that a caller has to send a request, in seconds."
    )
    max_pixels: int = Field(
        100_000_000,
        ge=1,
        description="Largest picture that is decoded, in pixels. A larger one is “unreadable”.",
    )
    decode_memory_mib: int = Field(
        2_048, ge=256, description="Memory that one decoding cell may use, in MiB."
    )
    decode_seconds: int = Field(
        20, ge=1, le=3600, description="Time that decoding one picture may take, in seconds."
    )
    merge_memory_mib: int = Field(
        2_048,
        ge=64,
        description="Memory that tidying the index up in the background may use, in MiB. With "
        "less, lists of millions of hashes are kept in more pieces and looked up more slowly.",
    )
    jurisdiction: str | None = Field(
        None,
        description="Whose law says how long evidence is kept, such as `US`; see "
        "[retention](retention.md). Without it, evidence is kept until a person decides.",
    )
    retention_rules: Path | None = Field(
        None,
        description="A TOML file of your own retention rules, which add to Tutela's or replace "
        "them; see [retention](retention.md).",
    )
    max_clock_gap_days: int = Field(
        3,
        ge=1,
        le=365,
        description="If more days than this lie between two daily looks at what is due to be "
        "destroyed, nothing is destroyed until a person says that the machine's clock is right.",
    )
    ledger_checkpoints: str | None = Field(
        None,
        description="The second place, where the ledger's signed checkpoints are written: a folder "
        "(best on another machine), `s3://bucket/prefix`, or `mailto:person@organisation.example` "
        "(see `mail`). Default: `checkpoints` in the folder of keys.",
    )
    ledger_checkpoint_every: int = Field(
        1_000,
        ge=1,
        description="A checkpoint is written after so many entries at the latest; and after an "
        "hour, and at the end of the service and of commands, if anything was entered.",
    )
    ledger_timestamp_url: str | None = Field(
        None,
        description="Address of a time-stamping authority (RFC 3161) that is asked to confirm when "
        "each checkpoint was there. It is sent a hash and nothing else.",
    )
    ledger_timestamp_certificates: Path | None = Field(
        None,
        description="The time-stamping authority's root certificates, as PEM, by which its answers "
        "are checked.",
    )
    mail: Mail = Field(default_factory=Mail, description="How mail is sent.")
    console: Console = Field(
        default_factory=Console, description="The pages that people work with."
    )
    sandbox: Sandbox = Field(
        default_factory=Sandbox, description="How untrusted files are kept apart."
    )
    streams: Streams = Field(default_factory=Streams, description="How live streams are watched.")
    care: Care = Field(
        default_factory=Care, description="How much a person may be shown, and when they rest."
    )
    job_threads: int = Field(
        4,
        ge=0,
        le=256,
        description="Jobs that one server process, or `tutela job work`, does at once in the "
        "background. With 0 server processes do none: run `tutela job work` beside them.",
    )
    drain_seconds: int = Field(
        20,
        ge=0,
        le=3600,
        description="How long a stopping process waits for the jobs that it is doing, in seconds. "
        "What has not ended by then is given back, for another process to do.",
    )
    policy: Policy = Field(default_factory=Policy, description="What a match means.")
    unreadable: OnEachUnreadable = Field(
        default_factory=OnEachUnreadable,
        description="What becomes of files that could not be looked at: `refuse`, `pass` or "
        "`queue`, by the reason.",
    )
    review: Review = Field(default_factory=Review, description="How people decide on cases.")
    single_sign_on: SingleSignOn = Field(
        default_factory=SingleSignOn, description="Another house that says who people are."
    )

    links: Links = Field(
        default_factory=Links, description="How addresses are fetched, to screen what is there."
    )
    webhooks: Webhooks = Field(
        default_factory=Webhooks,
        description="How the platform is told of what people decide.",
    )
    reporting: Reporting = Field(
        default_factory=Reporting, description="How cases reach the authorities."
    )
    statistics: Statistics = Field(
        default_factory=Statistics, description="What the public is shown."
    )

    @field_validator("jurisdiction")
    @classmethod
    def _is_a_code(cls, value: str | None) -> str | None:
        if value is None or re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", value):
            return value
        raise ValueError(
            "two capital letters (ISO 3166-1), such as US, or with a part of it, such as US-CA"
        )

    @property
    def database(self) -> URL:
        """Where the database is.

        Raises:
            SettingsError: ``database_url`` cannot be understood.
        """
        if self.database_url is None:
            return URL.create("sqlite", database=str((self.data / "tutela.db").absolute()))
        try:
            url = make_url(self.database_url)
        except (ArgumentError, ValueError):
            url = None
        if url is None or url.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
            raise SettingsError(
                "database_url: write it as postgresql://user:password@host/name "
                "(or leave it out for SQLite in the data folder)"
            )
        return url.set(drivername="postgresql+psycopg")

    @property
    def address(self) -> str:
        """Where people find the pages, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.console.address or f"http://{host}:{self.port}").rstrip("/")

    @property
    def keys_folder(self) -> Path:
        """The folder of secret keys: never inside the data folder, whose copies go elsewhere."""
        data = self.data.absolute()
        return self.secrets or data.with_name(f"{data.name}.keys")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no .env files: one way only
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment, then mounted secrets, then the file."""
        file = InitSettingsSource(settings_cls, file_values())
        return init_settings, env_settings, file_secret_settings, file


def load_settings(**overrides: object) -> Settings:
    """Read and check the whole configuration.

    Args:
        overrides: Values from the command line; ``None`` means not given.

    Raises:
        SettingsError: Names the key, where it is set, and the fix.
    """
    _refuse_misspelt_variables()
    given = {key: value for key, value in overrides.items() if value is not None}
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None
    except ValueError as error:  # pydantic-settings: an environment value that is not JSON
        raise SettingsError(f"settings from the environment: {error}") from None
    _ = settings.database
    return settings


def settings_file() -> Path:
    """The settings file that applies here, whether it exists or not."""
    return Path(os.environ.get(f"{ENVIRONMENT_PREFIX}CONFIG", FILE_NAME))


def file_values() -> dict[str, Any]:
    """What the settings file says; nothing if there is none.

    Raises:
        SettingsError: It cannot be read or understood.
    """
    path = settings_file()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if f"{ENVIRONMENT_PREFIX}CONFIG" in os.environ:
            raise SettingsError(
                f"{path}: there is no such file; correct {ENVIRONMENT_PREFIX}CONFIG or unset it"
            ) from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"{path}: cannot be read: {reason}") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not valid TOML: {error}") from None


def _refuse_misspelt_variables() -> None:
    # Other programs may use the prefix too, so only what nearly is a setting's name is refused.
    others = ("config", "key")
    known = [f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in (*Settings.model_fields, *others)]
    for variable in os.environ:
        section = variable.partition("__")[0]
        if variable.startswith(ENVIRONMENT_PREFIX) and section not in known:
            near = difflib.get_close_matches(section, known, n=1, cutoff=0.85)
            if near:
                raise SettingsError(
                    f"{variable} in the environment: unknown setting; did you mean {near[0]}?"
                )


def _explain(error: ValidationError) -> str:
    return "; ".join(_explain_one(dict(detail)) for detail in error.errors())


def _explain_one(detail: dict[str, Any]) -> str:
    location = [str(part) for part in detail["loc"]]
    key = ".".join(location)
    where = _origin(location)
    if detail["type"] == "extra_forbidden":
        known = list(_known_keys(location[:-1]))
        near = difflib.get_close_matches(location[-1], known, n=1)
        fix = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
        return f"{where}{key}: unknown setting; {fix}"
    words = words_of_refusal(detail)
    if detail["type"] == "missing":
        return f"{where}{key}: {words}"
    given = f"{where}{key}: is {detail['input']!r}"
    if detail["type"] == "value_error":
        # What a setting's own check says is what it should be.
        return f"{given}, but should be {words}"
    return f"{given}, but {words}" if words.startswith("should") else f"{given}, which {words}"


def _origin(location: list[str]) -> str:
    variable = ENVIRONMENT_PREFIX + "__".join(location).upper()
    if variable in os.environ:
        return f"{variable} in the environment: "
    try:
        value: object = file_values()
    except SettingsError:
        return ""
    for part in location:
        if not isinstance(value, dict) or part not in value:
            return ""
        value = value[part]
    return f"{settings_file()}: "


def _known_keys(section: list[str]) -> Iterator[str]:
    if section[:2] == ["policy", "lists"]:
        yield from ListPolicy.model_fields
        return
    model: type[BaseModel] = Settings
    for name in section:
        model = _section_called(model, name)
    yield from model.model_fields


def _section_called(model: type[BaseModel], name: str) -> type[BaseModel]:
    field = model.model_fields.get(name)
    annotation = field.annotation if field else None
    is_section = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if is_section else model  # type: ignore[return-value]

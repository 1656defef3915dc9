"""What is sent to ``/v1/screen`` and answered, with the examples of its documentation."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tutela.api.problems import problems
from tutela.cases.joining import LONGEST_KEY
from tutela.cases.model import CaseId
from tutela.errors import InvalidInputError
from tutela.evidence.model import Content
from tutela.fingerprints.model import FingerprintSet, Kind, Part, Unreadable, value_of
from tutela.fingerprints.texts import LONGEST_TEXT
from tutela.fingerprints.vpdq import MOST_FRAMES, clock_words, read_frames
from tutela.screening.data_urls import LONGEST_DATA_URL, is_data_url
from tutela.screening.model import Known, Verdict
from tutela.screening.words import content_of, known_of_text, known_of_url
from tutela.storage.settings import OnUnreadable

LONGEST_IDEMPOTENCY_KEY = 255


def _digits(count: int) -> dict[str, JsonValue]:
    # Said, but checked by our own words: theirs would only repeat the pattern.
    return {"pattern": f"^[0-9A-Fa-f]{{{count}}}$"}


class SentFingerprints(BaseModel):
    """Fingerprints made by the caller, as hexadecimal digits; at least one."""

    model_config = ConfigDict(extra="forbid")

    md5: str | None = Field(
        None, description="32 hexadecimal digits.", json_schema_extra=_digits(32)
    )
    sha1: str | None = Field(
        None, description="40 hexadecimal digits.", json_schema_extra=_digits(40)
    )
    sha256: str | None = Field(
        None, description="64 hexadecimal digits.", json_schema_extra=_digits(64)
    )
    pdq: str | None = Field(
        None,
        description="64 hexadecimal digits, in the order of public lists",
        json_schema_extra=_digits(64),
    )
    pdq_quality: int | None = Field(
        None, ge=0, le=100, description="The picture's PDQ quality. Left out, it counts as good."
    )
    vpdq: list[str] | None = Field(
        None,
        min_length=1,
        max_length=MOST_FRAMES,
        description="Of a video: the published form, a text for each frame, of its PDQ hash, its "
        "quality and its instant in seconds.",
        examples=[["f8f8f0cce0f4a84d" * 4 + ",100,0.000"]],
    )

    def as_set(self) -> FingerprintSet:
        """The same as bytes.

        Raises:
            InvalidInputError: One is malformed, or there is none.
        """
        known = FingerprintSet(
            md5=value_of(Kind.MD5, self.md5) if self.md5 is not None else None,
            sha1=value_of(Kind.SHA1, self.sha1) if self.sha1 is not None else None,
            sha256=value_of(Kind.SHA256, self.sha256) if self.sha256 is not None else None,
            pdq=value_of(Kind.PDQ, self.pdq) if self.pdq is not None else None,
            pdq_quality=self.pdq_quality,
        )
        if known.md5 is known.sha1 is known.sha256 is known.pdq is None and self.vpdq is None:
            raise InvalidInputError("no fingerprint was sent: give md5, sha1, sha256, pdq or vpdq")
        return known

    def as_parts(self) -> tuple[Part, ...]:
        """The frames of a video as they are found in one, if there are any.

        Raises:
            InvalidInputError: One is malformed.
        """
        if self.vpdq is None:
            return ()
        return tuple(
            Part(clock_words(frame.seconds), pdq=frame.pdq, seconds=frame.seconds)
            for frame in read_frames(self.vpdq)
        )


class ScreenRequest(BaseModel):
    """Fingerprints, an address or a text to screen instead of a file: one of the three."""

    model_config = ConfigDict(extra="forbid")

    fingerprints: SentFingerprints | None = None
    url: str | None = Field(
        None,
        min_length=1,
        max_length=LONGEST_DATA_URL,
        description="An address of the web, to be looked up in lists of addresses; or one that "
        "begins with `data:`, whose content is screened as a file.",
        examples=["https://host.example/path"],
    )
    fetch: bool = Field(
        False,
        description="Whether what is at the address is fetched and screened too, if no list has "
        "the address. Needs the scope `screen:fetch`, and the setting `links.fetch`.",
    )
    text: str | None = Field(
        None,
        min_length=1,
        max_length=LONGEST_TEXT,
        description="A text, to be looked up in lists of texts that are known word for word.",
    )
    name: str = Field("", max_length=4096, description="The file's name; kept only with a case.")
    subject: str | None = Field(
        None,
        min_length=1,
        max_length=LONGEST_KEY,
        description="What you call the account that it is about; kept only with a case. Items of "
        "one subject join their case while it is open.",
        examples=["account-4711"],
    )
    reference: str | None = Field(
        None,
        min_length=1,
        max_length=LONGEST_KEY,
        description="What you call the upload; kept only with a case. Webhooks name it.",
        examples=["upload-9f3c"],
    )

    @property
    def is_file(self) -> bool:
        """Whether it holds or leads to a file, which is to be opened."""
        return self.fetch or (self.url is not None and is_data_url(self.url))

    def check(self) -> None:
        """See that one thing was sent.

        Raises:
            InvalidInputError: None was, or several were.
        """
        if [self.fingerprints, self.url, self.text].count(None) != 2:
            raise InvalidInputError(
                "send one of the three: fingerprints, url or text (a file as multipart/form-data)"
            )

    def known(self) -> Known:
        """What is known of what was sent, if it is no file.

        Raises:
            InvalidInputError: It is malformed, or not one of the three.
        """
        self.check()
        if self.url is not None:
            return known_of_url(self.url)
        if self.text is not None:
            return known_of_text(self.text)
        sent = cast("SentFingerprints", self.fingerprints)
        parts = sent.as_parts()
        return Known(sent.as_set(), parts=parts, is_video=bool(parts))

    def content(self) -> Content | None:
        """What is sealed with a case, if that is more than fingerprints."""
        words = self.url if self.url is not None else self.text
        return None if words is None else content_of(words)


class BatchRequest(BaseModel):
    """Many things to screen at once."""

    model_config = ConfigDict(extra="forbid")

    items: list[ScreenRequest] = Field(min_length=1)


class MatchAnswer(BaseModel):
    """A list that has the file."""

    list: str = Field(description="The list's name.")
    kind: Kind = Field(description="The kind of fingerprint that matched.")
    distance: int = Field(
        description="Number of differing bits; 0 for an exact digest. Of a video "
        "their average over the frames that are in the listed one."
    )
    place: str | None = Field(
        None,
        description="Where in the file, for people, if it is not the file itself that matched.",
        examples=["frame 12"],
    )
    query_percent: int | None = Field(
        None, description="Of a video by vPDQ: how much of it is in the listed one."
    )
    compared_percent: int | None = Field(
        None, description="Of a video by vPDQ: how much of the listed one is in it."
    )


class ScreenAnswer(BaseModel):
    """The verdict on one file."""

    verdict: Verdict = Field(
        description="`clear`: no list has it. `match`: keep it back. `unreadable`: a picture that "
        "cannot be decoded, so nobody knows."
    )
    case: CaseId | None = Field(None, description="The case that was opened.")
    matches: list[MatchAnswer] | None = Field(
        None, description="What matched. Only for keys with the scope `screen:details`."
    )
    reason: str | None = Field(None, description="Why the file is unreadable, in words.")
    unreadable: Unreadable | None = Field(
        None, description="Why the file is unreadable, in one word that does not change."
    )
    action: OnUnreadable | None = Field(
        None,
        description="What your policy says of a file that is unreadable. `refuse`: do not take it. "
        "`pass`: take it. `queue`: a case was opened for a person to look; keep it back until a "
        "webhook tells you what was decided.",
    )
    cut_short: str | None = Field(
        None,
        description="Of a match: from when on a video in it was not looked at, since it had "
        "matched by then. Only for keys with the scope `screen:details`.",
        examples=["from 00:10:00 on"],
    )


class BatchAnswer(BaseModel):
    """The verdicts, in the order of what was sent."""

    results: list[ScreenAnswer]


EXAMPLE: dict[str, Any] = {
    "fingerprints": {"md5": "9e107d9d372bb6826bd81d3542a419d6", "pdq": "f8f8f0cce0f4a84d" * 4}
}
FILE = {"type": "string", "format": "binary"}
WORD = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY}
_PROBLEMS = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def documented(
    json_model: type[BaseModel],
    json_example: dict[str, Any],
    form: dict[str, Any],
    answers: dict[str, Any],
    more: Mapping[str, Any],
) -> dict[str, Any]:
    """The documentation of a route that takes files or JSON, for its decorator.

    Args:
        json_model: What is sent as JSON.
        json_example: An example of it.
        form: The schema of the multipart field ``file``.
        answers: Examples of answers, by name.
        more: The schemas of the other multipart fields.
    """
    schema = json_model.model_json_schema()
    definitions = schema.pop("$defs", {})
    return {
        "responses": {
            **_PROBLEMS,
            200: {"content": {"application/json": {"examples": answers}}},
        },
        "openapi_extra": {
            "requestBody": {
                "required": True,
                "content": {
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "required": ["file"],
                            "additionalProperties": False,
                            "properties": {"file": form, **more},
                        }
                    },
                    "application/json": {
                        "schema": whole(schema, definitions),
                        "example": json_example,
                    },
                },
            }
        },
    }


def whole(schema: Any, definitions: dict[str, Any]) -> Any:
    """A schema without references, for a body that the framework does not read."""
    # FastAPI collects the definitions only of bodies that it reads itself.
    if isinstance(schema, list):
        return [whole(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return whole(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    return {name: whole(each, definitions) for name, each in schema.items()}

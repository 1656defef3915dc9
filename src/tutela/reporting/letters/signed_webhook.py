"""Reports by a signed message to an authority's own server, by Standard Webhooks.

The message is JSON with the encrypted package in base 64, so that every library for Standard
Webhooks can check its signature, and only the authority's key opens what it holds. Every copy of a
report bears the same ``webhook-id``, by which the receiver knows that it has it already.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

from tutela.reporting.delivery.channel import (
    Attempt,
    Channel,
    NeedsPersonError,
    Receipt,
    Sending,
    TryLaterError,
    WrongCredentialsError,
)
from tutela.reporting.letters.letters import (
    Addressee,
    as_found,
    hoping,
    identifier_of,
    letter_of,
    made_for_sending,
)
from tutela.reporting.packages.document import as_json
from tutela.reporting.packages.making import MadePackage
from tutela.reporting.packages.model import Letter
from tutela.storage.clock import Clock
from tutela.storage.settings import Settings
from tutela.webhooks.posting import Answer, LargeBody, post
from tutela.webhooks.signing import signed_headers_of_pieces

# A multiple of 3, so that each piece comes to whole letters of base 64.
_PIECE_BYTES = 3 << 14
_ANSWER_BYTES = 4096
_LONGEST_NUMBER = 200
# One that takes longer than this for a message is taken for one that does not answer.
_SECONDS = 60
_SLOWEST_BYTES_A_SECOND = 50_000
_LONGEST_SECONDS = 3600

# What is wrong with the way and not with the report: all reports wait until somebody sees to it.
_NOT_THIS_WAY = {401, 402, 403, 404, 405, 406, 407, 410, 411, 421, 426, 451}
_NOT_NOW = {408, 425, 429}


class SignedWebhook:
    """The way to one authority by its own server.

    Args:
        settings: The configuration.
        addressee: Whom it goes to.
        url: Where.
        secrets: Those that sign; the receiver knows one of them.
        clock: The time.
    """

    def __init__(
        self,
        settings: Settings,
        addressee: Addressee,
        url: str,
        secrets: Sequence[str],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._addressee = addressee
        self._url = url
        self._secrets = tuple(secrets)
        self._clock = clock

    def counts(self, attempt: Attempt) -> bool | None:
        """As ``channel.Channel`` says. The receiver tells copies apart by their ``webhook-id``."""
        return as_found(attempt)

    def deliver(self, sending: Sending) -> Receipt:
        """As ``channel.Channel`` says."""
        letter = letter_of(
            sending,
            self._addressee,
            self._settings.organisation,
            identifier_of(sending),
            self._clock(),
        )
        self._refuse_too_large(sum(each.size for each in letter.enclosures), letter)
        with made_for_sending(letter, self._settings) as package:
            self._refuse_too_large(package.size, letter)
            return self._post(sending, letter, package)

    def _post(self, sending: Sending, letter: Letter, package: MadePackage) -> Receipt:
        notebook = sending.notebook
        begin, end = _around(letter, package)
        size = len(begin) + 4 * -(-package.size // 3) + len(end)
        attempt = notebook.begin(_documents(letter, begin + end))
        attempt = notebook.opened(attempt, letter.message)
        came_to_its_end = False

        def pieces() -> Iterator[bytes]:
            nonlocal attempt, came_to_its_end
            yield from _in_base64(begin, package)
            # Without what follows it is no JSON, and shorter than was said.
            attempt = notebook.finishing(attempt)
            came_to_its_end = True
            yield end

        signed = signed_headers_of_pieces(
            letter.message,
            (piece for part in (_in_base64(begin, package), (end,)) for piece in part),
            self._secrets,
            self._clock(),
        )
        answer = post(
            self._url,
            LargeBody(size, pieces),
            signed,
            private=self._settings.webhooks.private_networks,
            seconds=min(_SECONDS + size / _SLOWEST_BYTES_A_SECOND, _LONGEST_SECONDS),
            keeping=_ANSWER_BYTES,
        )
        if answer.failure is None:
            number = _number_in(answer.beginning) or letter.message
            said = {"answer.txt": answer.beginning}
            return Receipt(notebook.finished(attempt, number, said), number, self._clock())
        if came_to_its_end and (answer.status is None or answer.status >= 500):
            raise hoping(letter, answer.failure, _asked_seconds(answer, self._clock))
        notebook.abandoned(attempt)
        raise self._verdict(answer, letter)

    def _refuse_too_large(self, size: int, letter: Letter) -> None:
        limit = self._settings.reporting.webhook_mebibytes
        if size * 4 / 3 > limit << 20:
            raise NeedsPersonError(
                letter.with_doubt(
                    f"a message of about {size * 4 / 3 / (1 << 20):.0f} MiB is too large (the "
                    f"settings allow {limit} MiB): leave out files that the authority does not "
                    "need, raise reporting.webhook_mebibytes if it takes more, or hand the case "
                    'over as a package ("tutela evidence disclose")'
                )
            )

    def _verdict(
        self, answer: Answer, letter: Letter
    ) -> TryLaterError | NeedsPersonError | WrongCredentialsError:
        status, words = answer.status or 0, f"its webhook: {answer.failure}"
        if status in (401, 403):
            return WrongCredentialsError(
                f"{words}: it does not know our signature: compare reporting.webhook_secrets"
            )
        if 300 <= status < 400 or status in _NOT_THIS_WAY:
            return WrongCredentialsError(f"{words}: ask the authority for its URL, and set it")
        if 400 <= status < 500 and status not in _NOT_NOW:
            return NeedsPersonError(
                letter.with_doubt(f"{words}: ask the authority what is wrong with the report")
            )
        return TryLaterError(words, _asked_seconds(answer, self._clock))


def _around(letter: Letter, package: MadePackage) -> tuple[bytes, bytes]:
    """What stands before and behind the package's content in the message."""
    mark = "here goes the package"
    told = {
        "type": "report.sent",
        "timestamp": letter.made_at.isoformat(),
        "data": {
            "report": letter.report,
            "identifier": letter.message,
            "copy": letter.copy,
            "repeats": letter.repeats,
            "replaces": list(letter.replaces),
            "environment": letter.environment,
            "from": letter.organisation,
            "notice": letter.repetition,
            "package": {
                "name": letter.file,
                "size": package.size,
                "sha256": package.sha256,
                "encoding": "base64",
                "content": mark,
            },
        },
    }
    written = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    # The last one: what stands before may hold any words.
    begin, _, end = written.rpartition(mark.encode())
    return begin, end


def _in_base64(begin: bytes, package: MadePackage) -> Iterator[bytes]:
    yield begin
    for piece in package.pieces(_PIECE_BYTES):
        yield base64.b64encode(piece)


def _documents(letter: Letter, message: bytes) -> dict[str, bytes]:
    """What the receipt keeps. The package itself can be opened by the authority alone."""
    return {"report.json": as_json(letter), "message.json": message}


def _number_in(answer: bytes) -> str | None:
    """What the receiver calls the report: ``{"receipt": "..."}``."""
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    number = told.get("receipt") if isinstance(told, dict) else None
    if isinstance(number, int) and not isinstance(number, bool):
        number = str(number)
    if not isinstance(number, str) or not number.strip() or not number.isprintable():
        return None
    return number.strip()[:_LONGEST_NUMBER]


def _asked_seconds(answer: Answer, clock: Clock) -> float | None:
    """How long the receiver asks to be left alone (RFC 9110, section 10.2.3)."""
    said = (answer.retry_after or "").strip()
    if said.isascii() and said.isdecimal():
        return float(said[:9])
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - clock()).total_seconds(), 0.0)


_: type[Channel] = SignedWebhook

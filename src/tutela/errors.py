"""Everything that can go wrong in a way a caller can act on.

Each error's message is one line that says what is wrong and what to do about it. It is shown as it
stands by the commands and sent as the ``detail`` of a problem document by the API, so it never
holds an entry of a hash list.

The console's pages say the same in the reader's language. So a message that tells of something
keeps its template apart from its values: ``OutOfTurnError("{case} is decided", case=case)``.
"""


class TutelaError(Exception):
    """Any failure that Tutela foresees.

    Attributes:
        template: The message in English, with the names of values in braces if it has values.
        values: The values by their names; a tuple stands for several sentences.
    """

    def __init__(self, template: str = "", /, **values: object) -> None:
        self.template = template
        self.values = values
        # A message without values stays as it is: it may quote braces.
        said = {name: _said(value) for name, value in values.items()}
        super().__init__(template.format(**said) if values else template)

    @property
    def message(self) -> str:
        """What is wrong and what to do, in one line."""
        return str(self)


def _said(value: object) -> object:
    """A value as it stands in a message: what has words of its own is called by them."""
    if isinstance(value, tuple):
        return "; ".join(str(_said(each)) for each in value)
    return getattr(value, "words", value)


class InvalidInputError(TutelaError):
    """What was given cannot be understood: a malformed hash, an unknown option, a broken file."""


class NotFoundError(TutelaError):
    """The thing named does not exist."""


class AlreadyExistsError(TutelaError):
    """The name is taken."""


class NotSignedInError(TutelaError):
    """No API key was given, or it is unknown or revoked."""


class NotProvedError(NotSignedInError):
    """What should prove who somebody is does not: a wrong code, one used before, another's key."""


class NotPermittedError(TutelaError):
    """The API key is good, but lacks the scope that this action needs."""


class LockedOutError(TutelaError):
    """Too many failed to sign in by this name, or from this address: it is shut for a while.

    Attributes:
        seconds: For how long.
    """

    def __init__(self, seconds: int) -> None:
        wait = f"{seconds} seconds" if seconds < 120 else f"{-(-seconds // 60)} minutes"
        super().__init__(
            "too many tries to sign in have failed: wait {wait} and try again, or ask an "
            "administrator to unlock the account",
            wait=wait,
        )
        self.seconds = seconds


class TooManyWaitError(TutelaError):
    """So much of this waits for a person that no more is taken in before some of it is done."""


class NotAgreedError(TutelaError):
    """What needs two people lacks the second one's word, or that no longer counts: ask anew."""


class OutOfTurnError(TutelaError):
    """Others were quicker, or it stands where this cannot be done to it: look at it once more."""


class TooLargeError(TutelaError):
    """More was sent than the configured limit allows."""


class TooSlowError(TutelaError):
    """A request did not come in whole within the configured time."""


class OverCapacityError(TutelaError):
    """Too much is under way already; the same request succeeds later."""


class LeaseLostError(TutelaError):
    """A worker goes on with a job that is not its own any more: what it does must not count."""


class SettingsError(TutelaError):
    """The configuration is wrong; the message names the key and the fix."""


class StorageError(TutelaError):
    """The data folder or the database cannot be used: full, read-only, unreachable, damaged."""


class OutsideError(TutelaError):
    """Another organisation's service that is needed does not answer, or not as it should."""


class DamagedEvidenceError(TutelaError):
    """A piece of evidence is missing from the vault, or is not as it was sealed."""

"""Making the package that two people have agreed to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from tutela.accounts.keys import bearers, check_key
from tutela.accounts.model import ApiKey
from tutela.errors import DamagedEvidenceError
from tutela.evidence.disclosure.archive import archive
from tutela.evidence.disclosure.contents import members
from tutela.evidence.disclosure.custody import extract_of
from tutela.evidence.disclosure.exhibits import exhibits_of, with_media_types
from tutela.evidence.disclosure.model import Disclosure, Dossier, Exhibit, OpenMedium, Parcel
from tutela.evidence.disclosure.recipients import read_recipients
from tutela.evidence.disclosure.requesting import (
    check_may_make,
    find_disclosure,
    left_out_of,
    note_made,
)
from tutela.evidence.disclosure.writing import Package, refuse_existing, write_package
from tutela.evidence.model import ItemId
from tutela.evidence.vault import Vault
from tutela.storage.settings import Settings

DossierOf = Callable[[Connection, str], Dossier]
"""Tells what is known of a case, by its number."""


@dataclass(frozen=True, slots=True)
class Office:
    """What making a package needs of its house.

    Attributes:
        settings: The house's settings.
        vault: Where the files are.
        dossier_of: Tells of cases.
        type_of: Tells what a file is by its first bytes, such as ``image/jpeg``.
    """

    settings: Settings
    vault: Vault
    dossier_of: DossierOf
    type_of: Callable[[bytes], str | None]


def present(
    connection: Connection, office: Office, number: int
) -> tuple[Disclosure, Dossier, tuple[Exhibit, ...]]:
    """A request, and the case's items as they are now, with those left out that it leaves out.

    Raises:
        NotFoundError: There is no such request.
    """
    disclosure = find_disclosure(connection, number)
    dossier = office.dossier_of(connection, disclosure.case)
    left_out = left_out_of(disclosure)
    return disclosure, dossier, exhibits_of(connection, dossier, left_out)


def make_package(
    office: Office, secret: str, number: int, path: Path
) -> tuple[Disclosure, Package]:
    """Make the package, as often as it is asked for while the agreement holds.

    The ledger says so before the package has its name: there is never one that it does not know of.

    Args:
        office: The house.
        secret: The API key of who makes it, which has to be good at the end as well.
        number: The request.
        path: The file, which must not be there yet.

    Returns:
        The request, and the package.

    Raises:
        AlreadyExistsError: The file is there already.
        DamagedEvidenceError: A file is not as it was sealed.
        NotAgreedError: It was not agreed to, or that does not count any more.
        NotFoundError: There is no such request.
        NotPermittedError: The key is neither of the two, or lacks the scope.
        NotSignedInError: The key is unknown or revoked.
        StorageError: The package cannot be written, or a store fails.
    """
    vault, database = office.vault, office.vault.database
    open_medium = _opened(vault)
    refuse_existing(path)
    with database.reading() as connection:
        agreed = _checked(connection, office, secret, number)[1]
        _, dossier, exhibits = present(connection, office, number)
        names = bearers(connection)
    extract = extract_of(database, office.settings, agreed.case, vault.clock)
    parcel = Parcel(
        disclosure=agreed,
        case_state=dossier.state,
        case_opened_at=dossier.opened_at,
        exhibits=with_media_types(exhibits, open_medium, office.type_of),
        extract=extract,
        organisation=office.settings.organisation,
        made_at=vault.clock(),
        names={who: names[who] for who in (agreed.asked_by, agreed.decided_by) if who in names},
    )

    def write_down(package: Package) -> None:
        with database.writing() as connection:
            key, disclosure = _checked(connection, office, secret, number)
            note_made(connection, key, disclosure, package, vault.clock)

    content = archive(members(parcel, open_medium), agreed.folder, parcel.made_at)
    recipients = read_recipients(agreed.recipients, f"disclosure {number}")
    return agreed, write_package(path, content, recipients, write_down)


def _checked(
    connection: Connection, office: Office, secret: str, number: int
) -> tuple[ApiKey, Disclosure]:
    key = check_key(connection, secret)
    _, _, exhibits = present(connection, office, number)
    return key, check_may_make(connection, key, number, exhibits, office.vault.clock)


def _opened(vault: Vault) -> OpenMedium:
    def opened(item: str) -> Iterator[bytes]:
        try:
            yield from vault.open(ItemId(item))
        except DamagedEvidenceError as error:
            raise DamagedEvidenceError(
                f"{error.message}; or ask for the disclosure again with --without {item}"
            ) from None

    return opened

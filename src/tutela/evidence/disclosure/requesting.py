"""Four eyes: one person asks, another agrees or refuses, and only then is there a package.

People identify themselves by API keys that belong to them. One person cannot do both, however many
keys they have. A revoked key can do nothing, nor can one whose owner may disclose no more; what was
asked for or agreed to by it is void from then on. An agreement holds for exactly the recipient and
the items that were shown, and for ``model.VALIDITY``.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, RowMapping, insert, select, update

from tutela.accounts.keys import key_numbered, keys_in_use, require
from tutela.accounts.model import ApiKey, ApiKeyId, PersonId
from tutela.accounts.permissions import Permission
from tutela.errors import InvalidInputError, NotAgreedError, NotFoundError, NotPermittedError
from tutela.evidence.disclosure.model import (
    VALIDITY,
    Disclosure,
    DisclosureId,
    Exhibit,
    Standing,
    State,
)
from tutela.evidence.disclosure.recipients import Recipients, read_recipients
from tutela.evidence.disclosure.tables import disclosures
from tutela.evidence.disclosure.writing import Package
from tutela.ledger.appending import append
from tutela.ledger.model import OPERATOR, Act, Actor
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows


def ask(
    connection: Connection,
    key: ApiKey,
    case: str,
    exhibits: Sequence[Exhibit],
    recipients: Recipients,
    *,
    authority: str,
    legal_basis: str,
    reference: str,
    clock: Clock,
    face: str = "cli",
) -> Disclosure:
    """Ask for a case to be handed over, in the caller's transaction.

    Args:
        connection: The transaction.
        key: Who asks.
        case: The case.
        exhibits: Its items, with those left out that shall be.
        recipients: Whose keys will open the package.
        authority: Who is to receive it.
        legal_basis: Why they may.
        reference: Their own reference.
        clock: The time.
        face: From where they ask.

    Raises:
        InvalidInputError: A text is empty or too long, or no item's file would be handed over.
        NotPermittedError: The key lacks the scope, or belongs to nobody.
    """
    require_person(key)
    texts = {
        "authority": _checked("the authority's name", authority, 300),
        "legal_basis": _checked("a legal basis", legal_basis, 3000),
        "reference": _checked("the authority's reference", reference, 300),
    }
    if not any(each.standing is Standing.KEPT for each in exhibits):
        raise InvalidInputError(
            "the case {case} has no file in the vault that could be handed over, or all of "
            "them are left out",
            case=case,
        )
    number = connection.execute(
        insert(disclosures)
        .values(
            case_id=case,
            state=State.ASKED,
            recipients=recipients.text,
            contents=contents_of(exhibits),
            asked_at=clock(),
            asked_by=key.id,
            **texts,
        )
        .returning(disclosures.c.id)
    ).scalar_one()
    asked = find_disclosure(connection, number)
    append(
        connection,
        bearer(key, face),
        Act.DISCLOSURE_REQUESTED,
        clock,
        case=case,
        thing=asked.thing,
        reason=f"{asked.authority}; {asked.reference}; {asked.legal_basis}; "
        f"recipients SHA-256 {asked.recipients_sha256}",
    )
    return asked


def agree(
    connection: Connection,
    key: ApiKey,
    number: int,
    exhibits: Sequence[Exhibit],
    clock: Clock,
    *,
    face: str = "cli",
) -> Disclosure:
    """Agree to what another person asked for, in the caller's transaction.

    Args:
        connection: The transaction.
        key: Who agrees.
        number: The request.
        exhibits: The case's items as they are now, as ``ask`` was given them.
        clock: The time.
        face: From where they agree.

    Raises:
        NotAgreedError: The request was decided or has lapsed, its asker's key was revoked, or the
            case is no longer as it was.
        NotFoundError: There is no such request.
        NotPermittedError: The key is the asker's too, belongs to nobody, or lacks the scope.
    """
    asked = check_may_agree(connection, key, number, exhibits, clock)
    return _decide(connection, key, asked, State.AGREED, clock=clock, face=face)


def check_may_agree(
    connection: Connection, key: ApiKey, number: int, exhibits: Sequence[Exhibit], clock: Clock
) -> Disclosure:
    """Everything that ``agree`` checks, so that it can be said before anybody reads on.

    Raises:
        As ``agree``.
    """
    require_person(key)
    asked = find_disclosure(connection, number)
    _require_state(asked, State.ASKED)
    if key.owner == _owner(connection, asked.asked_by):
        raise NotPermittedError(
            "you asked for this disclosure yourself: another person has to agree to it, "
            "with an API key of their own"
        )
    _require_alive(connection, asked, clock)
    _require_unchanged(asked, exhibits)
    return asked


def refuse(
    connection: Connection,
    key: ApiKey,
    number: int,
    reason: str,
    clock: Clock,
    *,
    face: str = "cli",
) -> Disclosure:
    """Refuse a request, or take an agreement back. Whoever may disclose may do it, the asker too.

    Raises:
        InvalidInputError: The reason is empty or too long.
        NotAgreedError: It was refused already.
        NotFoundError: There is no such request.
        NotPermittedError: The key lacks the scope, or belongs to nobody.
    """
    require_person(key)
    asked = find_disclosure(connection, number)
    _require_state(asked, State.ASKED, State.AGREED)
    because = _checked("a reason", reason, 1000)
    return _decide(connection, key, asked, State.REFUSED, because, clock=clock, face=face)


def check_may_make(
    connection: Connection, key: ApiKey, number: int, exhibits: Sequence[Exhibit], clock: Clock
) -> Disclosure:
    """Whether the package may be made, by this key, now.

    Raises:
        NotAgreedError: Nobody has agreed, it was refused or has lapsed, one of the two keys was
            revoked, or the case is no longer as it was.
        NotFoundError: There is no such request.
        NotPermittedError: It is neither of the two people, or the key lacks the scope.
    """
    require_person(key)
    agreed = find_disclosure(connection, number)
    _require_state(agreed, State.AGREED)
    two = (agreed.asked_by, agreed.decided_by or "")
    if key.owner not in [_owner(connection, each) for each in two]:
        raise NotPermittedError(
            "the package is made by one of the two who asked for it and agreed to it"
        )
    _require_alive(connection, agreed, clock)
    _require_unchanged(agreed, exhibits)
    return agreed


def note_made(
    connection: Connection, key: ApiKey, made: Disclosure, package: Package, clock: Clock
) -> None:
    """Write down that the package was made, before it appears.

    Raises:
        NotAgreedError: The agreement was taken back meanwhile.
    """
    changed = changed_rows(
        connection,
        update(disclosures)
        .where(disclosures.c.id == made.id, disclosures.c.state == State.AGREED)
        .values(
            made_at=clock(),
            package_sha256=bytes.fromhex(package.sha256),
            package_size=package.size,
        ),
    )
    if not changed:
        _require_state(find_disclosure(connection, made.id), State.AGREED)
    append(
        connection,
        bearer(key),
        Act.DISCLOSURE_MADE,
        clock,
        case=made.case,
        thing=made.thing,
        reason=f"SHA-256 {package.sha256}, {package.size} bytes, "
        f"recipients SHA-256 {made.recipients_sha256}",
    )


def find_disclosure(connection: Connection, number: int) -> Disclosure:
    """One request.

    Raises:
        NotFoundError: There is none of this number.
    """
    row = (
        connection.execute(select(disclosures).where(disclosures.c.id == number))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFoundError(f'there is no disclosure {number}: see "tutela evidence disclosures"')
    return _disclosure(row)


def all_disclosures(connection: Connection) -> list[Disclosure]:
    """Every request ever made, the newest first."""
    rows = connection.execute(select(disclosures).order_by(disclosures.c.id.desc())).mappings()
    return [_disclosure(row) for row in rows]


def contents_of(exhibits: Iterable[Exhibit]) -> str:
    """What an agreement is about: which items there are, and whose files are handed over."""
    return "".join(
        f"{each.id} {each.standing} {each.sha256 or '-'}\n"
        for each in sorted(exhibits, key=lambda each: each.id)
    )


def left_out_of(disclosure: Disclosure) -> frozenset[str]:
    """The items that those who asked left out."""
    lines = (line.split(" ") for line in disclosure.contents.splitlines())
    return frozenset(id_ for id_, standing, _sha256 in lines if standing == Standing.LEFT_OUT)


def bearer(key: ApiKey, face: str = "cli") -> Actor:
    """The person who identifies themselves by a key of theirs."""
    return Actor(f"key:{key.name}", f"key:{key.id}", OPERATOR if face == "cli" else "person", face)


def disclosures_of(connection: Connection, case: str) -> list[Disclosure]:
    """Every request to hand a case over, the newest first."""
    rows = connection.execute(
        select(disclosures).where(disclosures.c.case_id == case).order_by(disclosures.c.id.desc())
    ).mappings()
    return [_disclosure(row) for row in rows]


def require_person(key: ApiKey) -> None:
    """Let only somebody pass who may disclose, and whom the key says who they are.

    Raises:
        NotPermittedError: The key lacks the scope, or belongs to nobody.
    """
    require(key, Permission.EVIDENCE_DISCLOSE)
    if key.owner is None:
        raise NotPermittedError(
            'the key "{name}" belongs to nobody, and a disclosure needs two people: make '
            'each of them one of their own with "tutela key add NAME --scope {permission} '
            '--owner PERSON"',
            name=key.name,
            permission=Permission.EVIDENCE_DISCLOSE,
        )


def _owner(connection: Connection, key: str) -> PersonId | None:
    number = key.removeprefix("key:")
    return key_numbered(connection, int(number)).owner if number else None


def _decide(
    connection: Connection,
    key: ApiKey,
    asked: Disclosure,
    state: State,
    because: str | None = None,
    *,
    clock: Clock,
    face: str,
) -> Disclosure:
    changed = changed_rows(
        connection,
        update(disclosures)
        .where(disclosures.c.id == asked.id, disclosures.c.state == asked.state)
        .values(state=state, decided_at=clock(), decided_by=key.id, refused_because=because),
    )
    if not changed:
        # Somebody was quicker.
        _require_state(find_disclosure(connection, asked.id), asked.state)
    append(
        connection,
        bearer(key, face),
        Act.DISCLOSURE_AGREED if state is State.AGREED else Act.DISCLOSURE_REFUSED,
        clock,
        case=asked.case,
        thing=asked.thing,
        reason=because or f"recipients SHA-256 {asked.recipients_sha256}",
    )
    return find_disclosure(connection, asked.id)


def _require_state(disclosure: Disclosure, *states: State) -> None:
    if disclosure.state in states:
        return
    match disclosure.state:
        case State.ASKED:
            raise NotAgreedError(
                'disclosure {id} still needs a second person: "tutela evidence agree {id}", with '
                "an API key of their own",
                id=disclosure.id,
            )
        case State.AGREED:
            raise NotAgreedError(
                "disclosure {id} was agreed to by {by} already: make the package with "
                '"tutela evidence package {id}"',
                id=disclosure.id,
                by=disclosure.decided_by,
            )
        case State.REFUSED:
            raise NotAgreedError(
                "disclosure {id} was refused by {by}: {because}",
                id=disclosure.id,
                by=disclosure.decided_by,
                because=disclosure.refused_because,
            )


def _require_alive(connection: Connection, disclosure: Disclosure, clock: Clock) -> None:
    if clock() >= disclosure.lapses_at:
        raise NotAgreedError(
            "disclosure {id} has lapsed on {lapses_at:%Y-%m-%d} ({days} days): ask for it again",
            id=disclosure.id,
            lapses_at=disclosure.lapses_at,
            days=VALIDITY.days,
        )
    good = {
        f"key:{key.id}"
        for key in keys_in_use(connection).values()
        if Permission.EVIDENCE_DISCLOSE in key.permissions and key.owner is not None
    }
    for who in (disclosure.asked_by, disclosure.decided_by):
        if who is not None and who not in good:
            raise NotAgreedError(
                "disclosure {id} is void, since {who} was revoked or its owner may disclose no "
                "more: ask for it again",
                id=disclosure.id,
                who=who,
            )


def _require_unchanged(disclosure: Disclosure, exhibits: Iterable[Exhibit]) -> None:
    if contents_of(exhibits) != disclosure.contents:
        raise NotAgreedError(
            "the case {case} has changed since disclosure {id} was asked for (an item was "
            "added, or a file destroyed): ask for it again",
            case=disclosure.case,
            id=disclosure.id,
        )


def _checked(what: str, text: str, longest: int) -> str:
    tidy = " ".join(text.split())
    # Letters that nobody sees could make what is shown to the second person look like another.
    if not tidy or len(tidy) > longest or not tidy.isprintable():
        raise InvalidInputError(
            "{what} is needed, of 1 to {longest:,} characters that can be seen",
            what=what,
            longest=longest,
        )
    return tidy


def _disclosure(row: RowMapping) -> Disclosure:
    return Disclosure(
        id=DisclosureId(row["id"]),
        case=row["case_id"],
        state=State(row["state"]),
        authority=row["authority"],
        legal_basis=row["legal_basis"],
        reference=row["reference"],
        recipients=row["recipients"],
        recipients_sha256=read_recipients(row["recipients"], f"disclosure {row['id']}").sha256,
        contents=row["contents"],
        asked_at=row["asked_at"],
        asked_by=_key_name(row["asked_by"]),
        decided_at=row["decided_at"],
        decided_by=_key_name(row["decided_by"]) if row["decided_by"] is not None else None,
        refused_because=row["refused_because"],
        made_at=row["made_at"],
        package_sha256=row["package_sha256"].hex() if row["package_sha256"] else None,
        package_size=row["package_size"],
    )


def _key_name(number: ApiKeyId) -> str:
    return f"key:{number}"

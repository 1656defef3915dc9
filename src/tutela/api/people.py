"""``/v1/people``: who works here, and what they may do."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response, Security
from pydantic import BaseModel, ConfigDict, Field

from tutela.accounts.agreeing import Agreement, Matter, open_agreements, refuse
from tutela.accounts.calling import caller_of_key
from tutela.accounts.changing import agree, change_roles, invite_person, let_start_anew
from tutela.accounts.invitations import (
    Invitation,
    Invited,
    open_invitations,
    withdraw_invitation,
)
from tutela.accounts.locking import is_locked, unlock
from tutela.accounts.model import ApiKey
from tutela.accounts.people import Person, all_people, find_person
from tutela.accounts.permissions import Permission, Role
from tutela.accounts.sessions import end_sessions_of
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted, Service
from tutela.cases.leaving import close_account

router = APIRouter(
    prefix="/v1/people",
    tags=["people"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.PEOPLE_READ))]
Writer = Annotated[ApiKey, Security(Permitted(Permission.PEOPLE_WRITE))]
Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="Its number.", examples=[3])]

_ABSENT = problems(HTTPStatus.NOT_FOUND)
_REFUSED = problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Why(_Sent):
    """Why something is done."""

    reason: str = Field(
        "", max_length=1000, description="Why, for the ledger.", examples=["she leaves in May"]
    )


class NewRoles(Why):
    """Exactly the roles that somebody is to have."""

    roles: list[Role] = Field(min_length=1, examples=[["reviewer", "lead"]])


class NewPerson(NewRoles):
    """Somebody to be invited."""

    name: str = Field(
        min_length=1, max_length=200, description="What the others call them.", examples=["Rosa"]
    )
    email: str = Field(
        min_length=3,
        max_length=320,
        description="The address that they will sign in by.",
        examples=["rosa@organisation.example"],
    )


class PersonAnswer(BaseModel):
    """Somebody who works here, or did."""

    id: int = Field(description="Their number, which is all that the ledger has.", examples=[3])
    name: str = Field(examples=["Rosa"])
    email: str | None = Field(None, description="None once the account is closed.")
    roles: list[Role]
    permissions: list[Permission] = Field(description="What the roles allow.")
    added_at: datetime
    closed_at: datetime | None = None
    locked: bool = Field(False, description="Whether too many tries to sign in have failed.")


class PeopleAnswer(BaseModel):
    """People, in the order in which they came."""

    people: list[PersonAnswer]


class InvitationAnswer(BaseModel):
    """A link that still works, without what opens it."""

    id: int = Field(examples=[4])
    name: str = Field(description="Whom; empty for the first administrator.")
    email: str | None = None
    roles: list[Role]
    person: int | None = Field(None, description="One who is here already and starts anew.")
    invited_by: str = Field(description="Who invited them.", examples=["person:1"])
    expires_at: datetime


class InvitationsAnswer(BaseModel):
    """Invitations, the newest first."""

    invitations: list[InvitationAnswer]


class AgreementAnswer(BaseModel):
    """What needs a second administrator."""

    id: int = Field(examples=[2])
    matter: Matter = Field(description="What kind of thing it is.")
    person: int | None = Field(None, description="About whom, if they are here already.")
    details: dict[str, object] = Field(description="What exactly is to be done.")
    reason: str
    asked_by: int = Field(description="The person who asked for it.")
    asked_at: datetime
    lapses_at: datetime


class AgreementsAnswer(BaseModel):
    """What needs a second administrator, the oldest first."""

    agreements: list[AgreementAnswer]


class OutcomeAnswer(BaseModel):
    """What became of a request: it is done, or another administrator has to agree first."""

    done: bool = Field(description="Whether it is done.")
    link: str | None = Field(
        None, description="The link to hand to them. It works once, and cannot be had again."
    )
    expires_at: datetime | None = Field(None, description="Until when the link works.")
    agreement: AgreementAnswer | None = Field(
        None, description="What another administrator has to agree to."
    )


_WAITS: dict[int | str, dict[str, object]] = {
    int(HTTPStatus.ACCEPTED): {
        "model": OutcomeAnswer,
        "description": "Another administrator has to agree first.",
    }
}


@router.get("", summary="The people")
def list_people(
    service: Here,
    _key: Reader,
    everybody: Annotated[bool, Query(description="Also those who left.")] = False,
) -> PeopleAnswer:
    """In the order in which they came."""
    with service.database.reading() as connection:
        found = [each for each in all_people(connection) if everybody or each.closed_at is None]
        return PeopleAnswer(people=[_person(each) for each in found])


@router.post(
    "",
    summary="Invite somebody",
    status_code=HTTPStatus.CREATED,
    responses=_WAITS | problems(HTTPStatus.CONFLICT),
)
def invite(service: Here, key: Writer, new: NewPerson, response: Response) -> OutcomeAnswer:
    """Gives the link to hand to them; it works once, for a week.

    To invite an administrator or a custodian, another administrator has to agree where there are
    two: then the answer is 202, and they get the link.
    """
    with service.database.writing() as connection:
        made = invite_person(
            connection,
            new.name,
            new.email,
            new.roles,
            caller=caller_of_key(key),
            clock=service.clock,
            reason=new.reason,
        )
    return _outcome(service, response, made)


@router.get("/invitations", summary="The open invitations")
def list_invitations(service: Here, _key: Reader) -> InvitationsAnswer:
    """The newest first."""
    with service.database.reading() as connection:
        found = open_invitations(connection, service.clock)
    return InvitationsAnswer(invitations=[_invitation(each) for each in found])


@router.delete(
    "/invitations/{number}",
    summary="Withdraw an invitation",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_ABSENT,
)
def withdraw(service: Here, key: Writer, number: Number) -> None:
    """Its link works no more."""
    with service.database.writing() as connection:
        withdraw_invitation(connection, number, caller_of_key(key).actor, service.clock)


@router.get("/agreements", summary="What needs a second administrator")
def list_agreements(service: Here, _key: Reader) -> AgreementsAnswer:
    """The oldest first."""
    with service.database.reading() as connection:
        found = open_agreements(connection, service.clock)
    return AgreementsAnswer(agreements=[_agreement(each) for each in found])


@router.post("/agreements/{number}/agree", summary="Agree", responses=_REFUSED)
def give_agreement(service: Here, key: Writer, number: Number, response: Response) -> OutcomeAnswer:
    """With a key that belongs to a person, who is not the one that asked. Then it is done."""
    with service.database.writing() as connection:
        invited = agree(connection, number, caller=caller_of_key(key), clock=service.clock)
    return _outcome(service, response, invited)


@router.post(
    "/agreements/{number}/refuse",
    summary="Refuse",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_REFUSED,
)
def refuse_agreement(service: Here, key: Writer, number: Number, why: Why) -> None:
    """With a key that belongs to a person; whoever asked may take it back so, too."""
    with service.database.writing() as connection:
        refuse(connection, number, why.reason, caller_of_key(key), service.clock)


@router.get("/{number}", summary="One person", responses=_ABSENT)
def show_person(service: Here, _key: Reader, number: Number) -> PersonAnswer:
    """Also one who left."""
    with service.database.reading() as connection:
        person = find_person(connection, number)
        return _person(person, locked=is_locked(connection, person, service.clock))


@router.put("/{number}/roles", summary="Change roles", responses=_ABSENT | _WAITS)
def set_roles(
    service: Here, key: Writer, number: Number, new: NewRoles, response: Response
) -> OutcomeAnswer:
    """They are signed out, and sign in to the new ones.

    To make somebody an administrator or a custodian, another administrator has to agree where there
    are two: then the answer is 202.
    """
    with service.database.writing() as connection:
        asked = change_roles(
            connection,
            number,
            new.roles,
            caller=caller_of_key(key),
            clock=service.clock,
            reason=new.reason,
        )
    return _outcome(service, response, asked)


@router.post("/{number}/close", summary="Close an account", responses=_ABSENT)
def close(service: Here, key: Writer, number: Number, why: Why) -> PersonAnswer:
    """For good: sessions end, keys are revoked, held cases go back.

    The last administrator's account stays open.
    """
    with service.database.writing() as connection:
        closed = close_account(
            connection,
            number,
            caller=caller_of_key(key),
            clock=service.clock,
            reason=why.reason,
        )
    return _person(closed)


@router.post("/{number}/anew", summary="Let somebody start anew", responses=_ABSENT | _WAITS)
def start_anew(
    service: Here, key: Writer, number: Number, why: Why, response: Response
) -> OutcomeAnswer:
    """Gives a link by which somebody who cannot sign in any more sets that up anew.

    Make sure by other means that it is this person who asks. For an administrator or a custodian,
    another administrator has to agree where there are two.
    """
    with service.database.writing() as connection:
        made = let_start_anew(
            connection,
            number,
            caller=caller_of_key(key),
            clock=service.clock,
            reason=why.reason,
        )
    return _outcome(service, response, made)


@router.post(
    "/{number}/unlock",
    summary="Unlock an account",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_ABSENT,
)
def unlock_account(service: Here, key: Writer, number: Number) -> None:
    """They may try at once to sign in again."""
    with service.database.writing() as connection:
        person = find_person(connection, number)
        unlock(connection, person, caller_of_key(key).actor, service.clock)


@router.post(
    "/{number}/sign-out",
    summary="Sign somebody out",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_ABSENT,
)
def sign_out(service: Here, key: Writer, number: Number) -> None:
    """Every session of theirs ends."""
    with service.database.writing() as connection:
        person = find_person(connection, number)
        end_sessions_of(connection, person.id, caller_of_key(key).actor, service.clock)


def _outcome(
    service: Service, response: Response, made: Invited | Agreement | None
) -> OutcomeAnswer:
    match made:
        case Agreement():
            response.status_code = HTTPStatus.ACCEPTED
            return OutcomeAnswer(done=False, agreement=_agreement(made))
        case Invited():
            link = f"{service.settings.address}{made.path}"
            return OutcomeAnswer(done=True, link=link, expires_at=made.invitation.expires_at)
    return OutcomeAnswer(done=True)


def _person(person: Person, *, locked: bool = False) -> PersonAnswer:
    return PersonAnswer(
        id=person.id,
        name=person.name,
        email=person.email,
        roles=sorted(person.roles),
        permissions=sorted(person.permissions),
        added_at=person.added_at,
        closed_at=person.closed_at,
        locked=locked,
    )


def _invitation(invitation: Invitation) -> InvitationAnswer:
    return InvitationAnswer(
        id=invitation.id,
        name=invitation.name,
        email=invitation.email,
        roles=sorted(invitation.roles),
        person=invitation.person,
        invited_by=invitation.invited_by,
        expires_at=invitation.expires_at,
    )


def _agreement(agreement: Agreement) -> AgreementAnswer:
    return AgreementAnswer(
        id=agreement.id,
        matter=agreement.matter,
        person=agreement.person,
        details=dict(agreement.details),
        reason=agreement.reason,
        asked_by=agreement.asked_by,
        asked_at=agreement.asked_at,
        lapses_at=agreement.lapses_at,
    )

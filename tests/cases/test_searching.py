"""One line of text leads to a case by everything that is known of it, on each database."""

import hashlib
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, update

from tests.cases.world import ANNA, a_case, person
from tutela.accounts.permissions import Role
from tutela.cases.searching import By, fingerprints_in, search
from tutela.cases.tables import case_items, cases, subjects
from tutela.storage.database import Database


def test_a_case_is_found_by_whatever_is_whole_of_it(database: Database, clock) -> None:
    content, pdq = b"a landscape", secrets.token_bytes(32)
    case = a_case(database, clock, content)
    a_case(database, clock, b"another one")
    with database.writing() as connection:
        number = connection.execute(
            insert(subjects).values(key="user 1", first_seen_at=clock()).returning(subjects.c.id)
        ).scalar_one()
        connection.execute(update(cases).where(cases.c.id == case).values(subject_id=number))
        connection.execute(
            update(case_items).where(case_items.c.case_id == case).values(pdq=pdq, reference="r/1")
        )
    texts = {
        case.lower(): By.NUMBER,
        "user 1": By.SUBJECT,
        " r/1 ": By.REFERENCE,
        hashlib.md5(content).hexdigest(): By.MD5,
        hashlib.sha256(content).hexdigest().upper(): By.SHA256,
        pdq.hex(): By.PDQ,
    }
    for text, by in texts.items():
        with database.writing() as connection:
            (found,) = search(connection, text, ANNA, clock)
        assert (found.case, found.by) == (case, by)
    with database.writing() as connection:
        assert search(connection, pdq.hex(), person(9, Role.INTAKE), clock) == []
        assert search(connection, "user", ANNA, clock) == []


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("0" * 32, (By.MD5,)),
        ("aB" * 20, (By.SHA1,)),
        ("f" * 64, (By.SHA256, By.PDQ)),
        ("0" * 31, ()),
        ("g" * 32, ()),
        ("\u0660" * 32, ()),
        ("", ()),
    ],
)
def test_a_fingerprint_is_known_by_its_form(text: str, kinds: tuple[By, ...]) -> None:
    assert fingerprints_in(text) == kinds


@given(st.text())
def test_no_text_is_taken_for_a_fingerprint_that_cannot_be_read(text: str) -> None:
    if fingerprints_in(text):
        bytes.fromhex(text)

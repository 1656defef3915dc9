"""What mail servers write back is read with care: anybody can write to the sender's address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.errors import InvalidInputError
from tutela.reporting.letters.bounces import MOST_BYTES, Bounce, Fate, read_bounce

MESSAGE = "report-7-0123456789abcdef0123456789@forum.example"

_NOTICE = """\
From: MAILER-DAEMON@mail.forum.example
To: tutela@forum.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.forum.example
{envelope}
{recipients}
--B
Content-Type: {returned}

{headers}
--B--
"""
_RECIPIENT = """\

Original-Recipient: rfc822;reports@authority.example
Final-Recipient: rfc822; reports@authority.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <reports@authority.example>: nobody of that name
"""
_HEADERS = f"From: tutela@forum.example\nMessage-ID: <{MESSAGE}>\nSubject: Report 7\n"


def notice(  # type: ignore[no-untyped-def]
    *actions: str,
    status: str = "5.1.1",
    envelope: str = "",
    returned: str = "text/rfc822-headers",
    headers: str = _HEADERS,
) -> bytes:
    return _NOTICE.format(
        envelope=envelope,
        recipients="".join(_RECIPIENT.format(action=each, status=status) for each in actions),
        returned=returned,
        headers=headers,
    ).encode()


@pytest.mark.parametrize(
    ("action", "fate"),
    [
        ("failed", Fate.FAILED),
        ("Delayed", Fate.DELAYED),
        ("delivered", Fate.DELIVERED),
        ("relayed", Fate.RELAYED),
        ("expanded", Fate.RELAYED),
    ],
)
def test_a_notice_says_what_became_of_which_mail(action: str, fate: Fate) -> None:
    assert read_bounce(notice(action)) == Bounce(
        MESSAGE, fate, "5.1.1", "smtp; 550 5.1.1 (an address) nobody of that name"
    )


@pytest.mark.parametrize("returned", ["text/rfc822-headers", "message/rfc822"])
def test_the_mail_is_known_by_what_was_returned_of_it(returned: str) -> None:
    assert read_bounce(notice("failed", returned=returned)).message == MESSAGE


def test_the_envelopes_own_name_comes_first() -> None:
    envelope = "Original-Envelope-Id: report-7-0123456789abcdef0123456789+40forum.example"
    assert read_bounce(notice("failed", envelope=envelope, headers="")).message == MESSAGE


def test_of_several_the_worst_counts() -> None:
    assert read_bounce(notice("delivered", "failed", "relayed")).fate is Fate.FAILED
    assert read_bounce(notice("delivered", "delayed")).fate is Fate.DELAYED


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no notice of a mail server"),
        (b"Subject: Re: Report 7\n\nThank you.\n", "no notice of a mail server"),
        (notice(), "does not say what became"),
        (notice("dancing"), "does not say what became"),
        (notice("failed", headers="Subject: x\n"), "does not say which mail"),
        (notice("failed", headers="Message-ID: <\n"), "does not say which mail"),
        (b"x" * (MOST_BYTES + 1), "too large"),
    ],
)
def test_what_is_no_notice_is_refused_with_a_remedy(content: bytes, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        read_bounce(content)


@given(st.binary(max_size=2000), st.integers(0, 1200))
def test_no_mail_breaks_it(junk: bytes, at: int) -> None:
    good = notice("failed")
    for content in (junk, good[:at] + junk + good[at:], good[:at]):
        try:
            found = read_bounce(content)
        except InvalidInputError:
            continue
        assert found.words.isprintable()
        assert len(found.words) <= 300


def test_a_status_that_is_none_is_left_out() -> None:
    assert read_bounce(notice("failed", status="nonsense")).code == ""

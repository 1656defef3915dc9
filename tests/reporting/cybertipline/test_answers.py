"""Answers come from whoever answered: what is no answer is never believed."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.reporting.cybertipline.answers import (
    MOST_BYTES,
    MOST_DESCRIPTION,
    Answer,
    Call,
    UnreadableAnswerError,
    read_answer,
)
from tutela.reporting.cybertipline.parsing import parse
from tutela.reporting.cybertipline.schema import own_schema

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MD5 = "fafa5efeaf3cbe3b23b2748d13e629a1"


def answer(*children: str, root: str = "reportResponse") -> bytes:
    inner = "\n ".join(children)
    return f"{_HEAD}<{root}>\n {inner}\n</{root}>".encode()


_CODE = "<responseCode>0</responseCode>"
_REPORT = "<reportId>4564654</reportId>"
_SUBMITTED = answer(_CODE, "<responseDescription>Success</responseDescription>", _REPORT)
_UPLOADED = answer(_CODE, _REPORT, "<fileId>b0754af7</fileId>", f"<hash>{_MD5.upper()}</hash>")
_FINISHED = answer(
    _CODE,
    _REPORT,
    "<files><fileId>b0754af7</fileId><fileId>2</fileId></files>",
    root="reportDoneResponse",
)


@pytest.mark.parametrize(
    ("call", "body", "read"),
    [
        (Call.STATUS, answer(_CODE), Answer(0)),
        (Call.SUBMIT, _SUBMITTED, Answer(0, "Success", 4_564_654)),
        (Call.UPLOAD, _UPLOADED, Answer(0, "", 4_564_654, "b0754af7", _MD5)),
        (Call.FILEINFO, answer(_CODE, _REPORT), Answer(0, "", 4_564_654)),
        (Call.FINISH, _FINISHED, Answer(0, "", 4_564_654, files=("b0754af7", "2"))),
        (Call.RETRACT, answer(_CODE, _REPORT), Answer(0, "", 4_564_654)),
    ],
)
def test_each_call_s_answer_is_read(call: Call, body: bytes, read: Answer) -> None:
    assert read_answer(call, body) == read
    assert own_schema().complaints(parse(body)) == []


@pytest.mark.parametrize("call", list(Call))
def test_a_failure_needs_its_code_and_nothing_else(call: Call) -> None:
    failed = answer("<responseCode>5102</responseCode>", "<responseDescription/>", "<reportId/>")
    assert read_answer(call, failed) == Answer(5102)
    assert not read_answer(call, failed).is_success


def test_finish_s_shape_is_inferred_so_files_may_stand_in_several_ways() -> None:
    files = "<files><file><fileId>1</fileId></file></files><files><fileId>2</fileId></files>"
    body = answer(_CODE, files, root="reportDoneResponse")
    assert read_answer(Call.FINISH, body).files == ("1", "2")
    assert read_answer(Call.FINISH, answer(_CODE)).is_success


def test_what_the_authority_adds_is_passed_over() -> None:
    body = answer(_CODE, _REPORT, "<more><of><it/></of></more>")
    assert read_answer(Call.SUBMIT, body).report_id == 4_564_654


def test_words_of_strangers_are_one_short_line_without_what_nobody_sees() -> None:
    said = f"<responseDescription>a\n\u202eb\u200b {'x' * 9000}</responseDescription>"
    read = read_answer(Call.STATUS, answer(_CODE, said))
    assert read.description.startswith("a b xxx")
    assert len(read.description) == MOST_DESCRIPTION


_BOMB = (
    '<!DOCTYPE r [<!ENTITY a0 "0">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]><reportResponse><responseCode>&a11;</responseCode></reportResponse>"
)


def _coded(text: str) -> bytes:
    return answer(f"<responseCode>{text}</responseCode>", _REPORT)


_HOSTILE = [
    b"",
    b"OK",
    b'{"responseCode": 0}',
    b"<html><body>502 Bad Gateway</body></html>",
    b"<reportResponse/>",
    answer(_REPORT),
    answer(_CODE, _CODE, _REPORT),
    answer(_CODE, root="reportDoneResponses"),
    answer("<responseCode><b>0</b></responseCode>", _REPORT),
    answer("<wrapped><responseCode>0</responseCode></wrapped>", _REPORT),
    _coded(""),
    _coded("zero"),
    _coded("0x0"),
    _coded("-1"),
    _coded("+0"),
    _coded("0.0"),
    _coded("1e3"),
    _coded("\u0660"),  # a zero, in Arabic
    _coded("4 100"),
    _coded("2147483648"),
    _coded("9" * 5000),
    answer(_CODE, "<reportId>none</reportId>"),
    answer(_CODE, "<reportId>9223372036854775808</reportId>"),
    answer(_CODE, f"<reportId>{'9' * 100_000}</reportId>"),
    answer(_CODE, _REPORT, _REPORT),
    answer(_CODE, _REPORT, "<fileId>../../etc</fileId>"),
    answer(_CODE, _REPORT, f"<fileId>{'a' * 101}</fileId>"),
    answer(_CODE, _REPORT, "<hash>0123</hash>"),
    answer(_CODE, _REPORT, "<files><fileId>a b</fileId></files>"),
    answer(_CODE, _REPORT, "<files><fileId><x/></fileId></files>"),
    b"<!DOCTYPE reportResponse>" + answer(_CODE, _REPORT).split(b"\n", 1)[1],
    _BOMB.encode(),
    b"<reportResponse>" * 100_000,
    answer(_CODE, _REPORT, "<a>" * 20 + "</a>" * 20),
    answer(_CODE, _REPORT, " " * MOST_BYTES),
    answer(_CODE, _REPORT).decode().encode("utf-16"),
    b"\x1f\x8b\x08\x00" + b"\x00" * 50,
    answer(_CODE, _REPORT)[:-3],
    answer(_CODE, _REPORT) + b"<more/>",
]


@pytest.mark.parametrize("body", _HOSTILE, ids=range(len(_HOSTILE)))
def test_hostile_answers_are_unreadable_and_nothing_else(body: bytes) -> None:
    with pytest.raises(UnreadableAnswerError, match="the authority's answer to submit"):
        read_answer(Call.SUBMIT, body)


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (Call.SUBMIT, answer(_CODE)),
        (Call.SUBMIT, answer(_CODE, "<reportId>0</reportId>")),
        (Call.UPLOAD, answer(_CODE, _REPORT)),
        (Call.UPLOAD, answer(_CODE, _REPORT, "<fileId>1</fileId>")),
        (Call.UPLOAD, answer(_CODE, _REPORT, f"<hash>{_MD5}</hash>")),
        (Call.UPLOAD, _FINISHED),
    ],
)
def test_a_success_that_lacks_what_is_needed_is_none(call: Call, body: bytes) -> None:
    with pytest.raises(UnreadableAnswerError):
        read_answer(call, body)


@given(st.binary(max_size=300), st.sampled_from(list(Call)))
def test_any_bytes_are_an_answer_or_unreadable(body: bytes, call: Call) -> None:
    with contextlib.suppress(UnreadableAnswerError):
        read_answer(call, body)


@given(
    st.sampled_from([_SUBMITTED, _UPLOADED, _FINISHED]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4),
    st.sampled_from(list(Call)),
)
def test_a_garbled_answer_is_an_answer_or_unreadable(
    body: bytes, changes: list[tuple[int, int]], call: Call
) -> None:
    garbled = bytearray(body)
    for place, byte in changes:
        garbled[place % len(garbled)] = byte
    try:
        read = read_answer(call, bytes(garbled))
    except UnreadableAnswerError:
        return
    assert 0 <= read.code < 2**31
    assert read.report_id is None or 0 < read.report_id < 2**63

"""Every format, as the programs named write it; and what is refused at the door."""

import hashlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.hashlists.formats.detecting import SAMPLE, detect
from tutela.hashlists.formats.json_rows import LONGEST_RECORD
from tutela.hashlists.formats.lines import LONGEST_LINE
from tutela.hashlists.model import ListRow, RejectedRow

MD5, SHA1, WIDE = "a1" * 16, "b2" * 20, "c3" * 32


def read(
    content: bytes | str, name: str = "list", kind: Kind | None = None
) -> list[ListRow | RejectedRow]:
    content = content.encode() if isinstance(content, str) else content
    found = detect(content[:SAMPLE], name, kind)
    return list(found.read(io.BytesIO(content)))


def good(rows: list[ListRow | RejectedRow]) -> list[tuple[int, str, str, int | None, str]]:
    return [
        (row.number, str(row.fingerprint.kind), row.fingerprint.text, row.quality, row.label)
        for row in rows
        if isinstance(row, ListRow)
    ]


def bad(rows: list[ListRow | RejectedRow]) -> list[tuple[int, str]]:
    return [(row.number, row.reason) for row in rows if isinstance(row, RejectedRow)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_with_a_header_is_read_by_its_names(delimiter: str, end: str, mark: str) -> None:
    lines = [
        ["Name", "MD5", "SHA-1", "PDQ", "Quality", "Category"],
        ["one", MD5.upper(), "", WIDE, "88", "A1"],
        ["two", "", SHA1, "", "", ""],
        [],
        ["three", MD5],
    ]
    rows = read(mark + end.join(delimiter.join(line) for line in lines))
    assert good(rows) == [
        (2, "md5", MD5, None, "A1"),
        (2, "pdq", WIDE, 88, "A1"),
        (3, "sha1", SHA1, None, ""),
        (5, "md5", MD5, None, ""),
    ]
    assert not bad(rows)


def test_a_kind_column_tells_what_the_hash_is() -> None:
    rows = read(f"type,hash\nSHA256,{WIDE}\npdq,{WIDE}\nmd5,{MD5}\nvpdq,{WIDE}\nmd5,{SHA1}\n")
    assert [row[1] for row in good(rows)] == ["sha256", "pdq", "md5"]
    assert [number for number, _ in bad(rows)] == [5, 6]


def test_other_words_in_a_kind_column_matter_only_to_hashes_that_need_it() -> None:
    rows = read(f"md5,hash,type\n{MD5},,image\n{MD5},{SHA1},video/mp4\n,{SHA1},SHA-1\n")
    assert good(rows) == [
        (2, "md5", MD5, None, ""),
        (3, "md5", MD5, None, ""),
        (4, "sha1", SHA1, None, ""),
    ]
    [(line, reason)] = bad(rows)
    assert line == 3
    assert "kinds are md5" in reason


@pytest.mark.parametrize("kind", [Kind.MD5, Kind.SHA1, Kind.SHA256])
@pytest.mark.parametrize(
    "form", ["{kind} {hash}", "hash,kind\n{hash},{kind}", '{{"{kind}":"{hash}"}}']
)
def test_the_hash_of_an_empty_file_is_rejected_in_every_format(kind: Kind, form: str) -> None:
    rows = read(form.format(kind=kind, hash=hashlib.new(kind).hexdigest()))
    assert not good(rows)
    assert ["empty file" in reason for _, reason in bad(rows)] == [True]


def test_quoted_values_may_hold_delimiters_quotes_and_line_breaks() -> None:
    rows = read(f'hash,note\n"{MD5}","a, ""b""\nc\n"\n{SHA1},x\n')
    assert good(rows) == [(2, "md5", MD5, None, ""), (5, "sha1", SHA1, None, "")]


def test_a_quote_that_never_closes_costs_its_own_line_only() -> None:
    stray = f'hash,note\n{MD5},"open\n' + f"{SHA1},x\n" * 100
    rows = read(stray)
    assert [number for number, _ in bad(rows)] == [2]
    assert len(good(rows)) == 100


def test_a_quote_within_a_value_is_no_quote() -> None:
    rows = read(f'hash,note\n{MD5},5" wide\n{SHA1},7" wide\n')
    assert [row[0] for row in good(rows)] == [2, 3]


@pytest.mark.parametrize(
    ("line", "kind", "quality"),
    [
        (WIDE, "pdq", None),
        (f"{WIDE},100", "pdq", 100),
        (f"{WIDE},73,data/bridge.jpg", "pdq", 73),
        (f"hash={WIDE},norm=128,delta=2,quality=99,filename=a.jpg", "pdq", 99),
        (f"pdq {WIDE}", "pdq", None),
        (f"video_md5 {MD5}", "md5", None),
        (f"{MD5}  some file, 12.jpg", "md5", None),
        (f"{SHA1} *file", "sha1", None),
        (f"\\{MD5}  a\\nb", "md5", None),
        (f"SHA256 (a = b (c).jpg) = {WIDE}", "sha256", None),
        (f'"{MD5}"', "md5", None),
        (f"  {MD5}\t", "md5", None),
        (f"{WIDE},1000", "pdq", None),
    ],
)
def test_a_plain_line_is_read_as_its_program_wrote_it(
    line: str, kind: str, quality: int | None
) -> None:
    rows = read(f"# a comment\n\n{line}\n{line}", name="pdq.txt")
    assert bad(rows) == []
    assert [(number, found, q) for number, found, _, q, _ in good(rows)] == [
        (3, kind, quality),
        (4, kind, quality),
    ]


def test_json_lines_are_objects_or_strings() -> None:
    rows = read(
        json.dumps({"pdq": WIDE, "quality": 60, "label": "B2", "tags": []})
        + f'\n"{MD5}"\n\n{{"hash": "{SHA1}", "kind": "sha1"}}\nnonsense\n[1]\n{{"x": 1}}\n'
        + json.dumps({"md5": MD5, "quality": 1.5})
    )
    assert good(rows) == [
        (1, "pdq", WIDE, 60, "B2"),
        (2, "md5", MD5, None, ""),
        (4, "sha1", SHA1, None, ""),
        (8, "md5", MD5, None, ""),
    ]
    assert [number for number, _ in bad(rows)] == [5, 6, 7]


@pytest.mark.parametrize(
    "context",
    [
        {"odata.metadata": "http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Media"},
        {"@odata.context": "http://x/ProjectVic/DataModels/2.0.xml/US/$metadata#Media"},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_project_vic_hash_set_is_read(context: dict[str, str], indent: int | None) -> None:
    media = [
        {
            "MediaID": number,
            "Category": number,
            "MD5": f"{number:032X}",
            "SHA1": f"{number:040X}",
            "MediaSize": 12,
            "MediaFiles": [{"FileName": "a, {b] \\"}],
            "IsPrecategorized": "false",
            "Series": None,
        }
        for number in range(1, 500)
    ]
    rows = read(json.dumps({**context, "value": media}, indent=indent))
    assert not bad(rows)
    assert good(rows)[:3] == [
        (1, "md5", f"{1:032x}", None, "1"),
        (1, "sha1", f"{1:040x}", None, "1"),
        (2, "md5", f"{2:032x}", None, "2"),
    ]
    assert len(rows) == 2 * 499


def test_every_case_of_a_project_vic_case_file_is_read() -> None:
    cases = [
        {"CaseID": "1", "Media": [{"MD5": MD5}, {"MD5": "d4" * 16}]},
        {"CaseID": "2", "Media": []},
        {"CaseID": "3", "Media": [{"MD5": "e5" * 16}]},
    ]
    rows = read(json.dumps({"odata.metadata": "x/DataModels/1.3.xml#Cases", "value": cases}))
    assert [row[2] for row in good(rows)] == [MD5, "d4" * 16, "e5" * 16]
    assert not bad(rows)


def vic(*records: str) -> str:
    return '{"odata.metadata": "x#Media", "value": [' + ",\n".join(records) + "]}"


def record(number: int) -> str:
    return f'{{"MD5": "{number:032x}", "MediaFiles": [{{"FileName": "x"}}, {{"FileName": "y"}}]}}'


@pytest.mark.parametrize(
    "broken",
    [
        '{"MD5": oops, "MediaFiles": [{"a": 1}, {"b": 2}]}',
        '{"MD5": "\udcff"}',
        '{"MD5" "x"}',
        '{"MD5": "' + "a" * (2 * LONGEST_RECORD) + '}, {"x": 1',
        "{" * 50_000,
    ],
)
def test_a_broken_record_costs_itself_and_not_those_behind_it(broken: str) -> None:
    records = [record(number) for number in range(1, 8)]
    text = vic(*records[:3], broken, *records[3:])
    rows = read(text.encode("utf-8", "surrogateescape"))
    found = [row[2] for row in good(rows)]
    assert found[:3] == [f"{number:032x}" for number in (1, 2, 3)]
    # The one behind a record without an end may be taken for a part of it.
    assert found[-3:] == [f"{number:032x}" for number in (5, 6, 7)]
    assert 4 in [number for number, _ in bad(rows)]


def test_a_json_file_that_was_cut_off_is_not_taken_for_whole() -> None:
    whole = vic(*(record(number) for number in range(1, 50)))
    assert not bad(read(whole))
    for cut in (len(whole) - 2, len(whole) - 40, whole.rindex(",\n") + 1):
        assert bad(read(whole[:cut]))


@given(
    st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=30),
    st.integers(1, 50),
)
def test_a_json_array_is_read_however_it_is_cut_into_pieces(values: list[bytes], size: int) -> None:
    class Dripping(io.BytesIO):
        def read(self, _count: int | None = -1) -> bytes:
            return super().read(size)

    text = json.dumps([{"md5": value.hex(), "name": "é"} for value in values], ensure_ascii=False)
    found = detect(text.encode(), "list", None).read(Dripping(text.encode()))
    assert [row[2] for row in good(list(found))] == [value.hex() for value in values]


def test_64_digits_are_not_guessed() -> None:
    for content in (WIDE, f"hash\n{WIDE}\n", json.dumps([WIDE]), f"{MD5}\n{WIDE},12\n"):
        with pytest.raises(InvalidInputError, match="--kind"):
            read(content)
        assert good(read(content, kind=Kind.SHA256))[-1][1] == "sha256"
        assert good(read(content, name="my-sha256-list.txt"))[-1][1] == "sha256"
        assert good(read(content, name="PDQ hashes.csv"))[-1][1] == "pdq"
        with pytest.raises(InvalidInputError, match="--kind"):
            read(content, name="pdq-and-sha256.txt")


def test_64_digits_beside_a_quality_column_are_pdq() -> None:
    assert good(read(f"hash,quality\n{WIDE},50\n")) == [(2, "pdq", WIDE, 50, "")]


def test_64_digits_far_behind_in_the_file_are_rejected_one_by_one() -> None:
    rows = read(f"{MD5}\n" * 5000 + f"{WIDE}\n")
    assert [number for number, reason in bad(rows) if "--kind" in reason] == [5001]


def test_a_stated_kind_holds_for_all_that_do_not_say_their_own() -> None:
    rows = read(f"{MD5}\n{SHA1}\n", kind=Kind.SHA1)
    assert [row[1] for row in good(rows)] == ["sha1"]
    assert bad(rows) == [(1, "a sha1 hash has 40 hexadecimal digits, not 32")]
    assert good(read(f"md5\n{MD5}\n", kind=Kind.SHA1))[0][1] == "md5"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff\xfe" + MD5.encode(), "not UTF-8"),
        (MD5[:16].encode() + b"\0" + MD5[16:].encode(), "NUL"),
        (b"a" * (3 * LONGEST_LINE), "longer than"),
        (b"zz" * 16, "not hexadecimal"),
        (b"abcd", "are no hash"),
        (b"photodna " + WIDE.encode(), "kind cannot be used"),
        (b"vpdq " + WIDE.encode(), "all its frames"),
        (b"sha1 " + MD5.encode(), "has 40"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_read(line: bytes, reason: str) -> None:
    rows = read(MD5.encode() + b"\n" + line + b"\n" + SHA1.encode() + b"\n")
    assert [row[:2] for row in good(rows)] == [(1, "md5"), (3, "sha1")]
    assert [number for number, _ in bad(rows)] == [2]
    assert reason in bad(rows)[0][1]


def test_rejected_text_is_short_and_printable() -> None:
    rows = read(f"{MD5}\n\x1b[31m{'x' * 5000}\n")
    texts = [row.text for row in rows if isinstance(row, RejectedRow)]
    assert len(texts) == 1
    assert texts[0].isprintable()
    assert len(texts[0]) < 1000


@pytest.mark.parametrize("quality", ["101", "-1", "high", "5.5"])
def test_a_quality_that_is_none_is_rejected(quality: str) -> None:
    rows = read(f"pdq,quality\n{WIDE},{quality}\n")
    assert [number for number, _ in bad(rows)] == [2]


def test_a_label_that_cannot_be_kept_is_rejected() -> None:
    rows = read(json.dumps({"md5": MD5, "label": "a\ud800"}) + "\n" + f'{{"md5": "{SHA1[:32]}"}}')
    assert [row[0] for row in good(rows)] == [2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"PK\x03\x04...", "zip archive: unpack it"),
        (f"{MD5}\n".encode("utf-16"), "UTF-16.*iconv"),
        (f"{MD5}\n".encode("utf-16-le"), "UTF-16.*iconv"),
        (f"{MD5}\n".encode("utf-16-be"), "UTF-16.*iconv"),
        (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20, "not a list"),
        (b'{\n "name": "x",\n "things": {}\n}', "neither a list"),
    ],
)
def test_a_file_that_is_no_list_is_refused_before_anything_is_imported(
    content: bytes, reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        read(content)


@given(st.binary(max_size=300))
def test_no_file_whatsoever_breaks_the_reader(content: bytes) -> None:
    try:
        rows = read(content, kind=Kind.MD5)
    except InvalidInputError:
        return
    assert all(isinstance(row, ListRow | RejectedRow) for row in rows)


@given(st.text(alphabet='ab01,;\t"\n\r#\\{}[]: ', max_size=300))
def test_no_text_whatsoever_breaks_the_reader(content: str) -> None:
    try:
        rows = read(content, kind=Kind.MD5)
    except InvalidInputError:
        return
    lines = content.count("\n") + 1
    assert all(row.number <= max(lines, len(rows)) for row in rows)


@given(
    st.lists(
        st.sampled_from([kind for kind in Kind if kind is not Kind.VPDQ]).flatmap(
            lambda kind: st.binary(min_size=kind.width, max_size=kind.width).map(
                lambda value: Fingerprint(kind, value)
            )
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(["csv", "jsonl", "array", "words"]),
)
def test_what_says_its_kind_comes_back_from_every_format(
    fingerprints: list[Fingerprint], form: str
) -> None:
    objects = [{"kind": str(each.kind), "hash": each.text} for each in fingerprints]
    match form:
        case "csv":
            text = "kind,hash\n" + "".join(f"{each.kind},{each.text}\n" for each in fingerprints)
        case "jsonl":
            text = "".join(json.dumps(each) + "\n" for each in objects)
        case "array":
            text = json.dumps(objects)
        case _:
            text = "".join(f"{each.kind} {each.text}\n" for each in fingerprints)
    rows = read(text)
    assert [row.fingerprint for row in rows if isinstance(row, ListRow)] == fingerprints


def test_addresses_are_read_from_columns_that_say_how_far_they_reach() -> None:
    rows = read(
        "kind,value,label\n"
        "url,https://www.example.org//a?b,A1\n"
        "url_prefix,https://example.org/c/,\n"
        "domain,*.example.net,\n"
        'text,"Some, WORDS",\n'
        f"domain,{WIDE},\n"
        "url,not an address at all,\n"
        "url,https://example.org/a,b,c\n"
    )
    assert good(rows) == [
        (2, "url", sha256("example.org/a?b"), None, "A1"),
        (3, "url_prefix", sha256("example.org/c"), None, ""),
        (4, "domain", sha256("example.net"), None, ""),
        (5, "text", sha256("some, words"), None, ""),
        (6, "domain", WIDE, None, ""),
    ]
    assert [number for number, _ in bad(rows)] == [7, 8]


def test_of_columns_named_for_addresses_each_makes_an_entry_unless_there_are_hashes() -> None:
    rows = read("url;domain\nhttps://example.org/a,b;example.net\n")
    assert [kind for _, kind, *_ in good(rows)] == ["url", "domain"]
    rows = read(f"url,md5\nhttps://example.org/a,{MD5}\n")
    assert [kind for _, kind, *_ in good(rows)] == ["md5"]
    rows = read("url\nhttps://example.org/a,b\n")
    assert good(rows) == [(2, "url", sha256("example.org/a,b"), None, "")]


def test_lines_of_addresses_and_texts_are_read_whole() -> None:
    assert good(read("https://example.org/a b,c\nhxxp://x.example\ndomain example.net\n")) == [
        (1, "url", sha256("example.org/a%20b,c"), None, ""),
        (3, "domain", sha256("example.net"), None, ""),
    ]
    assert good(read("example.org/a\nhxxps://example[.]org\n", kind=Kind.URL_PREFIX)) == [
        (1, "url_prefix", sha256("example.org/a"), None, ""),
        (2, "url_prefix", sha256("example.org"), None, ""),
    ]
    assert good(read("# texts\nmd5 some, words\n", kind=Kind.TEXT)) == [
        (2, "text", sha256("md5 some, words"), None, "")
    ]


def sha256(form: str) -> str:
    return hashlib.sha256(form.encode()).hexdigest()

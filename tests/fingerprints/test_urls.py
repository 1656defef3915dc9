"""Addresses are taken apart as browsers do it, and those that lead to one place have one form."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tutela.fingerprints.urls import LONGEST_URL, NoAddressError, Url, broken_apart, read_url

# From the table that Safe Browsing publishes ("URLs and hashing", "Canonicalization"), without the
# port and the scheme, which it leaves out of what it makes digests of. Left out is its one address
# whose host no browser takes, and its address with a byte that is no text.
PUBLISHED = [
    ("http://host/%25%32%35", "host/%25"),
    ("http://host/%25%32%35%25%32%35", "host/%25%25"),
    ("http://host/%2525252525252525", "host/%25"),
    ("http://host/asdf%25%32%35asd", "host/asdf%25asd"),
    ("http://host/%%%25%32%35asd%%", "host/%25%25%25asd%25%25"),
    ("http://www.google.com/", "www.google.com/"),
    (
        "http://%31%36%38%2e%31%38%38%2e%39%39%2e%32%36/%2E%73%65%63%75%72%65/%77%77%77%2E%65",
        "168.188.99.26/.secure/www.e",
    ),
    ("http://195.127.0.11/uploads/%20%20/.verify/", "195.127.0.11/uploads/%20%20/.verify/"),
    ("http://3279880203/blah", "195.127.0.11/blah"),
    ("http://www.google.com/blah/..", "www.google.com/"),
    ("www.google.com/", "www.google.com/"),
    ("www.google.com", "www.google.com/"),
    ("http://www.evil.com/blah#frag", "www.evil.com/blah"),
    ("http://www.GOOgle.com/", "www.google.com/"),
    ("http://www.google.com.../", "www.google.com/"),
    ("http://www.google.com/foo\tbar\rbaz\n2", "www.google.com/foobarbaz2"),
    ("http://www.google.com/q?r?", "www.google.com/q?r?"),
    ("http://www.google.com/q?r?s", "www.google.com/q?r?s"),
    ("http://evil.com/foo#bar#baz", "evil.com/foo"),
    ("http://evil.com/foo;", "evil.com/foo;"),
    ("http://evil.com/foo?bar;", "evil.com/foo?bar;"),
    ("http://notrailingslash.com", "notrailingslash.com/"),
    ("http://www.gotaport.com:1234/", "www.gotaport.com/"),
    ("  http://www.google.com/  ", "www.google.com/"),
    ("http:// leadingspace.com/", None),
    ("http://%20leadingspace.com/", None),
    ("https://www.securesite.com/", "www.securesite.com/"),
    ("http://host.com/ab%23cd", "host.com/ab%23cd"),
    ("http://host.com//twoslashes?more//slashes", "host.com/twoslashes?more//slashes"),
]

OF_ONE_PLACE = [
    "http://example.org/a/b?c=%26",
    "https://example.org/a/b?c=%26",
    "HTTP://user:word@EXAMPLE.org:80/a/b?c=%26#d",
    "https://example.org:8443/a/b?c=%26",
    "example.org/a/b?c=%26",
    "//example.org/a/b?c=%26",
    "https:example.org/a/b?c=%26",
    r"https:\\example.org\a\b?c=%26",
    "https:////example.org/a/b?c=%26",
    " https://exam\nple.org/a/\tb?c=%26 ",
    "https://example.org./a/b?c=%26",
    "https://ex%61mple.org/%61/b?c=%26",
    "https://ex%2561mple.org/%252561/b?c=%25252526",
    "https://\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45。org/a/b?c=%26",
    "https://example.org/x/../a/./b?c=%26",
    "https://example.org/x/%2e%2E/a//b?c=%26",
    "https://example.org/../a/b?c=&",
    "hxxps://example[.]org/a/b?c=%26",
    "hxxps[://]example(.)org/a/b?c=%26",
    "ftp://example.org/a/b?c=%26",
]


@pytest.mark.parametrize(("text", "form"), PUBLISHED)
def test_the_one_form_is_the_published_one(text: str, form: str | None) -> None:
    if form is None:
        with pytest.raises(NoAddressError):
            read_url(text)
    else:
        assert read_url(text).normal_form == form


@pytest.mark.parametrize("text", OF_ONE_PLACE)
def test_addresses_that_lead_to_one_place_have_one_form(text: str) -> None:
    assert read_url(text).normal_form == "example.org/a/b?c=&"


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "http://127.1",
        "http://2130706433",
        "http://0x7f.0.0.1",
        "http://0177.0.0x0.1/",
        "http://017700000001",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://①②⑦.0.0.1",
        "http://127。0。0。1.",
        "http://%31%32%37.0.0.1",
        "http://example.org@127.0.0.1/",
        "http://example.org:80@127.0.0.1",
    ],
)
def test_an_address_of_a_machine_is_one_in_whatever_way_it_is_written(text: str) -> None:
    assert read_url(text).host == "127.0.0.1"
    assert str(read_url(text).address) == "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        (r"http://example.org\@127.0.0.1/", "example.org"),
        ("http://example.org#@127.0.0.1/", "example.org"),
        ("http://example.org?@127.0.0.1/", "example.org"),
        ("http://a@b@127.0.0.1/", "127.0.0.1"),
        ("http://[2001:DB8:0:0::1]:80/", "[2001:db8::1]"),
        ("http://MÜNCHEN.example/", "xn--mnchen-3ya.example"),
        ("http://xn--MNCHEN-3ya.example/", "xn--mnchen-3ya.example"),
        ("http://faß.example/", "xn--fa-hia.example"),
        ("http://i❤.example/", "xn--i-7iq.example"),
        ("http://a_b.example/", "a_b.example"),
        ("http://exam\u00adple.org/", "example.org"),
        ("example.org:8080/x", "example.org"),
    ],
)
def test_a_host_is_what_a_browser_would_go_to(text: str, host: str) -> None:
    assert read_url(text).host == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://",
        "https:///",
        "mailto:somebody@example.org",
        "javascript:alert(1)",
        "data:text/plain,words",
        "http://exa mple.org/",
        "http://exa<mple.org/",
        "http://%00.example/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://08.1.1.1/",
        "http://[::1",
        "http://[::1]x/",
        "http://[fe80::1%25eth0]/",
        "http://example.org:65536/",
        "http://example.org:+80/",
        "http://example.org:٨٠/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 127 + "example/",
        "http://example.org/" + "a" * LONGEST_URL,
        "http://\u2fff.example/",
    ],
)
def test_what_no_browser_would_go_to_is_no_address(text: str) -> None:
    with pytest.raises(NoAddressError):
        read_url(text)


def test_what_is_asked_for_is_as_it_was_written() -> None:
    url = read_url("https://user@example.org:8443/a/%2e%2E/ö b//c\\d{'?q=%2e%2e/..\\ü{'#f")
    assert (url.scheme, url.port, url.has_user) == ("https", 8443, True)
    assert url.target == "/%C3%B6%20b//c/d%7B'?q=%2e%2e/..\\%C3%BC{%27"
    assert url.normal_form == "example.org/%C3%B6%20b/c/d{'?q=../..\\%C3%BC{'"


@pytest.mark.parametrize(
    ("reference", "form"),
    [
        ("/x", "example.org/x"),
        ("x?y", "example.org/a/x?y"),
        ("../x", "example.org/x"),
        ("//other.example/x", "other.example/x"),
        (r"\\other.example\x", "other.example/x"),
        ("https://other.example/x#y", "other.example/x"),
        (" \thttps://other.example/x", "other.example/x"),
        ("?y=/../", "example.org/a/b?y=/../"),
        ("#y", "example.org/a/b?q"),
        ("", "example.org/a/b?q"),
    ],
)
def test_a_reference_means_what_it_means_in_a_browser(reference: str, form: str) -> None:
    assert read_url("http://example.org:8080/a/b?q").joined(reference).normal_form == form


letters = st.sampled_from([*"ab./?#%&=\\:@[]2eE5f0 \t+;~", "ö", "\u3002", "❤", "\x7f", "\uff58"])
tails = st.lists(letters, max_size=25).map("".join)


@given(tails)
@example("%3F%23%5C/..%5c/%2e/%25%32%66")
@example("/a%2f..%2f?%3f#")
def test_the_one_form_has_itself_as_its_form(tail: str) -> None:
    url = read_url(f"https://example.org/{tail}")
    form = url.normal_form
    assert read_url(form).normal_form == form
    assert form.isascii()
    assert url.target.isascii()
    assert " " not in url.target


@given(st.lists(letters, max_size=15).map("".join))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        url = read_url(text)
    except NoAddressError:
        return
    assert read_url(url.normal_form).host == url.host
    assert read_url(url.normal_form).normal_form == url.normal_form


segments = st.text("abcé-_~", min_size=1, max_size=5)


@given(st.lists(segments, min_size=1, max_size=4), st.sampled_from([quote, str.strip]), st.data())
def test_what_does_not_matter_does_not_change_the_form(
    parts: list[str], written: object, data: st.DataObject
) -> None:
    plain = read_url("https://example.org/" + "/".join(parts)).normal_form
    between = st.sampled_from(["/", "//", "/./", "/x/../", "\\", "/%2E/", "/x/%2e%2e/"])
    path = "".join(
        data.draw(between) + data.draw(st.sampled_from([quote, quote_all, str]))(part)
        for part in parts
    )
    assert read_url(f"http://u:p@EXAMPLE.org.:81{path}#f").normal_form == plain


def quote_all(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def test_an_address_is_broken_apart_so_that_it_can_be_mended() -> None:
    assert broken_apart("https://a.example.org/b.c") == "hxxps://a[.]example[.]org/b.c"
    for text in ("HTTP://a.example", "https:a.example?b.c", "a.example/x", r"http:\\a.example\b.c"):
        assert ".example" not in broken_apart(text).replace("[.]", "")
        assert read_url(broken_apart(text)).normal_form == read_url(text).normal_form


def test_nested_encoding_takes_no_more_time_the_deeper_it_is() -> None:
    nested = "%" + "25" * 3_000 + "41"
    assert read_url(f"https://example.org/{nested}").normal_form == "example.org/A"


def test_an_address_is_a_plain_value() -> None:
    assert read_url("example.org") == Url("http", False, "example.org", None, "/", "", "/")


@pytest.mark.parametrize(
    "text", ["http://example.org:99000080/", f"http://{chr(0x4E00) * 64}.example/"]
)
def test_a_port_or_a_name_that_cannot_be_is_no_address(text: str) -> None:
    with pytest.raises(NoAddressError, match="of the address is not"):
        read_url(text)

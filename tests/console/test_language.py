import re

import pytest

from tutela.accounts.permissions import Permission
from tutela.console.language import choose, languages, own_texts, texts_by_file
from tutela.ledger.model import Act

UNITED_NATIONS = {"ar", "en", "es", "fr", "ru", "zh"}


def test_the_pages_speak_the_six_languages_of_the_united_nations() -> None:
    assert set(languages()) >= UNITED_NATIONS


@pytest.mark.parametrize("tag", sorted(UNITED_NATIONS))
def test_a_language_has_no_text_that_english_lacks(tag: str) -> None:
    english = texts_by_file("en")
    for file, texts in texts_by_file(tag).items():
        assert set(texts) <= set(english[file]), file
        assert all(text.strip() for text in texts.values())


@pytest.mark.parametrize("tag", sorted(UNITED_NATIONS))
def test_what_the_public_sees_is_whole_in_every_language(tag: str) -> None:
    texts = texts_by_file(tag)
    for file, english in texts_by_file("en").items():
        if file.startswith("public"):
            assert set(texts[file]) == set(english), file


def test_a_text_that_a_language_lacks_is_shown_in_english() -> None:
    for language in languages().values():
        assert set(language.texts) == set(own_texts("en"))


def test_no_key_is_in_two_files() -> None:
    keys = [key for texts in texts_by_file("en").values() for key in texts]
    assert sorted(keys) == sorted(set(keys))


def test_templates_can_name_every_key() -> None:
    # "say.items" would be what every mapping has, and not our text.
    assert not set(own_texts("en")) & set(dir(languages()["en"].texts))
    assert all(re.fullmatch("[a-z][A-Za-z0-9_]*", key) for key in own_texts("en"))


@pytest.mark.parametrize("tag", sorted(UNITED_NATIONS))
def test_what_a_text_leaves_open_is_left_open_in_every_language(tag: str) -> None:
    english = own_texts("en")
    for key, text in own_texts(tag).items():
        assert _gaps(text) == _gaps(english[key]), key


def _gaps(text: str) -> list[str]:
    return sorted(set(re.findall(r"{[a-z]+}", text)))


@pytest.mark.parametrize(
    ("tag", "script"),
    [("ar", "[\u0600-\u06ff]"), ("ru", "[\u0400-\u04ff]"), ("zh", "[\u4e00-\u9fff]")],
)
def test_a_language_with_its_own_script_is_written_in_it(tag: str, script: str) -> None:
    for key, text in own_texts(tag).items():
        assert re.search(script, text) or not re.search(r"\w\w", text), key


@pytest.mark.parametrize("tag", ["es", "fr"])
def test_sentences_are_not_left_in_english(tag: str) -> None:
    english = own_texts("en")
    same = {key for key, text in own_texts(tag).items() if text == english[key]}
    assert {key for key in same if " " in english[key].strip()} == set()


def test_only_arabic_runs_from_right_to_left() -> None:
    assert {tag: language.direction for tag, language in languages().items()} == {
        tag: "rtl" if tag == "ar" else "ltr" for tag in languages()
    }


def test_the_words_that_the_api_answers_with_are_in_every_language() -> None:
    for language in languages().values():
        for word in ("screen", "clear", "match", "unreadable"):
            assert word in language.texts["screen_text"], (language.tag, word)


@pytest.mark.parametrize(
    ("asked", "accepted", "spoken"),
    [
        (None, None, "en"),
        (None, "", "en"),
        (None, "fr", "fr"),
        (None, "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        (None, "en;q=0.5,ru;q=0.9", "ru"),
        (None, "es;q=0.7,zh;q=0.7", "es"),
        (None, "zh-Hant-TW", "zh"),
        (None, "fr;q=0,es;q=0.1", "es"),
        (None, "de,nl", "en"),
        (None, "de,ar;q=0.2", "ar"),
        (None, "fr;q=high", "en"),
        (None, ";;;,,q=", "en"),
        ("ar", "fr", "ar"),
        ("AR", None, "ar"),
        ("xx", "fr", "fr"),
        ("../../etc", None, "en"),
    ],
)
def test_a_visitor_gets_the_language_that_fits_best(
    asked: str | None, accepted: str | None, spoken: str
) -> None:
    assert choose(asked, accepted).tag == spoken


def test_texts_hold_no_markup() -> None:
    for language in languages().values():
        for key, text in language.texts.items():
            assert not set(re.sub(r"{[a-z]+}", "", text)) & set("<>{}\\"), (language.tag, key)


def test_what_each_permission_allows_is_said_as_the_code_says_it() -> None:
    english = texts_by_file("en")["permissions"]
    assert english == {f"may_{each.name.lower()}": each.meaning for each in Permission}


def test_whatever_the_ledger_can_hold_is_said_in_words() -> None:
    english = texts_by_file("en")["ledger_acts"]
    said = {f"did_{re.sub('[.-]', '_', each)}" for each in Act}
    assert {key for key in english if key.startswith("did_")} == said
    for language in languages().values():
        assert own_texts(language.tag).keys() >= english.keys()

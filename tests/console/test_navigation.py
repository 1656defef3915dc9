from tutela.console.navigation import NAVIGATION, line_of


def test_a_page_belongs_to_one_line():
    assert line_of("/lists") == "/lists"
    assert line_of("/lists/3") == "/lists"
    assert line_of("/lists/flags") == "/lists/flags"
    assert line_of("/listsome") == ""
    assert line_of("/me") == ""


def test_no_two_lines_have_one_key():
    keys = [entry.key for group in NAVIGATION for entry in group.entries]
    assert len(keys) == len(set(keys))

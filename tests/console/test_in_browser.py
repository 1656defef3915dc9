"""The pages in a real browser, under the content security policy that they are sent with."""

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import presence_of_all_elements_located
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser import complaints, running_browser, serving
from tests.console.house import house
from tutela.console.language import languages

PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}

# Relative luminance and contrast as in WCAG 2.2, of every text against the ground it stands on.
CONTRASTS = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => {
  const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const found = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || element.closest("noscript, script")) continue;
  const pair = [light(parse(getComputedStyle(element).color)), light(ground(element))];
  found.push([(Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05), element.textContent.trim()]);
}
return found;
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(house()) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with running_browser() as opened:
        yield opened


def find(browser: Chrome, selector: str) -> list[str]:
    wait = WebDriverWait(browser, 30)
    elements = wait.until(presence_of_all_elements_located((By.CSS_SELECTOR, selector)))
    return [element.text for element in elements]


def sent_colour_scheme(browser: Chrome, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def test_the_home_page_shows_without_a_complaint(browser: Chrome, address: str) -> None:
    browser.get(f"{address}/?lang=en")
    assert find(browser, "h1") == [languages()["en"].texts["headline"]]
    assert browser.execute_script("return document.styleSheets[0].cssRules.length") > 10
    assert complaints(browser) == []


def test_the_policy_forbids_what_a_page_does_not_need(browser: Chrome, address: str) -> None:
    browser.get(f"{address}/?lang=en")
    browser.execute_script("""
        const script = document.createElement("script");
        script.textContent = "window.intruded = true";
        document.body.append(script);
    """)
    assert browser.execute_script("return window.intruded") is None
    assert any("Content Security Policy" in message for message in complaints(browser))


def test_the_browsers_language_is_spoken(address: str) -> None:
    with running_browser(language="ar") as browser:
        browser.get(address)
        assert browser.execute_script("return getComputedStyle(document.body).direction") == "rtl"
        assert find(browser, "h1") == [languages()["ar"].texts["headline"]]
        logo, menu = (browser.find_element(By.CSS_SELECTOR, css).rect for css in (".brand", "nav"))
        assert logo["x"] > menu["x"]
        assert complaints(browser) == []


def test_another_language_is_one_click_away(browser: Chrome, address: str) -> None:
    browser.get(f"{address}/?lang=en")
    browser.find_element(By.LINK_TEXT, "Français").click()
    WebDriverWait(browser, 30).until(lambda page: page.current_url.endswith("?lang=fr"))
    assert find(browser, "h1") == [languages()["fr"].texts["headline"]]
    assert find(browser, "[aria-current]") == ["Français"]


def test_the_keyboard_reaches_the_content_first(browser: Chrome, address: str) -> None:
    browser.get(f"{address}/?lang=en")
    browser.switch_to.active_element.send_keys(Keys.TAB)
    skip = browser.switch_to.active_element
    assert skip.text == languages()["en"].texts["skip"]
    assert skip.value_of_css_property("outline-style") == "solid"
    skip.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "content"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_against_its_ground(
    browser: Chrome, address: str, scheme: str
) -> None:
    sent_colour_scheme(browser, scheme)
    browser.get(f"{address}/?lang=en")
    contrasts = browser.execute_script(CONTRASTS)
    assert len(contrasts) > 25
    assert [pair for pair in contrasts if pair[0] < 4.5] == []
    sent_colour_scheme(browser, "light")


@pytest.mark.parametrize("tag", sorted(languages()))
def test_nothing_is_cut_off_on_a_phone(browser: Chrome, address: str, tag: str) -> None:
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    browser.get(f"{address}/?lang={tag}")
    width = browser.execute_script("return document.documentElement.scrollWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert width <= PHONE["width"]


def test_the_documentation_lists_the_operations(browser: Chrome, address: str) -> None:
    browser.get(f"{address}/docs")
    assert find(browser, ".opblock-summary-description") == [
        "Say what the weather is like",
        "Greet somebody",
    ]
    assert complaints(browser) == []


def test_an_operation_can_be_tried_out_without_a_complaint(browser: Chrome, address: str) -> None:
    browser.get(f"{address}/docs")
    find(browser, ".opblock-summary-control")
    browser.find_element(By.CSS_SELECTOR, ".opblock-get .opblock-summary-control").click()
    find(browser, ".opblock-get .execute")
    browser.find_element(By.CSS_SELECTOR, ".opblock-get .execute").click()
    assert "fine" in "".join(find(browser, ".live-responses-table .response-col_description"))
    assert complaints(browser) == []

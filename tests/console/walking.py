"""A person at a real browser, who walks through the pages and looks whether all is well.

Each page is looked at in the light, in the dark, and from right to left: axe-core finds nothing,
the content security policy has nothing to complain of, and nothing is cut off on a tablet. If
``TUTELA_TEST_SCREENSHOTS`` names a folder, pictures are left there.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import presence_of_element_located
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser import complaints, running_browser
from tests.console.visitors import COOKIE, new_person, new_session
from tests.house import House
from tutela.accounts.people import Person
from tutela.accounts.permissions import Role

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
DESK, TABLET = (1280, 900), (768, 1024)
# What axe-core is asked of a page: everything once, and of its other looks what they can change.
# Colours take it longest.
_COLOURS, _OTHER_THAN_COLOURS = (
    {"runOnly": ["color-contrast"]},
    {"rules": {"color-contrast": {"enabled": False}}},
)


class Walker:
    """Somebody at a browser.

    Attributes:
        browser: Their browser.
        house: The house whose pages they look at.
    """

    def __init__(self, browser: Chrome, house: House) -> None:
        self.browser = browser
        self.house = house
        browser.execute_cdp_cmd("Network.enable", {})
        self.resize(*DESK)

    def enter_as(self, *roles: Role, name: str = "Sam", proved: bool = True) -> Person:
        """Be somebody new with these roles, signed in."""
        database, clock = self.house.service.database, self.house.service.clock
        person = new_person(database, clock, *roles, name=name)
        self.enter(new_session(database, clock, person, proved=proved))
        return person

    def enter(self, token: str) -> None:
        """Be the person of a session; what was complained of before is forgotten."""
        complaints(self.browser)
        self.browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.browser.execute_cdp_cmd(
            "Network.setCookie", {"name": COOKIE, "value": token, "url": self.house.address}
        )

    def go(self, path: str) -> None:
        """Open a page."""
        self.browser.get(self.house.address + path)

    def find(self, selector: str) -> WebElement:
        """The first element of this kind, once it is there."""
        wait = WebDriverWait(self.browser, 30)
        return wait.until(presence_of_element_located((By.CSS_SELECTOR, selector)))

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def wait_for(self, selector: str, text: str = "") -> None:
        """Wait until an element of this kind says something."""
        # One question to the browser, which no change of the page comes in between of.
        says = (
            "return [...document.querySelectorAll(arguments[0])].some((each) =>"
            " each.textContent.includes(arguments[1]))"
        )
        wait = WebDriverWait(self.browser, 30, ignored_exceptions=[WebDriverException])
        wait.until(
            lambda browser: browser.execute_script(says, selector, text),
            f"{selector} with {text!r} on {self.browser.current_url}",
        )

    def resize(self, width: int, height: int) -> None:
        """Look at pages in a window of this size."""
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def prefer(self, scheme: str) -> None:
        """Have a device that is light or dark."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def walk(self, path: str, name: str = "") -> None:
        """Open a page in every look, and let nothing be wrong with it.

        Args:
            path: The page's address.
            name: What its pictures are called; without it, as the path.
        """
        name = name or path.split("?", maxsplit=1)[0].strip("/").replace("/", "-")
        written = f"{path}{'&' if '?' in path else '?'}lang="
        self.prefer("light")
        self.go(f"{written}en")
        self.look(f"{name}-light")
        self.prefer("dark")
        self.look(f"{name}-dark", _COLOURS)
        self.prefer("light")
        self.go(f"{written}ar")
        self.look(f"{name}-arabic", _OTHER_THAN_COLOURS)

    def look(self, name: str, asked: dict[str, Any] | None = None) -> None:
        """Let nothing be wrong with the page as it is now, and leave a picture of it.

        Args:
            name: What its pictures are called.
            asked: What axe-core is asked, as its options; without them, everything.
        """
        complained = complaints(self.browser)
        assert complained == [], f"{name}: {complained}"
        found = self.violations(asked)
        assert found == [], f"{name}: {found}"
        self._picture(name)
        self.resize(*TABLET)
        width = self.browser.execute_script("return document.documentElement.scrollWidth")
        self._picture(f"{name}-tablet")
        self.resize(*DESK)
        assert width <= TABLET[0], f"{name}: {width} pixels wide on a tablet"

    def violations(self, asked: dict[str, Any] | None = None) -> list[str]:
        """What axe-core finds wrong with the page as it is now."""
        if not self.browser.execute_script("return Boolean(window.axe)"):
            self.browser.execute_script(AXE)
        found: list[dict[str, Any]] = self.browser.execute_async_script(
            "const [asked, done] = arguments;"
            "axe.run(asked).then((results) => done(results.violations));",
            asked or {},
        )
        return [
            f"{each['id']}: {each['help']}: {node['html'][:200]}"
            for each in found
            for node in each["nodes"]
        ]

    def _picture(self, name: str) -> None:
        folder = os.environ.get("TUTELA_TEST_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.browser.save_screenshot(str(Path(folder) / f"{name}.png"))


@contextmanager
def walking(house: House) -> Iterator[Walker]:
    """A browser over a running house, with nobody signed in yet."""
    with running_browser() as browser:
        browser.set_script_timeout(60)
        yield Walker(browser, house)

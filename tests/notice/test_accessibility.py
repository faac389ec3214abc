# SPDX-License-Identifier: Apache-2.0
"""The page in Chromium, from the command as it runs: WCAG 2.2 AA by axe-core, the keyboard, a narrow screen.

The browser keeps the page's own policy, so that a style which does not have the hash shows here as well.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product

import pytest

from tests.notice.noticing import CATALOGUE, TITLE, NoticeProcess, said
from tools.browser.browser import Browser, Page, Verdict, started
from tools.browser.getting import Found, Missing, find

LANGUAGES = {"lv": "lv-LV,lv;q=0.9", "en": "en-GB,en;q=0.9", "both": "de"}
LONG = {code: f"{title} {'Garumzīme' * 20}" for code, title in TITLE.items()}
CONTENTS = {
    "all": said(title=TITLE, catalogue=CATALOGUE, until="2199-12-01T12:00:00Z"),
    "long": said(title=LONG, catalogue=CATALOGUE),
    "other": said(title={"lv": TITLE["lv"]}),
    "none": dict[str, str](),
}
SCREENS = {"wide": 1280, "narrow": 320}
COUNTED = {"html-has-lang", "document-title", "landmark-one-main", "page-has-heading-one", "color-contrast"}
"""Some of the rules that have to have been applied, so that no violation means something."""
BAD = """data:text/html,<html><head><style>p{color:%23bbb;background:%23fff}</style></head>
<body><p>too pale</p><img src=x><a href=https://a.example></a></body></html>"""


@pytest.fixture(scope="module")
def browser() -> Found:
    try:
        return find()
    except Missing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs a browser: {error}")
        pytest.skip(f"the page is not looked at: {error}")


@asynccontextmanager
async def opened(
    browser: Browser, url: str, language: str, content: str, *, screen: str = "wide", dark: bool = False
) -> AsyncIterator[Page]:
    headers = CONTENTS[content] | {"Accept-Language": LANGUAGES[language]}
    async with browser.page() as page:
        await page.open(url, headers, width=SCREENS[screen], dark=dark)
        yield page


def assert_sound(verdict: Verdict, of: str) -> None:
    assert not verdict.violations, f"{of}: {dict(verdict.violations)}"
    assert not verdict.undecided, f"{of}: somebody has to look at {sorted(verdict.undecided)}"
    assert verdict.passes >= COUNTED, of


async def test_axe_finds_nothing_in_any_of_its_shapes(running: NoticeProcess, browser: Found) -> None:
    axe = browser.axe.read_text()
    async with started(browser) as chromium:
        for language, content, screen, dark in product(LANGUAGES, CONTENTS, SCREENS, (False, True)):
            shape = f"{language} {content} {screen} {'dark' if dark else 'light'}"
            async with opened(
                chromium, running.url + "/", language, content, screen=screen, dark=dark
            ) as page:
                assert_sound(await page.judged(axe), shape)
                width = await page.evaluate("document.documentElement.scrollWidth")
                assert width <= SCREENS[screen], f"{shape} has to be scrolled sideways"


async def test_axe_finds_what_is_wrong_with_a_bad_page(browser: Found) -> None:
    async with started(browser) as chromium, chromium.page() as page:
        await page.open(BAD.replace("\n", ""), {}, width=1280, dark=False)
        verdict = await page.judged(browser.axe.read_text())
    assert verdict.violations.keys() >= {
        *("color-contrast", "document-title", "html-has-lang", "image-alt", "link-name")
    }


async def test_the_style_passes_the_policy_and_letters_are_drawn(
    running: NoticeProcess, browser: Found
) -> None:
    look = """(() => {
        const style = selector => getComputedStyle(document.querySelector(selector));
        const box = document.querySelector('h1').getBoundingClientRect();
        return [style('main').maxWidth, style('body').backgroundColor, style('body').color, box.width > 300];
    })()"""
    async with started(browser) as chromium:
        async with opened(chromium, running.url + "/", "lv", "none") as page:
            assert await page.evaluate(look) == ["640px", "rgb(255, 255, 255)", "rgb(26, 28, 31)", True]
        async with opened(chromium, running.url + "/", "lv", "none", dark=True) as page:
            assert await page.evaluate(look) == ["640px", "rgb(21, 24, 28)", "rgb(241, 243, 245)", True]


@pytest.mark.parametrize("dark", [False, True])
async def test_the_link_is_reached_by_keyboard_and_its_focus_is_seen(
    running: NoticeProcess, browser: Found, dark: bool
) -> None:
    focus = """(() => {
        const {tagName, href, offsetHeight} = document.activeElement;
        const {outlineStyle, outlineWidth, outlineColor} = getComputedStyle(document.activeElement);
        return [tagName, href, outlineStyle, parseFloat(outlineWidth), outlineColor, offsetHeight >= 24];
    })()"""
    color = "rgb(156, 199, 255)" if dark else "rgb(10, 74, 143)"
    async with (
        started(browser) as chromium,
        opened(chromium, running.url + "/", "both", "all", dark=dark) as page,
    ):
        for _ in range(2):
            await page.press_tab()
            assert await page.evaluate(focus) == ["A", CATALOGUE, "solid", 3, color, True]
        assert await page.evaluate("document.activeElement.closest('section').lang") == "en"

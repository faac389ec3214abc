# SPDX-License-Identifier: Apache-2.0
"""The header that says which e-service a notice is about: what is taken from it, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.base import LocalizedTitle
from eservice_operator.api.publication import Catalogue, Publication
from eservice_operator.core.notice_rule import notice_value
from eservice_operator.notice.content import LONGEST, LONGEST_TITLE, NOTHING, Content, Header, read
from tests.notice.noticing import CATALOGUE, TITLE, encoded, packed

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("v", "title", "catalogue", "until")
INSTANT = datetime(2026, 12, 1, 12, tzinfo=UTC)


def content(**told: object) -> Content:
    header, found = read([encoded({"v": 1, **told})])
    assert header is Header.READ
    return found


def test_all_of_it() -> None:
    told = content(title=TITLE, catalogue=CATALOGUE, until="2026-12-01T12:00:00Z")
    assert told == Content(TITLE, CATALOGUE, INSTANT)


@pytest.mark.parametrize("until", [None, INSTANT])
def test_what_the_operator_writes_is_read(until: datetime | None) -> None:
    catalogue = Catalogue(url=CATALOGUE, title=LocalizedTitle(**TITLE))
    value = notice_value(Publication(hosts=("a.example",), catalogue=catalogue), until)
    assert read([value]) == (Header.READ, Content(TITLE, CATALOGUE, until))


def test_the_longest_that_the_operator_writes_is_read() -> None:
    title, url = "\N{GRINNING FACE}" * 200, "https://a.example/" + "x" * 1800
    catalogue = Catalogue(url=url, title=LocalizedTitle(lv=title, en=title))
    value = notice_value(Publication(hosts=("a.example",), catalogue=catalogue), INSTANT)
    header, found = read([value])
    assert (header, found.titles, found.until) == (Header.READ, {"lv": title, "en": title}, INSTANT)


def test_every_key_but_the_version_may_be_missing() -> None:
    assert content() == NOTHING
    assert content(title={"en": "Permit"}).titles == {"en": "Permit"}


def test_keys_of_a_later_day_are_left_alone() -> None:
    assert content(title=TITLE, colour="blue").titles == TITLE


def test_no_header() -> None:
    assert read([]) == (Header.ABSENT, NOTHING)


@pytest.mark.parametrize(
    "values",
    [
        [""],
        ["?"],
        ["e30="],  # with padding
        ["eyJ2IjoxfQ", "eyJ2IjoxfQ"],  # one of the two is not the gateway's
        [encoded({})],
        [encoded({"v": 2, "title": TITLE})],
        [encoded({"v": True})],
        [encoded({"v": 1.0})],
        [encoded({"v": "1"})],
        [encoded([1])],
        [encoded("v")],
        [encoded(None)],
        [packed(b"{")],
        [packed(b"\xff\xfe\x00")],
        [packed(b'{"v":1,"title":"\xff"}')],
        [packed(b"[" * 3000)],
        [packed(b'{"v":' + b"9" * 3000 + b"}")],
        ["A"],
        ["A" * (LONGEST + 1)],
        ["eyJ2IjoxfQ\udcff"],
        ["ēyJ2IjoxfQ"],
    ],
    ids=lambda values: repr(values)[:40],
)
def test_a_broken_header_says_nothing(values: list[str]) -> None:
    assert read(values) == (Header.BROKEN, NOTHING)


@pytest.mark.parametrize(
    "told, titles",
    [
        ("Permit", {}),
        (["Permit"], {}),
        ({"lv": 1, "en": None}, {}),
        ({"lv": "", "en": " \t\n"}, {}),
        ({"de": "Erlaubnis"}, {}),
        ({"en": " a\n\tb\u2028c "}, {"en": "a b c"}),
        ({"en": "a\u202eb\u200bc\x00d\ue000"}, {"en": "a b c d"}),
        ({"en": "<b>&\"'"}, {"en": "<b>&\"'"}),
        ({"en": "x" * 400}, {"en": "x" * (LONGEST_TITLE - 1) + "…"}),
    ],
)
def test_a_title_is_a_line_that_can_be_seen(told: object, titles: dict[str, str]) -> None:
    assert content(title=told).titles == titles


def test_half_a_character_is_no_character() -> None:
    (_, found) = read([packed(b'{"v":1,"title":{"en":"\\ud800x"}}')])
    assert found.titles == {"en": "x"}


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "ftp://a.example/",
        "//a.example/",
        "/services",
        "https:/a.example",
        "https://",
        "https:///path",
        "https://user@a.example/",
        "https://user:secret@a.example/",
        "https://a.example\\@b.example/",
        "https://a.example/\nb",
        "https://a.example/ b",
        'https://a.example/"onclick="x',
        "https://a.example/<b>",
        "https://a.example:port/",
        "https://a.example:99999/",
        "https://[a.example/",
        "https://ā.example/",
        "https://a.example/" + "x" * 2048,
        1,
        None,
        ["https://a.example/"],
    ],
)
def test_what_is_no_clean_web_address_is_no_link(link: object) -> None:
    assert content(catalogue=link).catalogue == ""


@pytest.mark.parametrize("link", [CATALOGUE, "http://a.example", "https://a.example:8443/a%20b?c=[d]#e"])
def test_web_addresses_are_links(link: str) -> None:
    assert content(catalogue=link).catalogue == link


@pytest.mark.parametrize(
    "until",
    [
        "",
        "soon",
        "2026-12-01",
        "2026-12-01T12:00:00",  # of which zone?
        "2026-13-01T12:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "9999-12-31T23:30:00Z",  # in Riga it is the year 10000
        1796040000,
        None,
    ],
)
def test_what_is_no_instant_is_no_day(until: object) -> None:
    assert content(until=until).until is None


def test_an_instant_of_another_zone() -> None:
    assert content(until="2026-12-01T14:00:00+02:00").until == INSTANT


@given(st.lists(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")), max_size=3))
def test_any_values_are_read(values: list[str]) -> None:
    header, found = read(values)
    assert (header is Header.READ) or found == NOTHING


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(), ANYTHING) | ANYTHING)
def test_any_document_is_read(told: object) -> None:
    header, found = read([encoded(told)])
    assert (header is Header.READ) or found == NOTHING


@given(st.binary(max_size=3000))
def test_any_bytes_are_read(raw: bytes) -> None:
    read([packed(raw)])

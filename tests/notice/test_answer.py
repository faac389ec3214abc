# SPDX-License-Identifier: Apache-2.0
"""The answer to one request: its headers, its page, its other forms. No process, no network."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.notice.answer import Answer, Asked, answer
from eservice_operator.notice.content import Header
from eservice_operator.notice.preferences import Form
from tests.notice.noticing import CATALOGUE, TITLE, Read, encoded, read_page

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LV, EN = "E-pakalpojums patlaban nav pieejams", "This e-service is currently unavailable"
LATER = {"lv": "Lūdzam mēģināt vēlāk.", "en": "Please try again later."}
LOST = {"lv": "Tikko nosūtītie dati nav saņemti.", "en": "The data that you have just sent was not received."}


def ask(language: str = "", accept: str = "", method: str = "GET", /, **told: object) -> Answer:
    notice = [encoded({"v": 1, **told})] if told else []
    return answer(Asked(method, [accept], [language], notice), NOW)


def shown(language: str = "", /, **told: object) -> Read:
    return read_page(ask(language, **told).body.decode())


def test_the_page_of_somebody_who_reads_latvian() -> None:
    page = shown("lv", title=TITLE, catalogue=CATALOGUE, until="2026-12-01T12:00:00Z")
    name = f"E-pakalpojums „{TITLE['lv']}” patlaban nav pieejams"
    assert page.elements[0] == ("html", {"lang": "lv"})
    assert (page.title, page.sections, page.links) == (name, ["lv"], [CATALOGUE])
    assert page.texts["h1"] == [name]
    assert page.texts["p"] == [
        "Atvainojamies par sagādātajām neērtībām.",
        (
            "Paredzams, ka e-pakalpojums būs atkal pieejams "
            "2026.\u00a0gada 1.\u00a0decembrī plkst.\u00a014.00 (pēc Latvijas laika)."
        ),
    ]


def test_the_page_of_somebody_who_reads_english() -> None:
    page = shown("en-GB", title=TITLE, catalogue=CATALOGUE, until="2027-06-30T21:00:00Z")
    name = f"The e-service “{TITLE['en']}” is currently unavailable"
    assert page.elements[0] == ("html", {"lang": "en"})
    assert (page.title, page.sections, page.links) == (name, ["en"], [CATALOGUE])
    assert page.texts["p"] == [
        "We apologise for the inconvenience.",
        "The e-service is expected to be available again on 1\u00a0July 2027.",  # midnight in Riga
    ]


def test_who_reads_neither_gets_both_and_latvian_first() -> None:
    page = shown("de", title=TITLE, catalogue=CATALOGUE)
    assert page.elements[0] == ("html", {"lang": "lv"})
    assert (page.sections, page.links) == (["lv", "en"], [CATALOGUE, CATALOGUE])
    assert [tag for tag in page.tags if tag in {"h1", "h2"}] == ["h1", "h2"]
    assert TITLE["lv"] in page.title
    assert TITLE["en"] in page.title


def test_without_the_header_it_is_a_page_without_a_title() -> None:
    page = shown()
    assert page.title == f"{LV} / {EN}"
    assert (page.texts["h1"], page.texts["h2"], page.links) == ([LV], [EN], [])


def test_a_title_in_the_other_language_says_which_that_is() -> None:
    page = shown("en", title={"lv": TITLE["lv"]})
    assert ("span", {"lang": "lv"}) in page.elements
    assert page.texts["span"] == [TITLE["lv"]]
    assert TITLE["lv"] in page.title


@pytest.mark.parametrize(
    "until, english, latvian",
    [
        ("2026-12-01T12:00:00Z", "on 1 December 2026 at 14:00 (", "1. decembrī plkst. 14.00 ("),
        ("2027-06-01T05:05:00Z", "on 1 June 2027 at 08:05 (Latvian", "1. jūnijā plkst. 08.05 (pēc"),
        ("2026-12-31T22:00:00Z", "on 1 January 2027.", "2027. gada 1. janvārī."),
        ("2027-03-28T00:59:00Z", "at 02:59 (Latvian time)", "martā plkst. 02.59"),
        ("2027-03-28T01:00:00Z", "at 04:00 (Latvian time)", "martā plkst. 04.00"),
    ],
)  # fmt: skip
def test_a_day_is_one_of_riga(until: str, english: str, latvian: str) -> None:
    assert english in " ".join(shown("en", until=until).texts["p"]).replace("\u00a0", " ")
    assert latvian in " ".join(shown("lv", until=until).texts["p"]).replace("\u00a0", " ")


@pytest.mark.parametrize("code", ["lv", "en"])
@pytest.mark.parametrize("until", [None, "2026-11-22T12:00:00Z", "2020-01-01T00:00:00Z", "soon"])
def test_a_day_that_is_past_or_unknown_is_not_told(code: str, until: str | None) -> None:
    told = {"title": TITLE} | ({"until": until} if until else {})
    assert LATER[code] in shown(code, **told).texts["p"]


@pytest.mark.parametrize(
    "ahead, seconds",
    [
        (timedelta(milliseconds=1), 1),
        (timedelta(seconds=90), 90),
        (timedelta(hours=23, minutes=59), 86_340),
        (timedelta(days=1), 86_400),
        (timedelta(days=9), 86_400),
        (timedelta(0), 3_600),
        (timedelta(hours=-1), 3_600),
        (None, 3_600),
    ],
)
def test_when_to_ask_again(ahead: timedelta | None, seconds: int) -> None:
    told = {"title": TITLE} | ({"until": (NOW + ahead).isoformat()} if ahead is not None else {})
    assert ask(**told).headers["Retry-After"] == str(seconds)


@pytest.mark.parametrize(
    "form, accept", [(Form.HTML, ""), (Form.JSON, "application/json"), (Form.TEXT, "text/plain")]
)
@pytest.mark.parametrize("language, told", [("lv", "lv"), ("en", "en"), ("", "lv, en")])
def test_headers(form: Form, accept: str, language: str, told: str) -> None:
    given = ask(language, accept, title=TITLE)
    assert (given.form, given.header) == (form, Header.READ)
    kind = {Form.HTML: "text/html; charset=utf-8", Form.JSON: "application/problem+json"}
    assert dict(given.headers) == {
        "Content-Type": kind.get(form, "text/plain; charset=utf-8"),
        "Content-Language": told,
        "Vary": "Accept-Language, Accept",
        "Cache-Control": "no-store",
        "Retry-After": "3600",
        "Content-Security-Policy": given.headers["Content-Security-Policy"],
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "EService-Route": "notice",
    }


def test_the_policy_lets_the_style_in_and_nothing_else() -> None:
    given = ask()
    (style,) = re.findall(r"<style>(.*?)</style>", given.body.decode(), re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert given.headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def test_the_page_loads_nothing_and_is_small() -> None:
    given = ask(title=dict.fromkeys(TITLE, "ž" * 200), catalogue=CATALOGUE)
    page = given.body.decode()
    assert set(read_page(page).tags) == {
        *("html", "head", "meta", "title", "style", "body", "main", "section", "h1", "h2", "p", "a")
    }
    assert not re.search(r"url\(|@import|src=|style=|\son\w+=", page)
    assert len(ask(title=TITLE, catalogue=CATALOGUE).body) < 4096
    assert len(given.body) < 6144


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PURGE"])
@pytest.mark.parametrize("code", ["lv", "en"])
def test_who_sent_something_learns_that_nobody_has_it(method: str, code: str) -> None:
    for accept in ("", "application/json", "text/plain"):
        assert LOST[code] in ask(code, accept, method).body.decode()
        assert LOST[code] not in ask(code, accept, "GET").body.decode()


def test_a_program_gets_a_problem_document() -> None:
    given = ask("en", "application/json", title=TITLE, catalogue=CATALOGUE, until="2026-12-01T12:00:00Z")
    assert json.loads(given.body) == {
        "type": "about:blank",
        "title": EN,
        "status": 503,
        "detail": f"The e-service “{TITLE['en']}” is currently unavailable. "
        "We apologise for the inconvenience. "
        "The e-service is expected to be available again on 1\u00a0December 2026 at 14:00 (Latvian time).",
        "eservice": TITLE,
        "catalogue": CATALOGUE,
        "until": "2026-12-01T12:00:00Z",
    }
    assert json.loads(ask("lv", "application/json").body) == {
        "type": "about:blank",
        "title": LV,
        "status": 503,
        "detail": f"{LV}. Atvainojamies par sagādātajām neērtībām. Lūdzam mēģināt vēlāk.",
    }


def test_plain_text_has_both_languages_too() -> None:
    text = ask("", "text/plain", title=TITLE, catalogue=CATALOGUE).body.decode()
    assert TITLE["lv"] in text.partition("\n\n")[0]
    assert TITLE["en"] in text.partition("\n\n")[2]
    assert text.count(CATALOGUE) == 2
    assert "<" not in text


MARKUP = st.text(st.sampled_from("<>&\"'/=! -\x00\u202eaē;#x"), max_size=40)


@given(MARKUP | st.text(max_size=300), MARKUP | st.text(max_size=50))
def test_whatever_a_title_is_it_stays_a_text(latvian: str, english: str) -> None:
    page = shown("", title={"lv": latvian, "en": english})
    empty = shown()
    assert [tag for tag in page.tags if tag != "span"] == empty.tags
    assert page.elements[-1] == empty.elements[-1]


@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=80))
def test_a_title_is_shown_as_it_is(title: str) -> None:
    body = ask("lv", title={"lv": title}).body.decode()
    (heading,) = re.findall(r"<h1>(.*?)</h1>", body, re.DOTALL)
    assert unescape(heading) == f"E-pakalpojums „{title}” patlaban nav pieejams"


HEADERS = st.lists(
    st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")), max_size=2
)


@given(st.text(), HEADERS, HEADERS, HEADERS)
def test_any_request_has_an_answer(
    method: str, accept: list[str], language: list[str], notice: list[str]
) -> None:
    given = answer(Asked(method, accept, language, notice), NOW)
    if given.form is Form.HTML:
        read_page(given.body.decode())
    elif given.form is Form.JSON:
        assert json.loads(given.body)["status"] == 503
    assert all(re.fullmatch(r"[ -~]+", value) for value in given.headers.values())

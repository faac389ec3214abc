# SPDX-License-Identifier: Apache-2.0
"""What the notices say: every kind, in both languages, whatever is known and whatever is not."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from eservice_operator.api.base import LocalizedText
from eservice_operator.api.notices import Audience, Channel, NoticeKind
from eservice_operator.core.letters import Letter
from eservice_operator.notify.cleaning import link, one_line
from eservice_operator.notify.texts import LANGUAGES, as_html, as_plain, subject_of, texts_of
from tests.notify.letters import letter

BARE = Letter(
    id="0" * 32,
    kind=NoticeKind.UNPUBLISHED,
    channel=Channel.EMAIL,
    recipient="a@b.lv",
    audience=Audience.INSTITUTION,
    at=datetime(2026, 11, 2, tzinfo=UTC),
    source="EServiceTemplate viss-2020",
    uid="",
)
DIACRITICS = set("āčēģīķļņšūž")


def known(kind: NoticeKind, audience: Audience) -> Letter:
    return letter(kind=kind, audience=audience)


def unknown(kind: NoticeKind, audience: Audience) -> Letter:
    """Nothing is known but what every letter has."""
    return Letter(
        BARE.id, kind, BARE.channel, BARE.recipient, audience, BARE.at, BARE.source, BARE.uid
    )  # no facts


@pytest.mark.parametrize("make", [known, unknown])
@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("kind", NoticeKind)
def test_every_notice_is_whole_sentences(kind: NoticeKind, audience: Audience, make: object) -> None:
    assert callable(make)
    given = make(kind, audience)
    latvian, english = texts_of(given)
    assert (latvian.code, english.code) == ("lv", "en")
    for text in (latvian, english):
        for heading, paragraph in text.parts:
            assert heading
            assert paragraph[0].isupper()
            assert not re.search(r"None|  | [.,;:]|\.\.|\(\)|[{}]", paragraph), paragraph
        whole = " ".join(paragraph for _, paragraph in text.parts[:-1])
        assert whole.endswith(".")
        assert text.subject
        assert all(detail.label and detail.value for detail in text.details)
    assert DIACRITICS & set(" ".join(paragraph for _, paragraph in latvian.parts))
    assert not DIACRITICS & set(" ".join(paragraph for _, paragraph in english.parts))
    assert len(subject_of(given)) <= 200


@pytest.mark.parametrize("kind", NoticeKind)
def test_both_languages_tell_the_same_facts(kind: NoticeKind) -> None:
    def facts(text: str) -> set[str]:
        return set(re.findall(r"\d{4}-\d\d-\d\d|\d+\.\d+\.\d+|EP-\d+|spec\.[\w.]+|\b[0-9a-f]{8}\b", text))

    given = letter(kind=kind, facts=dict(letter().facts) | {"count": "60", "token": "1a2b3c4d"})
    latvian, english = (" ".join(part for _, part in text.parts) for text in texts_of(given))
    assert facts(latvian) == facts(english)


def test_the_brake_says_how_to_release_it() -> None:
    given = letter(
        kind=NoticeKind.BRAKE_ENGAGED,
        source="EServiceTemplate viss-2020",
        title=LocalizedText(),
        identifier="",
        due=None,
        facts={"template": "viss-2020", "count": "60", "token": "1a2b3c4d"},
        audience=Audience.AGENCY,
    )
    text = as_plain(texts_of(given))
    assert subject_of(given).startswith("viss-2020: apturēta publicēšanas pārtraukšana, e-pakalpojumi: 60")
    assert text.count("spec.lifecycle.brake.release: 1a2b3c4d") == 2


def test_a_title_in_one_language_serves_both_and_without_any_the_name_does() -> None:
    for title in (LocalizedText(lv="Nosaukums"), LocalizedText(en="Nosaukums")):
        assert as_plain(texts_of(letter(title=title))).count("Nosaukums: Nosaukums") == 1
        assert "Title: Nosaukums" in as_plain(texts_of(letter(title=title)))
    assert "“address-declaration”" in as_plain(texts_of(letter(title=LocalizedText())))


def test_an_eservice_comes_with_the_command_that_explains_it() -> None:
    assert "kubectl eservice explain address-declaration -n pmlp-production" in as_plain(texts_of(letter()))
    assert "kubectl" not in as_plain(texts_of(letter(source="UnpublishDecision a-production-1")))


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    page = as_html(texts_of(letter(institution="<script>alert('x')</script> & \"Co\"")))
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;Co&quot;" in page


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "https://a.lv\r\nx", 'https://a.lv/"onclick="x', "https://agency.example@evil.example/",
     "https://", "ftp://a.lv", "https://a.lv/<b>", "https://[x", f"https://a.lv/{'x' * 2048}", ""],
)  # fmt: skip
def test_only_a_plain_web_address_becomes_a_link(text: str) -> None:
    assert link(text) == ""
    page = as_html(texts_of(letter(facts={"instruction": text})))
    assert "<a " not in page


def test_lines_are_cleaned_and_cut() -> None:
    assert one_line("  a\r\nb\u2028c\u202ed\x00\ud800 ") == "a b c d"
    assert one_line("x" * 500) == "x" * 399 + "…"


def test_every_language_has_every_kind() -> None:
    for language in LANGUAGES:
        assert set(language.sayings) == set(NoticeKind)
        assert len(language.weekdays) == 7
        assert set(language.labels) == set(LANGUAGES[0].labels)
        assert set(language.headings) == set(LANGUAGES[0].headings)

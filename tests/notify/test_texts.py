# SPDX-License-Identifier: Apache-2.0
"""What the notices say: every kind, in both languages, whatever is known and whatever is not."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from eservice_operator.api.base import LocalizedText
from eservice_operator.api.notices import Audience, Channel, NoticeKind
from eservice_operator.core.cleaning import link, one_line
from eservice_operator.core.letters import Letter
from eservice_operator.notify.periods import ENGLISH_PERIODS, LATVIAN_PERIODS, Case, in_words
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


IN_USE = {"template": "viss-2020", "version": "2.0.0", "overdueSince": "2026-11-02"}
DISTANT = {
    "released": "2024-11-04",
    "cause": "3.1.0",
    "causeReleased": "2026-09-07",
    "causePublished": "2026-11-02",
    "maximumLag": "P18M",
    "lagMeasure": "ReleaseGap",
}
RECALLED = {"withdrawnOn": "2026-09-01", "replaceBy": "2026-11-01", "recallReason": "a leak."}
OVERDUE_LV = "Tāpēc saskaņā ar noteikumiem versija 2.0.0 nedrīkst būt publiski pieejama, sākot ar 2026-11-02 "
OVERDUE_EN = "Therefore, by the rules, version 2.0.0 may not be public from 2026-11-02 (Monday) on."
USED_LV = "Publiskajā laidienā izmantota veidnes viss-2020 versija 2.0.0."
USED_EN = "The public release is built from version 2.0.0 of the template viss-2020."


DISTANT_LV = (
    "Versija 2.0.0 izdota 2024-11-04, bet versija 3.1.0 izdota 2026-09-07, tātad versija 2.0.0 atpaliek par "
    "vairāk nekā 18 mēnešiem. Versijas 3.1.0 migrācijas instrukcijas publicēšanas datums ir 2026-11-02."
)
DISTANT_EN = (
    "Version 2.0.0 was released on 2024-11-04, and version 3.1.0 on 2026-09-07: that is more than 18 months "
    "later. The publication date of the migration instruction to version 3.1.0 is 2026-11-02."
)
SUPERSEDED_LV = (
    "Jaunākas versijas (3.1.0) migrācijas instrukcijas publicēšanas datums ir 2025-05-01; pēc šīs dienas "
    "vecāka versija drīkst būt publiski pieejama ne ilgāk kā 18 mēnešus."
)
SUPERSEDED_EN = (
    "The publication date of the migration instruction to the newer version 3.1.0 is 2025-05-01; after that "
    "day an older version may stay public for no more than 18 months."
)
RECALLED_LV = (
    "Versijas 2.0.0 atsaukšanas datums ir 2026-09-01; šī versija jāaizstāj ne vēlāk kā 2026-11-01; "
    "atsaukšanas iemesls: a leak."
)
RECALLED_EN = (
    "Version 2.0.0 is withdrawn as of 2026-09-01; it has to be replaced by 2026-11-01 at the latest; the "
    "reason for the withdrawal: a leak."
)
SUPERSEDED = DISTANT | {"lagMeasure": "SinceSuperseded", "causePublished": "2025-05-01"}


@pytest.mark.parametrize(
    "grounds, latvian, english",
    [
        (DISTANT, DISTANT_LV, DISTANT_EN),
        (SUPERSEDED, SUPERSEDED_LV, SUPERSEDED_EN),
        (RECALLED, RECALLED_LV, RECALLED_EN),
    ],
)
def test_why_an_e_service_is_overdue(grounds: dict[str, str], latvian: str, english: str) -> None:
    given = texts_of(letter(facts=IN_USE | grounds))
    why = [dict(text.parts)[heading] for text, heading in zip(given, ("Kāpēc", "Why"), strict=True)]
    assert why == [
        f"{USED_LV} {latvian} {OVERDUE_LV}(pirmdiena).",
        f"{USED_EN} {english} {OVERDUE_EN}",
    ]
    warned = texts_of(letter(kind=NoticeKind.OVERDUE_EXPECTED, facts=IN_USE | grounds))
    assert [dict(text.parts)[heading] for text, heading in zip(warned, ("Kāpēc", "Why"), strict=True)] == [
        f"{USED_LV} {latvian}",
        f"{USED_EN} {english}",
    ]


@pytest.mark.parametrize("unknown", [*DISTANT, *RECALLED])
def test_why_says_nothing_that_is_not_known(unknown: str) -> None:
    grounds = RECALLED if unknown in RECALLED else DISTANT
    facts = {name: value for name, value in (IN_USE | grounds).items() if name != unknown}
    for text in texts_of(letter(facts=facts)):
        assert not re.search(r" [.,;:]|  |\.\.", " ".join(part for _, part in text.parts))
    if unknown not in {"lagMeasure", "recallReason"}:
        latvian, english = texts_of(letter(facts=facts))
        assert dict(english.parts)["Why"] == (
            f"{USED_EN} By the rules version 2.0.0 may not be public from 2026-11-02 (Monday) on."
        )
        assert dict(latvian.parts)["Kāpēc"] == (
            f"{USED_LV} Saskaņā ar noteikumiem versija 2.0.0 nedrīkst būt publiski pieejama, sākot ar "
            "2026-11-02 (pirmdiena)."
        )


@pytest.mark.parametrize(
    "period, english, subject, duration, by",
    [
        ("P18M", "18 months", "18 mēneši", "18 mēnešus", "18 mēnešiem"),
        ("P1M", "1 month", "1 mēnesis", "1 mēnesi", "1 mēnesi"),
        ("P21M", "21 months", "21 mēnesis", "21 mēnesi", "21 mēnesi"),
        ("P11M", "11 months", "11 mēneši", "11 mēnešus", "11 mēnešiem"),
        ("P111M", "111 months", "111 mēneši", "111 mēnešus", "111 mēnešiem"),
        ("P1Y6M", "1 year and 6 months", "1 gads un 6 mēneši", "1 gadu un 6 mēnešus", "1 gadu un 6 mēnešiem"),
        ("P2Y", "2 years", "2 gadi", "2 gadus", "2 gadiem"),
        ("P1W", "1 week", "1 nedēļa", "1 nedēļu", "1 nedēļu"),
        ("P2W1D", "2 weeks and 1 day", "2 nedēļas un 1 diena", "2 nedēļas un 1 dienu",
         "2 nedēļām un 1 dienu"),
        ("P1Y2M0W3D", "1 year, 2 months and 3 days", "1 gads, 2 mēneši un 3 dienas",
         "1 gadu, 2 mēnešus un 3 dienas", "1 gadu, 2 mēnešiem un 3 dienām"),
        ("P0M", "0 days", "0 dienas", "0 dienas", "0 dienām"),
        ("P", "", "", "", ""),
        ("18 months", "", "", "", ""),
    ],
)  # fmt: skip
def test_periods_in_words(period: str, english: str, subject: str, duration: str, by: str) -> None:
    for case, words in ((Case.SUBJECT, subject), (Case.OBJECT, duration), (Case.BY, by)):
        assert in_words(period, LATVIAN_PERIODS, case) == words
        assert in_words(period, ENGLISH_PERIODS, case) == english


def test_the_brake_says_how_to_release_it() -> None:
    given = letter(
        kind=NoticeKind.BRAKE_ENGAGED,
        source="EServiceTemplate viss-2020",
        title=LocalizedText(),
        identifier="",
        due=None,
        facts={
            "template": "viss-2020",
            "count": "60",
            "token": "1a2b3c4d",
            "cause": "3.0.0",
            "decisions": "tax-production-001, water-production-002",
        },
        audience=Audience.AGENCY,
    )
    assert subject_of(given).startswith("viss-2020: apturēta publicēšanas pārtraukšana, e-pakalpojumi: 60")
    for text in (" ".join(part for _, part in one.parts) for one in texts_of(given)):
        assert "kubectl eservice release-brake viss-2020 --token 1a2b3c4d" in text
        assert "kubectl eservice revoke --set 1a2b3c4d --reason " in text
        assert text.index("withdrawn") < text.index("eservice revoke") < text.index("release-brake")
        assert "3.0.0" in text
    details = [{one.label: one.value for one in text.details} for text in texts_of(given)]
    assert details[1]["Decisions held"] == "tax-production-001, water-production-002"
    assert details[0]["Apturētie lēmumi"] == details[1]["Decisions held"]


def test_one_that_the_brake_holds_is_not_many() -> None:
    given = letter(kind=NoticeKind.BRAKE_ENGAGED, facts={"template": "viss-2020", "count": "1"})
    latvian, english = (dict(one.parts) for one in texts_of(given))
    assert english["What happens"].endswith("stay public. Held in this set: 1.")
    assert latvian["Kas notiek"].endswith("pieejami. Šajā kopā apturēto skaits: 1.")
    assert "many" not in english["What happens"]


def test_a_title_in_one_language_serves_both_and_without_any_the_name_does() -> None:
    for title in (LocalizedText(lv="Nosaukums"), LocalizedText(en="Nosaukums")):
        assert as_plain(texts_of(letter(title=title))).count("Nosaukums: Nosaukums") == 1
        assert "Title: Nosaukums" in as_plain(texts_of(letter(title=title)))
    assert "“address-declaration”" in as_plain(texts_of(letter(title=LocalizedText())))


def test_an_eservice_comes_with_the_command_that_explains_it() -> None:
    assert "kubectl eservice explain address-declaration -n pmlp-production" in as_plain(texts_of(letter()))
    assert "kubectl" not in as_plain(texts_of(letter(source="UnpublishDecision a-production-1")))


DETAILS = [
    ("Title", "Declaration of residence"),
    ("Number", "EP-000042"),
    ("Institution", "PMLP"),
    ("Date", "2027-05-03 (Monday)"),
    ("Template and version", "viss-2020 2.0.0"),
    ("Current version", "3.0.0"),
    ("Longest lag allowed", "18 months"),
    ("Decision", "address-declaration-production-001"),
    ("Object in the cluster", "EService pmlp-production/address-declaration"),
    ("What is missing, shown by", "kubectl eservice explain address-declaration -n pmlp-production"),
]
LINKED = [
    ("Migration instruction", "https://agency.example/viss-2020/3.0.0?from=2.0.0&lang=lv"),
    ("Catalogue entry", "https://latvija.example/ep/42"),
    ("Public address", "https://address.latvija.example/"),
]
WHO = [("Contacts of the institution", "a.berzina@pmlp.example, j.kalnins@pmlp.example")]


@pytest.mark.parametrize("audience, who", [(Audience.INSTITUTION, []), (Audience.AGENCY, WHO)])
def test_the_details_are_what_is_known_and_the_agency_reads_who_else_knows(
    audience: Audience, who: list[tuple[str, str]]
) -> None:
    _, english = texts_of(letter(audience=audience))
    assert [(one.label, one.value) for one in english.details if not one.link] == [*DETAILS, *who]
    assert [(one.label, one.value) for one in english.details if one.link] == LINKED


def test_a_version_without_its_template_is_given_alone() -> None:
    _, english = texts_of(letter(facts={"version": "2.0.0"}))
    assert ("Template and version", "2.0.0") in [(one.label, one.value) for one in english.details]


def test_what_cannot_be_followed_is_shown_all_the_same() -> None:
    _, english = texts_of(letter(facts={"instruction": "ask us"}))
    (shown,) = [one for one in english.details if one.label == "Migration instruction"]
    assert (shown.value, shown.link) == ("ask us", False)


def test_a_page_is_headed_by_the_subject_with_a_capital() -> None:
    page = as_html(texts_of(letter()))
    assert "<h1>Publicēšana tiks pārtraukta 2027-05-03</h1>" in page
    assert subject_of(letter(identifier="x" * 64)).startswith(f"{'x' * 62}…: publicēšana")


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    page = as_html(texts_of(letter(institution="<script>alert('x')</script> & \"Co\"")))
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;Co&quot;" in page


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "https://a.lv\r\nx", 'https://a.lv/"onclick="x', "https://agency.example@evil.example/",
     "https://", "https:///a.lv", "https://:80/a",
     "ftp://a.lv", "https://a.lv/<b>", "https://[x", f"https://a.lv/{'x' * 2048}", ""],
)  # fmt: skip
def test_only_a_plain_web_address_becomes_a_link(text: str) -> None:
    assert link(text) == ""
    page = as_html(texts_of(letter(facts={"instruction": text})))
    assert "<a " not in page


def test_a_web_address_is_followed_up_to_2048_characters() -> None:
    longest = "https://a.lv/".ljust(2048, "x")
    assert (link(longest), link(f"{longest}x")) == (longest, "")


def test_lines_are_cleaned_and_cut() -> None:
    assert one_line("  a\r\nb\u2028c\u202ed\x00\ud800 ") == "a b c d"
    assert one_line("x" * 400) == "x" * 400
    assert one_line("x" * 401) == "x" * 399 + "…"
    assert one_line("x" * 398 + " yy") == "x" * 398 + "…"


def test_every_language_has_every_kind() -> None:
    for language in LANGUAGES:
        assert set(language.sayings) == set(NoticeKind)
        assert len(language.weekdays) == 7
        assert set(language.labels) == set(LANGUAGES[0].labels)
        assert set(language.headings) == set(LANGUAGES[0].headings)


HELD = IN_USE | DISTANT | {"held": "Brake", "late": "yes"}


@pytest.mark.parametrize("kind", [NoticeKind.UNPUBLISH_SCHEDULED, NoticeKind.UNPUBLISH_HELD])
def test_nobody_is_told_to_leave_while_the_brake_holds(kind: NoticeKind) -> None:
    given = letter(kind=kind, facts=HELD)
    assert subject_of(given).startswith("EP-000042: publicēšanas pārtraukšana 2027-05-03 ir apturēta / ")
    assert subject_of(given).endswith(" / unpublication due on 2027-05-03 is held")
    latvian, english = (dict(one.parts) for one in texts_of(given))
    assert "was due on 2027-05-03 (Monday), together with that of others" in english["What happens"]
    assert "Until then nothing leaves the public route." in english["What happens"]
    assert DISTANT_EN in english["Why"]
    assert "today" not in " ".join(english.values())
    assert "bija jāpārtrauc 2027-05-03 (pirmdiena)" in latvian["Kas notiek"]
    assert "šodien" not in " ".join(latvian.values())


@pytest.mark.parametrize(
    "held, latvian, english",
    [
        ("NoLongerOverdue", "versija nav novecojusi", "the version in use is not overdue"),
        ("NotEnforced", "pašlaik netiek pārtraukta", "does not unpublish e-services at present"),
        ("TemplateUnknown", "pašlaik nav zināma", "is not known to the operator at present"),
    ],
)
def test_a_ground_that_is_lost_is_the_reason(held: str, latvian: str, english: str) -> None:
    given = letter(kind=NoticeKind.UNPUBLISH_HELD, facts=IN_USE | DISTANT | {"held": held})
    lv, en = (dict(one.parts) for one in texts_of(given))
    assert latvian in lv["Kāpēc"]
    assert english in en["Why"]
    assert "may not be public" not in en["Why"], "that is what holds no longer"
    assert "The date announced earlier (2027-05-03) no longer holds." in en["What happens"]


@pytest.mark.parametrize("kind", [NoticeKind.UNPUBLISH_SCHEDULED, NoticeKind.UNPUBLISH_WARNING])
def test_nobody_is_asked_to_act_before_a_day_that_has_come(kind: NoticeKind) -> None:
    latvian, english = texts_of(letter(kind=kind, facts=IN_USE | {"late": "yes"}))
    assert "tiek pārtraukta šodien" in dict(latvian.parts)["Kas tagad jādara"]
    assert dict(english.parts)["What to do now"].startswith("It leaves the public route today.")
    assert "before" not in dict(english.parts)["What to do now"]
    in_time, _ = texts_of(letter(kind=kind, facts=IN_USE))
    assert "šodien" not in dict(in_time.parts)["Kas tagad jādara"]

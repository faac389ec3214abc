# SPDX-License-Identifier: Apache-2.0
"""What notices of access to web services say, to who calls and to the holder."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from eservice_operator.api.base import LocalizedText
from eservice_operator.api.notices import Audience, NoticeKind
from eservice_operator.api.reasons import Reason
from eservice_operator.core.letters import Letter
from eservice_operator.notify import english_access, latvian_access
from eservice_operator.notify.entry import calendar_of, entry_name
from eservice_operator.notify.texts import as_plain, subject_of, texts_of
from tests.notify.letters import OPERATOR, letter

FACTS = {
    "webService": "ur-production/population-register",
    "contractVersion": "v5",
    "consumer": "pmlp-production/address-declaration",
    "holder": "UR",
    "holderContact": "api@ur.example",
}
TO_HOLDER = {
    "source": "WebService ur-production/population-register",
    "audience": Audience.HOLDER,
    "identifier": "",
    "title": LocalizedText(lv="Iedzīvotāju reģistrs", en="Population register"),
}


def to_consumer(kind: NoticeKind, due: date | None = None, **facts: str) -> Letter:
    source = "EService pmlp-production/address-declaration"
    return letter(kind=kind, source=source, due=due, facts=FACTS | facts)


def to_holder(kind: NoticeKind, due: date | None = None, **facts: str) -> Letter:
    given = {"webService": FACTS["webService"], "contractVersion": "v5"}
    return letter(kind=kind, due=due, facts=given | facts, **TO_HOLDER)


def parts(given: Letter) -> tuple[dict[str, str], dict[str, str]]:
    latvian, english = texts_of(given)
    return dict(latvian.parts), dict(english.parts)


def test_what_is_granted_and_until_when() -> None:
    latvian, english = parts(to_consumer(NoticeKind.ACCESS_GRANTED, until="2028-01-01"))
    assert english["What happens"] == (
        "The e-service “Declaration of residence” may now call the web service "
        "ur-production/population-register (contract version v5). The last day is 2028-01-01 (Saturday)."
    )
    assert latvian["Kas notiek"] == (
        "E-pakalpojums „Dzīvesvietas deklarēšana” tagad drīkst izsaukt tīmekļa pakalpi "
        "ur-production/population-register (saskarnes versija v5). Pēdējā diena ir 2028-01-01 (sestdiena)."
    )
    assert english["Why"] == "It was granted by the holder of the web service UR."
    (_, other) = parts(to_consumer(NoticeKind.ACCESS_GRANTED))
    assert "last day" not in other["What happens"]


def test_the_details_say_whom_to_ask_and_what_explains_it() -> None:
    page = as_plain(texts_of(to_consumer(NoticeKind.ACCESS_ENDED, ended="Expired")))
    assert "Holder's contact: api@ur.example" in page
    assert "Web service: ur-production/population-register" in page
    assert "kubectl eservice explain address-declaration -n pmlp-production" in page


@pytest.mark.parametrize("reason", english_access.WHY)
def test_why_access_ended_is_said_in_both_languages(reason: str) -> None:
    latvian, english = parts(to_consumer(NoticeKind.ACCESS_ENDED, ended=reason))
    assert english["Why"] == english_access.WHY[reason]
    assert latvian["Kāpēc"] == latvian_access.WHY[reason]


def test_both_languages_know_the_same_reasons() -> None:
    assert english_access.WHY.keys() == latvian_access.WHY.keys()
    assert {Reason(word) for word in english_access.WHY} >= {Reason.EXPIRED, Reason.REFUSED, Reason.CLOSING}


def test_a_refusal_has_the_words_of_the_holder() -> None:
    latvian, english = parts(to_consumer(NoticeKind.ACCESS_REFUSED, ended="Refused", reason="no legal basis"))
    assert english["Why"].endswith("Stated reason: no legal basis.")
    assert latvian["Kāpēc"].endswith("Norādītais iemesls: no legal basis.")
    assert "api@ur.example" in english["What to do now"]


def test_the_holder_is_told_who_asks_and_with_what_to_answer() -> None:
    given = to_holder(
        NoticeKind.ACCESS_REQUESTED, asking="PMLP", consumer=FACTS["consumer"], count="3", agent="evry"
    )
    assert subject_of(given).endswith("pieprasīta piekļuve: PMLP / access asked for by PMLP")
    _, english = parts(given)
    assert english["What happens"] == (
        "PMLP asks for access to the web service ur-production/population-register (contract version v5), "
        "for its e-service pmlp-production/address-declaration, through the agent evry."
    )
    assert english["What to do now"].endswith("Requests without an answer now: 3.")
    assert "spec.customers" in english["What to do now"], "a customer of an agent is listed"
    _, direct = parts(to_holder(NoticeKind.ACCESS_REQUESTED, asking="PMLP", consumer=FACTS["consumer"]))
    assert "spec.refused" in direct["What to do now"]
    assert "Requests, shown by: kubectl eservice requests -n ur-production" in as_plain(texts_of(given))
    _, sink = parts(replace(given, audience=Audience.AGENCY))
    assert sink["What to do now"] == "There is nothing for you to do: the holder answers."


def test_the_holder_reads_who_is_left_and_the_consumer_what_to_do() -> None:
    due, left = date(2027, 3, 31), "PMLP (pmlp-production/address-declaration)"
    holder = to_holder(NoticeKind.CONTRACT_RETIRING, due, count="1", consumers=left)
    _, english = parts(holder)
    assert "E-services that may still call it: 1." in english["What happens"]
    assert f"May still call it: {left}" in as_plain(texts_of(holder))
    _, nobody = parts(to_holder(NoticeKind.CONTRACT_RETIRING, due))
    assert nobody["What to do now"].startswith("There is nothing for you to do.")
    _, consumer = parts(to_consumer(NoticeKind.CONTRACT_RETIRING, due))
    assert consumer["What to do now"].startswith("If the e-service calls this version, move it")


def test_each_contract_version_has_its_entry_in_the_calendar() -> None:
    def uid(given: Letter) -> str:
        entry = calendar_of(given, texts_of(given), OPERATOR.address)
        return next(line for line in entry.splitlines() if line.startswith("UID:"))

    due = date(2027, 3, 31)
    first = to_consumer(NoticeKind.ACCESS_ENDING, due)
    assert entry_name(first) == "access"
    moved = to_consumer(NoticeKind.CONTRACT_RETIRING, date(2027, 1, 31))
    other = to_consumer(NoticeKind.ACCESS_ENDING, due, contractVersion="v4")
    assert uid(first) == uid(moved) != uid(other)
    assert entry_name(to_consumer(NoticeKind.ACCESS_GRANTED, due)) == ""

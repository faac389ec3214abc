# SPDX-License-Identifier: Apache-2.0
"""Pages and tables as people see them, compared with files that a person has looked at."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from eservice_operator.cli.dossier import Dossier
from eservice_operator.cli.history import chosen
from eservice_operator.cli.listing import ORDERS, lines
from eservice_operator.cli.output import Column, table
from eservice_operator.cli.session import Session
from eservice_operator.cli.status import _notice, document, lagging, page
from eservice_operator.cli.timeline import ahead, past
from tests.cli.objects import DAYS, ESCAPES, NOW, RIGA, decision, dossier, fleet, notice, service

Golden = Callable[[str, str], None]


@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize("output", ["table", "wide"])
def test_list(golden: Golden, width: int, output: str) -> None:
    session = Session(all_namespaces=True, output=output, width=width)
    shown = lines(session, fleet(), NOW, RIGA)
    golden(f"list-{output}-{width}", "\n".join(shown) + "\n")
    if output == "table" and width > 80:
        assert max(len(line) for line in shown) <= width


def test_urgent_ones_come_first() -> None:
    names = [item["metadata"]["name"] for item in sorted(fleet(), key=ORDERS["urgency"])]
    assert names == ["address-declaration", "tax-calculator", "company-extract", "unseen"]


@pytest.mark.parametrize("order", list(ORDERS))
def test_every_order_takes_objects_in_which_all_is_missing(order: str) -> None:
    bare = {"metadata": {"name": "bare"}}
    assert sorted([bare, *fleet()], key=ORDERS[order])


@pytest.mark.parametrize("width", [80, 100])
def test_status(golden: Golden, width: int) -> None:
    shown = page(Session(width=width), dossier(), DAYS).lines
    golden(f"status-{width}", "\n".join(shown) + "\n")
    assert max(len(line) for line in shown) <= width


@pytest.mark.parametrize(
    "status, said",
    [
        ({}, None),
        ({"holdToken": "3f2a"}, "  Held set      3f2a"),
        (
            {"holdToken": "3f2a", "releasedAt": "2026-11-22T06:00:00Z"},
            "  Held set      3f2a, released 2026-11-22 08:00",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_held_set_says_when_it_was_released(status: dict[str, str], said: str | None) -> None:
    shown = page(Session(width=100), replace(dossier(), decisions=(decision(**status),)), DAYS).lines
    assert [line for line in shown if "Held set" in line] == ([] if said is None else [said])


def test_status_of_what_no_operator_has_seen(golden: Golden) -> None:
    shown = page(Session(width=100), Dossier(service("unseen", "ur-production", None)), DAYS).lines
    golden("status-unseen", "\n".join(shown) + "\n")


def test_the_end_of_a_hold_comes_too() -> None:
    held = dossier()
    held.service["status"]["template"]["unpublishAt"] = "2026-11-21"
    held.service["status"]["next"] |= {"at": "2026-11-25T22:00:00Z", "why": "it waits for a notice"}
    (found,) = (one for one in ahead(held, DAYS) if one.what == "Unpublish")
    assert (found.at, found.text) == ("2026-11-25T22:00:00Z", "it waits for a notice")


def test_history(golden: Golden) -> None:
    rows = [[DAYS.local(one.at), one.what, one.rule, one.text] for one in past(dossier(), DAYS)]
    columns = [Column("AT"), Column("WHAT"), Column("RULE", spare=2), Column("TEXT", flexible=True)]
    golden("history-160", "\n".join(table(Session(width=160), columns, rows)) + "\n")


def ledger(*notices: dict[str, object]) -> Dossier:
    """An e-service about whose decision these were told."""
    return replace(dossier(), decisions=(decision(notices=list(notices)),))


def test_what_several_were_told_is_one_line() -> None:
    several = [
        notice("UnpublishScheduled", "Sent", recipient=f"c{number}@vid.example") for number in range(5)
    ]
    failed = notice("UnpublishScheduled", "Failed", recipient="gone@vid.example", error="550 no such user")
    warned = notice("UnpublishWarning", "Sending", entered="2026-11-21T08:00:00Z", due="2027-04-01")
    case = ledger(*several, failed, warned)
    texts = [one.text for one in past(case, DAYS, grouped=True) if one.source.startswith("UnpublishD")]
    assert texts[-2:] == [
        "notice UnpublishScheduled: Sent to 5 recipients, Failed to gone@vid.example (550 no such user)",
        "notice UnpublishWarning, about 2027-04-01: Sending to mara.liepa@vid.example",
    ]
    assert sum(one.is_notice for one in past(case, DAYS)) == 8, "each by itself for programs"
    (told,) = (one for one in past(case, DAYS, grouped=True) if "gone@vid.example" in one.text)
    assert told.what == "NoticeFailed", "the gravest of them"


def test_notices_can_be_left_out_or_looked_at_alone() -> None:
    entries = past(dossier(), DAYS, grouped=True)
    without, alone = chosen(entries, "none"), chosen(entries, "only")
    assert {one.what for one in alone} == {"NoticeFailed", "NoticeSent"}
    assert [one for one in entries if one not in alone] == without
    assert chosen(entries, "grouped") == chosen(entries, "all") == entries


@pytest.mark.parametrize(
    "held, shown", [({}, "2027-04-01   "), ({"heldBy": "Brake"}, "2027-04-01 held: Brake")]
)
def test_a_hold_is_seen_beside_the_day(held: dict[str, str], shown: str) -> None:
    case = dossier()
    case.service["status"]["template"] |= held
    assert shown in lines(Session(width=160), [dict(case.service)], NOW, RIGA)[1]
    (line,) = (one for one in page(Session(width=100), case, DAYS).lines if "Unpublish at" in one)
    assert line.endswith("(in 130 days), held: Brake" if held else "(in 130 days)")


def test_the_past_is_in_order_and_past_and_what_comes_lies_ahead() -> None:
    happened, coming = past(dossier(), DAYS), ahead(dossier(), DAYS)
    assert [one.what for one in happened] == [
        "Deferred",
        "Accepted",
        "Pending",
        "AwaitingVerification",
        "VerificationPassed",
        "Published",
        "UnpublishDecided",
        "Informed",
        "NoticeFailed",
        "NoticeSent",
    ]
    assert [(one.at, one.what) for one in coming] == [
        ("2027-02-02", "MigrateBy"),
        ("2027-04-01", "Unpublish"),
    ]


def test_hostile_text_is_shown_and_not_obeyed() -> None:
    case = dossier(ESCAPES)
    shown = "\n".join(page(Session(width=100), case, DAYS).lines)
    assert "\\x1b[31mred" in shown
    assert not {"\x1b", "\x9b", "\u202e", "\x07"} & set(shown)
    rows = [[one.text] for one in past(case, DAYS)]
    assert "\x1b" not in "".join(table(Session(), [Column("TEXT")], rows))
    assert json.dumps(document(case)).count("\\u001b") >= 2, "programs get what was written"


def test_a_status_that_lags_behind_the_spec_says_so() -> None:
    body = service("tax", "vid", "Published")
    assert lagging(body) == ""
    body["metadata"]["generation"] = 3
    assert "generation 2, the spec is at 3" in lagging(body)
    assert "no operator" in lagging(service("tax", "vid", None))


@pytest.mark.parametrize(
    "lifecycle, shown",
    [
        ({}, ""),
        ({"enforcement": "Enforce", "noticePeriod": "P1M"}, "P1M"),
        ({"enforcement": "Warn", "noticePeriod": "P0D"}, "P0D"),
        ({"enforcement": "Enforce", "noticePeriod": "P0D"}, "P0D: what becomes overdue is off as soon"),
    ],
)
def test_a_policy_without_notice_says_what_that_means(lifecycle: dict[str, str], shown: str) -> None:
    assert _notice(lifecycle).startswith(shown)
    assert bool(_notice(lifecycle)) is bool(shown)

# SPDX-License-Identifier: Apache-2.0
"""What the writing commands refuse, choose and write, before anything reaches a cluster."""

from datetime import UTC, datetime
from typing import Any

import click
import pytest

from eservice_operator.api.acts import ProductionVerification
from eservice_operator.api.decisions import UnpublishDeferral
from eservice_operator.api.eservice import EService
from eservice_operator.api.parse import parse
from eservice_operator.api.reasons import Gate, Reason
from eservice_operator.cli import defer, release_brake, verify
from eservice_operator.cli.advice import ADVICE, Case, advice
from eservice_operator.cli.rules import GATES, GATES_ELSEWHERE, SAYS
from eservice_operator.cli.session import Session
from eservice_operator.cli.writing import confirmed, slug
from eservice_operator.core.gates import GATES as CHECKS
from eservice_operator.core.gates import GATES_IN_PRODUCTION
from tests.cli.objects import DAYS, DIGEST, ESCAPES, IMAGE, NEWER, NOW, TEMPLATE, decision, gate, obj, service

GIVEN = {"outcome": "Passed", "who": "Māra Liepa", "notes": None}
PUBLIC = {"name": "public-one", "image": IMAGE, "template": dict(TEMPLATE)}
CANDIDATE = {"name": "candidate1", "image": IMAGE.replace("a" * 64, "b" * 64), "template": dict(NEWER)}
INSTALLED = {"type": "Installed", "status": "True", "reason": "Installed", "message": ""}


def eservice(release: dict[str, Any], *conditions: dict[str, Any], **status: Any) -> dict[str, Any]:
    body = service("tax", "vid", "Updating", release=release, **status)
    body["status"]["conditions"] += conditions
    return body


def test_the_candidate_is_what_waits_to_be_verified() -> None:
    body = eservice({"public": PUBLIC, "candidate": CANDIDATE}, INSTALLED)
    assert verify.chosen(body, None, "Passed") == CANDIDATE
    assert verify.chosen(body, "public", "Passed") == PUBLIC
    assert verify.chosen(body, "public-one", "Failed") == PUBLIC


@pytest.mark.parametrize(
    "release, named, said",
    [
        ({}, None, "is not installed, so nobody can have checked it"),
        ({"public": PUBLIC}, None, "is public already; to verify it again write --release public"),
        (
            {"public": PUBLIC},
            "candidate",
            "there is no release 'candidate'; installed are public: public-one",
        ),
        ({"candidate": CANDIDATE}, None, "it is not installed yet: no Pod is available"),
    ],
)
def test_what_cannot_have_been_checked_is_not_verified(
    release: dict[str, Any], named: str | None, said: str
) -> None:
    with pytest.raises(click.ClickException, match=said):
        verify.chosen(eservice(release), named, "Passed")


def test_the_reason_names_the_gates_that_hold_the_installation() -> None:
    unmet = gate("Accepted", "AwaitingAcceptance", "Agency", "R2", "no act")
    with pytest.raises(click.ClickException, match=r"Accepted \(Agency\): no act"):
        verify.chosen(eservice({}, gates=[unmet]), None, "Passed")


def test_what_does_not_start_can_fail_its_verification() -> None:
    assert verify.chosen(eservice({"candidate": CANDIDATE}), None, "Failed") == CANDIDATE


def test_verifications_bind_in_production_only() -> None:
    body = eservice({"candidate": CANDIDATE}, INSTALLED)
    body["spec"]["environment"] = "Test"
    with pytest.raises(click.ClickException, match="Production only"):
        verify.chosen(body, None, "Passed")


@pytest.mark.parametrize(
    "at, said",
    [
        (datetime(2026, 11, 22, 6, 30, 1, tzinfo=UTC), "in the future"),
        (datetime(2026, 11, 15, 21, 59, tzinfo=UTC), "before the request for production of 2026-11-16"),
    ],
)
def test_a_verification_that_would_not_count_is_refused(at: datetime, said: str) -> None:
    with pytest.raises(click.ClickException, match=said):
        verify._refuse_what_would_not_count(eservice({}), at, DAYS)


@pytest.mark.parametrize("at", [NOW, datetime(2026, 11, 15, 22, 0, tzinfo=UTC)])
def test_one_from_the_first_moment_of_the_requests_day_counts(at: datetime) -> None:
    verify._refuse_what_would_not_count(eservice({}), at, DAYS)


def test_the_verification_is_one_that_the_operator_reads_and_always_has_the_same_name() -> None:
    body = eservice({"candidate": CANDIDATE}, INSTALLED)
    made = verify.manifest(body, CANDIDATE, NOW, GIVEN | {"notes": ESCAPES})
    assert made["metadata"]["name"] == "tax-3-1-0-bbbbbbbb-20261122-063000"
    assert made == verify.manifest(body, CANDIDATE, NOW, GIVEN | {"notes": ESCAPES})
    read = parse("ProductionVerification", made)
    assert isinstance(read, ProductionVerification)
    assert (read.spec.image, read.spec.template.version) == (CANDIDATE["image"], "3.1.0")
    assert "notes" not in verify.manifest(body, CANDIDATE, NOW, GIVEN)["spec"]


def test_the_deferral_is_one_that_the_operator_reads() -> None:
    given = {"until": DAYS.today, "reason": "r", "approved_by": "Ilze Krūmiņa", "ticket": None}
    made = defer.manifest(("vid", "tax"), given)
    assert isinstance(parse("UnpublishDeferral", made), UnpublishDeferral)
    assert made["metadata"]["name"] == "vid-tax-2026-11-22"
    assert "ticket" not in made["spec"]


@pytest.mark.parametrize(
    "parts, name",
    [
        (["Tax", "3.1.0-rc.1"], "tax-3-1-0-rc-1"),
        (["x" * 300], "x" * 253),
        (["-a-", "_"], "a"),
    ],
)
def test_names_are_ones_that_the_api_server_takes(parts: list[str], name: str) -> None:
    assert slug(*parts) == name


def template(*tokens: str, release: str | None = None) -> dict[str, Any]:
    held = [
        {"token": token, "since": "2026-11-21T07:00:00Z", "count": 2, "decisions": ["one", "two"]}
        for token in tokens
    ]
    brake = {"percent": 10, "atLeast": 1} | ({"release": release} if release else {})
    spec = {"lifecycle": {"brake": brake}}
    return obj("EServiceTemplate", "viss-2020", spec=spec, status={"held": held, "eServices": 12})


def test_the_only_held_set_needs_no_token() -> None:
    assert release_brake.chosen(template("abc"), None) == "abc"
    assert release_brake.chosen(template("abc", "def"), "def") == "def"


@pytest.mark.parametrize(
    "tokens, token, said",
    [
        ([], None, "holds nothing of viss-2020"),
        ([], "abc", "holds nothing of viss-2020"),
        (["abc", "def"], None, "several sets of viss-2020: name one with --token: abc, def"),
        (["abc"], "def", "no set 'def' of viss-2020; it holds abc"),
    ],
)
def test_a_set_that_is_not_held_is_not_released(tokens: list[str], token: str | None, said: str) -> None:
    with pytest.raises(click.ClickException, match=said):
        release_brake.chosen(template(*tokens), token)


def test_a_release_that_is_not_carried_out_yet_is_not_overwritten_without_a_yes() -> None:
    half = template("abc", "def", release="abc")
    with pytest.raises(click.ClickException, match="releases abc, and members of that set have not been let"):
        release_brake.refuse_to_forget(half, yes=False)
    release_brake.refuse_to_forget(half, yes=True)
    release_brake.refuse_to_forget(template("def", release="abc"), yes=False)
    release_brake.refuse_to_forget(template("def"), yes=False)


@pytest.mark.parametrize(
    "status, held",
    [
        ({"holdToken": "abc", "state": "Held"}, True),
        ({"holdToken": "other", "state": "Held"}, False),
        ({"holdToken": "abc", "state": "Held", "releasedAt": "2026-11-22T06:00:00Z"}, False),
        ({"holdToken": "abc", "state": "Closed"}, False),
        ({"state": "Scheduled"}, False),
    ],
)
def test_who_is_in_a_set(status: dict[str, Any], held: bool) -> None:
    assert release_brake.held_by(decision(**status), "abc") is held


def test_the_set_is_shown_with_who_how_many_and_why() -> None:
    members = [decision(holdToken="abc", state="Held", heldSince="2026-11-21T07:00:00Z")]
    lines = release_brake.described(Session(width=100), template("abc"), "abc", members, DAYS)
    assert lines[0] == ("viss-2020: the brake holds 2 unpublications since 2026-11-21 09:00, token abc")
    assert lines[1] == "More than 1, and more than 10 % of 12 in public use, within 24 hours."
    assert "vid-production   tax-calculator   2.0.0" in lines[-2]
    assert release_brake.described(Session(), template("abc"), "abc", [], DAYS)[-3:-1] == ["  one", "  two"]


def test_nobody_to_ask_is_not_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "interactive", False)
    with pytest.raises(click.ClickException, match="add --yes"):
        confirmed(Session(), "?", yes=False)
    confirmed(Session(), "?", yes=True)


def test_gates_and_rules_are_those_of_the_operator() -> None:
    assert list(GATES) == list(Gate)
    assert set(ADVICE) == set(Gate)
    assert [_gate_of(check.__name__) for check in GATES_IN_PRODUCTION] == list(GATES)
    assert [_gate_of(check.__name__) for check in CHECKS] == list(GATES_ELSEWHERE)
    assert list(SAYS) == [f"R{number}" for number in range(1, 9)]


def _gate_of(check: str) -> str:
    return "".join(word.capitalize() for word in check.split("_"))


@pytest.mark.parametrize("reason", [*Reason])
@pytest.mark.parametrize("name", [*Gate])
def test_there_is_something_to_do_about_every_gate(name: str, reason: str) -> None:
    body = service("tax", "vid", "Pending")
    body["spec"]["release"]["image"] = f"registry.example/vid/tax@{DIGEST}"
    read = parse("EService", body)
    assert isinstance(read, EService)
    told = advice(name, Case(read, reason, "2026-11-22", "3.1.0"))
    assert told.do
    assert told.document()["do"] == told.do
    assert all(command.startswith("kubectl ") for command in told.run)

# SPDX-License-Identifier: Apache-2.0
"""What the writing commands refuse, choose and write, before anything reaches a cluster."""

import re
from collections.abc import Callable
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
from eservice_operator.cli.advice import ADVICE, advice
from eservice_operator.cli.advising import Case
from eservice_operator.cli.kubectl import Listing, Refusal
from eservice_operator.cli.letting_go import Braking, braking
from eservice_operator.cli.rules import GATES, GATES_ELSEWHERE, SAYS
from eservice_operator.cli.session import Session
from eservice_operator.cli.writing import confirmed, slug
from eservice_operator.core.gates import GATES as CHECKS
from eservice_operator.core.gates import GATES_IN_PRODUCTION
from tests.cli.objects import DAYS, DIGEST, ESCAPES, IMAGE, NEWER, NOW, TEMPLATE, decision, gate, obj, service
from tests.support import worlds
from tests.support.worlds import version

GIVEN = {"outcome": "Passed", "who": "Māra Liepa", "notes": None}
PUBLIC = {"name": "public-one", "image": IMAGE, "template": dict(TEMPLATE)}
CANDIDATE = {"name": "candidate1", "image": IMAGE.replace("a" * 64, "b" * 64), "template": dict(NEWER)}
INSTALLED = {"type": "Installed", "status": "True", "reason": "Installed", "message": ""}
DEFERRAL = {
    "until": DAYS.today,
    "reason": "r",
    "approved_by": "Ilze Krūmiņa",
    "ticket": None,
    "own": None,
}


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
    made = defer.manifest(("vid", "tax"), DEFERRAL)
    assert isinstance(parse("UnpublishDeferral", made), UnpublishDeferral)
    assert "ticket" not in made["spec"]


def test_the_name_of_a_deferral_is_its_own_and_always_the_same() -> None:
    def name(*place: str, **given: Any) -> str:
        found: str = defer.manifest((place[0], place[1]), DEFERRAL | given)["metadata"]["name"]
        return found

    first = name("vid", "tax")
    assert re.fullmatch(r"vid-tax-2026-11-22-[0-9a-f]{8}", first)
    assert name("vid", "tax") == first, "the same command twice is refused the second time"
    assert name("pmlp", "production-tax") != name("pmlp-production", "tax")
    assert name("vid", "tax", reason="another") != first, "after the first one was revoked"
    assert name("vid", "tax", own="tax-2027") == "tax-2027"
    assert len(name("a" * 63, "b" * 253)) <= 253


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


HELD = {"state": "Held", "reason": "Brake", "heldSince": "2026-11-21T07:00:00Z"}
AT_ONCE = HELD | {"effectiveAt": "2026-11-21T07:00:00Z"}


def held(token: str, name: str = "tax-calculator", **status: Any) -> dict[str, Any]:
    """A decision in a set, about the e-service of that name."""
    body = decision(holdToken=token, **(AT_ONCE | status))
    body["metadata"]["name"] = f"{name}-production-001"
    body["spec"] |= {"registration": name, "eService": {"namespace": "vid-production", "name": name}}
    return body


def public(*names: str, phase: str = "Published") -> list[dict[str, Any]]:
    return [service(name, "vid-production", phase) for name in names]


def seen(
    body: dict[str, Any],
    decisions: list[dict[str, Any]] | None,
    services: list[dict[str, Any]] | None = None,
) -> Braking:
    if decisions is None:
        refusal = (Refusal("unpublishdecisions.eservice.dev", "", "forbidden"),)
        return braking([Listing((body,)), Listing((), refusal), Listing((), refusal)], DAYS)
    found = public("tax-calculator") if services is None else services
    return braking([Listing((body,)), Listing(tuple(decisions)), Listing(tuple(found))], DAYS)


def sets_of(*tokens: str, release: str | None = None) -> Braking:
    return seen(template(*tokens, release=release), [held(token) for token in tokens])


def test_the_only_held_set_needs_no_token() -> None:
    def tokens(braked: Braking, token: str | None = None, **options: bool) -> list[str]:
        return [one.token for one in release_brake.chosen(braked, token, **options)]

    assert tokens(sets_of("abc")) == ["abc"]
    assert tokens(sets_of("abc", "def"), "def") == ["def"]
    assert tokens(sets_of("abc", "def", "ghi"), everything=True) == ["abc", "def", "ghi"]
    assert tokens(sets_of("abc", "def", release="abc")) == ["def"], "the other one is let go already"
    assert tokens(sets_of("abc", "def", release="abc"), "abc") == []
    assert tokens(sets_of("abc", release="abc")) == []
    assert tokens(sets_of(release="abc"), "abc") == []


@pytest.mark.parametrize(
    "tokens, token, said",
    [
        ([], None, "holds nothing of viss-2020"),
        ([], "abc", "holds nothing of viss-2020"),
        (["abc", "def"], None, "several sets of viss-2020: name one with --token, or write --all: abc, def"),
        (["abc"], "def", "no set 'def' of viss-2020; it holds abc"),
    ],
)
def test_a_set_that_is_not_held_is_not_released(tokens: list[str], token: str | None, said: str) -> None:
    with pytest.raises(click.ClickException, match=said):
        release_brake.chosen(sets_of(*tokens), token)


def test_a_release_is_pending_until_each_decision_has_noted_it() -> None:
    half, noted = held("abc"), held("abc", "other", releasedAt="2026-11-22T06:00:00Z")
    braked = seen(template("abc", release="abc"), [half, noted])
    assert braked.pending is not None
    assert [one.decision.metadata.name for one in braked.pending.members] == ["tax-calculator-production-001"]
    status_lags = seen(template("abc", release="abc"), [noted])
    assert status_lags.pending is None
    gone = seen(template("abc", release="abc"), [half], services=[])
    assert gone.pending is None, "nobody notes anything for an e-service that is gone"
    unread = seen(template("abc", release="abc"), None)
    assert unread.pending is not None, "the template's status is all there is then"


@pytest.mark.parametrize(
    "status, is_in",
    [
        ({}, True),
        ({"state": "Scheduled", "reason": "Deferred"}, True),
        ({"releasedAt": "2026-11-22T06:00:00Z"}, False),
        ({"state": "Closed", "reason": "Renewed"}, False),
        ({"state": "Effective", "reason": "Effective"}, False),
    ],
)
def test_who_is_in_a_set(status: dict[str, Any], *, is_in: bool) -> None:
    assert bool(seen(template("abc"), [held("abc", **status), decision(state="Scheduled")]).sets) is is_in


def mixed() -> Braking:
    """A set with a member of each fate, beside one of another template."""
    elsewhere = held("abc", "elsewhere")
    elsewhere["spec"]["release"]["template"]["name"] = "other"
    deferral = {"effectiveAt": "2027-03-31T21:00:00Z", "deferredUntil": "2027-03-31"}
    renewal = {"reason": "RenewalUnderWay", "message": "it waits for others until 2026-12-11"}
    decisions = [
        held("abc", "deferred", state="Scheduled", reason="Deferred", **deferral),
        held("abc", "due"),
        held("abc", "gone"),
        held("abc", "off"),
        held("abc", "renewing", **renewal),
        held("abc", "tomorrow", effectiveAt="2026-11-22T22:00:00Z"),
        elsewhere,
    ]
    services = [
        *public("deferred", "due", "renewing", "tomorrow", "elsewhere"),
        *public("off", phase="Unpublished"),
    ]
    return seen(template("abc"), decisions, services)


def test_what_a_release_comes_to_is_told_for_the_set_and_for_each(golden: Callable[[str, str], None]) -> None:
    braked = mixed()
    lines = release_brake.described(Session(width=150), braked, braked.sets, DAYS)
    golden("release-brake", "\n".join(lines) + "\n")
    (one,) = release_brake.document(braked, braked.sets)["sets"]
    assert one["onRelease"] == {"now": 1, "later": 2, "waits": 1, "noGround": 0, "notPublic": 2}
    fates = {
        member["name"]: (member["onRelease"], member.get("at"), member["why"]) for member in one["members"]
    }
    assert fates == {
        "due": ("Now", None, ""),
        "tomorrow": ("Later", "2026-11-22T22:00:00Z", ""),
        "deferred": ("Later", "2027-03-31T21:00:00Z", "deferred until 2027-03-31"),
        "renewing": ("Waits", None, "it waits for others until 2026-12-11"),
        "gone": ("NotPublic", None, "the e-service is gone"),
        "off": ("NotPublic", None, "Unpublished"),
    }
    assert release_brake.question(braked.sets) == (
        "Release the set, 6 e-services (1 now, 2 later, 1 held for another reason, 2 not public)?"
    )


def mended(**lifecycle: Any) -> dict[str, Any]:
    """A whole template, in which no version makes 2.0.0 overdue any more, unless the policy says so."""
    versions = [version("2.0.0", "2024-01-01", "2024-02-01"), version("3.1.0", "2025-01-01", "2025-02-01")]
    found = worlds.template(versions, lifecycle=lifecycle)
    found["status"] = {"held": [{"token": "abc", "since": "2026-11-21T07:00:00Z", "count": 2}]}
    return found


@pytest.mark.parametrize(
    "lifecycle, why",
    [
        ({}, "not overdue by the template's present dates"),
        ({"maximumLag": "P1M", "enforcement": "Warn"}, "the template's policy does not enforce"),
        ({"maximumLag": "P1M", "enforceFrom": "2027-01-01"}, "enforced from 2027-01-01 only"),
    ],
)
@pytest.mark.parametrize("at", ["2026-11-21T07:00:00Z", "2026-11-22T22:00:00Z"])
def test_what_has_no_ground_any_more_does_not_invite_to_release(
    lifecycle: dict[str, Any], why: str, at: str
) -> None:
    braked = seen(mended(**lifecycle), [held("abc", effectiveAt=at)])
    (one,) = release_brake.document(braked, braked.sets)["sets"]
    assert [(member["onRelease"], member["why"]) for member in one["members"]] == [("NoGround", why)]
    lines = release_brake.described(Session(width=200), braked, braked.sets, DAYS)
    assert any("no ground any more" in line and "revoke --set abc" in line for line in lines)
    assert f"held: {why}" in "".join(lines)
    assert "1 unpublication since" in lines[0]
    assert "1 without ground any more" in release_brake.question(braked.sets)


def test_what_has_its_ground_is_released() -> None:
    braked = seen(mended(maximumLag="P1M"), [held("abc")])
    lines = release_brake.described(Session(width=200), braked, braked.sets, DAYS)
    assert not [line for line in lines if "no ground" in line]
    assert "Made overdue by: 3.1.0 (1)." in lines
    assert release_brake.question(braked.sets) == (
        "Release the set, 1 e-service (1 now, 0 later, 0 not public)?"
    )


def test_where_decisions_may_not_be_read_their_names_are_shown() -> None:
    braked = seen(template("abc"), None)
    lines = release_brake.described(Session(), braked, braked.sets, DAYS)
    assert lines[0].startswith("you may not list unpublishdecisions")
    assert lines[1] == "viss-2020: the brake holds 2 unpublications since 2026-11-21 09:00, token abc"
    assert lines[2] == (
        "The brake engages where more than 1, and more than 10 % of those in public use (12 now), would leave"
        " the public route within 24 hours."
    )
    assert lines[-3:-1] == ["  one", "  two"]
    (one,) = release_brake.document(braked, braked.sets)["sets"]
    assert (one["count"], one["onRelease"], one["decisions"]) == (2, None, ["one", "two"])


@pytest.mark.parametrize("text, seconds", [("30", 30), ("45s", 45), ("2m", 120), ("0s", 0)])
def test_how_long_to_wait(text: str, seconds: int) -> None:
    context = click.Context(release_brake.command)
    assert release_brake.read_seconds(context, release_brake.command.params[0], text) == seconds
    with pytest.raises(click.BadParameter, match="write it as 30s or 2m"):
        release_brake.read_seconds(context, release_brake.command.params[0], f"{text}!")


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
    assert list(SAYS) == [f"R{number}" for number in range(1, 11)]


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

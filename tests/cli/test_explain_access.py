# SPDX-License-Identifier: Apache-2.0
"""``explain`` and ``status`` of what an e-service may call, and what is read for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from eservice_operator.api.grant import WebServiceGrantStatus
from eservice_operator.api.reasons import Reason
from eservice_operator.api.uses import Use
from eservice_operator.cli import explanation, status
from eservice_operator.cli.access_advice import TO_DO
from eservice_operator.cli.used import word_of
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.grant_states import version_states
from eservice_operator.core.access.requesting import request_state
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.using import UseStanding
from eservice_operator.core.access.worlds import GrantWorld
from eservice_operator.core.actions import Manifest
from tests.cli.shelf import Shelf, typed
from tests.cli.test_impact import ACTIVE, CODES, NAME, OGRE, holder
from tests.support import access, worlds

Golden = Callable[[str, str], None]
HERE = ("-n", worlds.NAMESPACE)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (explanation, status):
        monkeypatch.setattr(module, "now", lambda: worlds.NOW)


def waiting(**patched: Manifest) -> Shelf:
    """v4 waits for its evidence, the address register has not been answered."""
    without = access.granted("v4", evidence=None)
    granted = access.opened(access.grant(spec={"contractVersions": [*access.granted("v5"), *without]}))
    of_another = access.rest_grant("other", spec={"consumer": {"namespace": "elsewhere"}})
    objects = {"grant": granted, "rest_grant": of_another, **patched}
    return holder(worlds.template(), refused=(), **objects)


def test_each_use_is_explained(golden: Golden) -> None:
    listed = access.web_service(spec={"visibility": "Listed"})
    answer = typed(waiting(web_service=listed), "explain", NAME, *HERE)
    assert answer.exit_code == 0, answer.output
    golden("explain-access", answer.output.partition("\nWeb services\n")[2])
    told = answer.output.partition("AccessGranted")[2].partition("✗")[0]
    assert "persons-before: give UR <api@ur.example> the documents that are missing" in told
    answer_it = f"who answers with --yaml {worlds.NAMESPACE}/{NAME}"
    assert f"$ kubectl eservice requests -n ur-production  # the holder, {answer_it}" in told
    assert "        webService: address-register" in told, "the answer that is missing, to hand over"


def test_programs_get_each_use() -> None:
    answer = typed(waiting(), "explain", NAME, *HERE, "-o", "json")
    found = json.loads(answer.stdout)
    assert found["decidedNow"], found["notes"]
    assert [(one["name"], one["state"], one["reason"], one["endsOn"]) for one in found["uses"]] == [
        ("persons", "Granted", "Active", None),
        ("persons-before", "Pending", "EvidenceMissing", "2027-10-31"),
        ("addresses", "Waiting", "AccessNotGranted", None),
    ]


def test_what_is_granted_and_not_open_is_not_shown_as_granted() -> None:
    message = "granted, and not yet open: Role grant.x exists and is not ours; it was left alone"
    entry = {"version": "v5", "state": "Pending", "reason": "NameCollision", "message": message}
    cut_off = access.grant(
        status={
            "observedGeneration": 1,
            "state": "Pending",
            "reason": "NameCollision",
            "contractVersions": [entry],
        }
    )
    shelf = waiting(grant=cut_off)
    found = json.loads(typed(shelf, "explain", NAME, *HERE, "-o", "json").stdout)["uses"][0]
    assert (found["state"], found["reason"], found["message"]) == ("Pending", "NameCollision", message)
    page = typed(shelf, "explain", NAME, *HERE).output
    assert "✗ persons: ur-production/population-register v5" in page
    assert "Pending (NameCollision): granted, and not yet open: Role grant.x" in page
    assert "persons: granted: UR <api@ur.example> removes what stands in its way" in " ".join(page.split())


def test_a_web_service_that_may_not_be_known_stays_unknown() -> None:
    """What is explained of an unlisted web service is what is explained of one that does not exist."""
    known = typed(waiting(), "explain", NAME, *HERE).output
    unknown = typed(waiting(rest=access.rest_service("another")), "explain", NAME, *HERE).output
    assert known == unknown
    assert "api@ur.example" in known, "of the register: its holder has answered"


@pytest.mark.parametrize(
    "refused", ["webservicegrants ur-production", "namespaces", "services ur-production"]
)
def test_without_the_right_to_see_the_answers_nothing_is_made_of_them(refused: str) -> None:
    shelf = holder(worlds.template(), refused=(refused,))
    found = json.loads(typed(shelf, "explain", NAME, *HERE, "-o", "json").stdout)
    assert not found["decidedNow"]
    assert {one["state"] for one in found["uses"]} == {None}
    assert "this is what the operator last wrote" in found["notes"][0]


def test_what_may_not_be_read_is_told_once() -> None:
    answer = typed(
        holder(worlds.template(), refused=("namespaces",)),
        *("defer", NAME, *HERE, "--until", "2999-01-01", "--reason", "r", "--approved-by", "a", "--dry-run"),
    )
    assert answer.stderr.count("you may not list Namespace: whose web services there are is not known") == 1


def test_only_the_holders_that_are_asked_are_read() -> None:
    shelf = holder(worlds.template())
    typed(shelf, "explain", NAME, *HERE)
    where = {name.partition(".")[0]: query.namespace for query in shelf.asked for name in query.resources}
    assert where["webservicegrants"] == where["webservices"] == "ur-test", "where it is tested comes last"
    everywhere = {
        name.partition(".")[0] for one in shelf.asked if one.namespace == "" for name in one.resources
    }
    assert not everywhere & {"webservices", "webservicegrants", "agentassignments", "services"}


def test_who_uses_nothing_reads_nothing_of_it() -> None:
    alone = Shelf(worlds.eservice(), worlds.registration(), worlds.template())
    typed(alone, "explain", NAME, *HERE)
    asked = {name.partition(".")[0] for query in alone.asked for name in query.resources}
    assert not asked & {
        "webservices",
        "webservicegrants",
        "agentassignments",
        "connectiontests",
        "namespaces",
    }


def test_advice_speaks_of_reasons_that_there_are() -> None:
    assert set(TO_DO) <= set(Reason)


def using(refused: tuple[str, ...] = (), uses: Sequence[Manifest] = ()) -> Shelf:
    """The e-service, the holder's answers to it as written, and an agent who calls for it."""
    asked = [
        access.use("v5"),
        access.use("v4", name="persons-before"),
        access.use("v6", name="persons-next"),
        access.use(None, name="relatives", agent=access.AGENT),
    ]
    service = worlds.eservice(spec={"uses": asked}, status={"phase": "Pending", "uses": list(uses)})
    customers = [{"code": CODES["ogre"], "state": "NotYet", "eServices": [f"{worlds.NAMESPACE}/{NAME}"]}]
    status = {"customers": customers, "state": "Active", "reason": "Active"}
    of_another = access.grant("other", spec={"consumer": {"name": "other"}}, status=ACTIVE)
    over = [{"version": "v5", "state": "Revoked", "reason": "Closing"}]
    return Shelf(
        service,
        access.grant("before", status={"contractVersions": over}),
        access.grant(status=ACTIVE),
        of_another,
        access.assignment(status=status),
        refused=refused,
    )


def section(text: str) -> list[str]:
    """The lines on web services."""
    lines = text.splitlines()
    begin = lines.index("Web services") + 1
    return lines[begin : lines.index("", begin)]


def test_status_shows_each_use_with_its_end() -> None:
    answer = typed(using(), "status", NAME, *HERE)
    assert answer.exit_code == 0, answer.output
    shown = [line.partition(" (in")[0] for line in section(answer.stdout)]
    assert shown == [
        "  ✓ persons         ur-production/population-register v5: Granted",
        "  ✓ persons-before  ur-production/population-register v4: Granted, last day 2027-10-31",
        "  ✗ persons-next    ur-production/population-register v6: Pending (EvidenceMissing)",
        "  ✗ relatives       ur-production/population-register through evry: Pending",
    ]
    assert "Web services" not in typed(Shelf(worlds.eservice()), "status", NAME, *HERE).stdout


def written(name: str, what: str, state: str, reason: str, **more: Any) -> Manifest:
    """How the operator wrote a use into the status of the e-service."""
    entry = {"name": name, "webService": what, "state": state, "reason": reason}
    return entry | {"since": "2026-10-01T08:00:00Z"} | more


REGISTER = "ur-production/population-register"
OVER, NOW = "its last day was 2026-10-12: the contract is over", "2026-10-13T07:30:00Z"
GONE = {"at": "2026-10-12T08:00:00Z", "reason": "Closing", "message": "the grant was deleted"}
LAST = "2027-10-31"
WRITTEN = (
    written(
        "persons",
        f"{REGISTER} v5",
        "Granted",
        "Active",
        message=f"granted until {LAST}, that day included",
        endsOn=LAST,
        holder="UR",
        contact="api@ur.example",
    ),
    written("persons-before", f"{REGISTER} v3", "Granted", "Active"),
    written(
        "persons-next",
        f"{REGISTER} v6",
        "Waiting",
        "AccessNotGranted",
        message="no grant; its holder sees the request",
        ended=GONE,
    ),
    written(
        "relatives",
        f"{REGISTER} through evry",
        "Ended",
        "AssignmentEnded",
        message=f"AgentAssignment evry: {OVER}",
        endsOn="2026-10-12",
        ended={"at": NOW, "reason": "AssignmentEnded", "message": f"AgentAssignment evry: {OVER}"},
    ),
)
"""Of persons-before it speaks of what the spec asked for before."""


def test_status_of_what_a_holder_does_not_let_see_is_what_the_operator_wrote() -> None:
    """An institution may read no holder's namespace: its own status says how each of its uses stands."""
    over = "Ended (AssignmentEnded), last day 2026-10-12 (yesterday)"
    shelf = using(refused=("webservicegrants", "agentassignments"), uses=WRITTEN)
    answer = typed(shelf, "status", NAME, *HERE)
    assert [line.partition(" (in")[0] for line in section(answer.stdout)] == [
        f"  ✓ persons         {REGISTER} v5: Granted, last day 2027-10-31",
        f"  ? persons-before  {REGISTER} v4: not seen",
        f"  ✗ persons-next    {REGISTER} v6: Waiting (AccessNotGranted)",
        "      ended 2026-10-12 (yesterday): the grant was deleted",
        f"  ✗ relatives       {REGISTER} through evry: {over}",
        f"      ended today, 10:30: AgentAssignment evry: {OVER}",
    ]
    assert "you may not read webservicegrants: what the holders of web services granted" in answer.stderr


@pytest.mark.parametrize("verb", ["status", "explain"])
def test_of_what_an_operator_of_before_did_not_write_nothing_is_guessed(verb: str) -> None:
    refused = ("webservicegrants", "agentassignments")
    lines = section(typed(using(refused=refused), verb, NAME, *HERE).stdout)
    assert {line.split()[0] for line in lines if line.startswith("  ")} <= {"?", "State"}
    assert sum("not seen" in line for line in lines) == 4


def test_what_the_answers_say_now_counts_more_than_what_was_written_a_moment_ago() -> None:
    """Since when and why a use ended is known from the status alone: of what is granted it says nothing."""
    older = [
        written("persons", f"{REGISTER} v5", "Ended", "Closing", ended=GONE),
        written("persons-next", f"{REGISTER} v6", "Granted", "Active", ended=GONE),
    ]
    shown = [
        line.partition(" (in")[0] for line in section(typed(using(uses=older), "status", NAME, *HERE).stdout)
    ]
    assert shown == [
        f"  ✓ persons         {REGISTER} v5: Granted",
        f"  ✓ persons-before  {REGISTER} v4: Granted, last day 2027-10-31",
        f"  ✗ persons-next    {REGISTER} v6: Pending (EvidenceMissing)",
        "      ended 2026-10-12 (yesterday): the grant was deleted",
        f"  ✗ relatives       {REGISTER} through evry: Pending",
    ]


def test_without_deciding_anew_the_uses_are_explained_as_they_were_written(golden: Golden) -> None:
    shelf = using(refused=("webservicegrants", "agentassignments"), uses=WRITTEN)
    answer = typed(shelf, "explain", NAME, *HERE)
    golden("explain-access-written", answer.stdout.partition("\nWeb services\n")[2])
    found = json.loads(typed(shelf, "explain", NAME, *HERE, "-o", "json").stdout)
    assert not found["decidedNow"]
    assert [(one["name"], one["state"], one["endsOn"], one["ended"]) for one in found["uses"]] == [
        ("persons", "Granted", "2027-10-31", None),
        ("persons-before", None, None, None),
        ("persons-next", "Waiting", None, GONE),
        ("relatives", "Ended", "2026-10-12", WRITTEN[3]["ended"]),
    ]
    assert {"webService", "reason", "message", "holder", "grant", "since"} <= set(found["uses"][0])


def test_what_is_granted_and_lacks_its_credentials_is_explained_as_both() -> None:
    said = "granted; without its credentials: no Secret key"
    without = written("persons", f"{REGISTER} v5", "Granted", "CredentialsMissing", message=said)
    shelf = using(refused=("webservicegrants", "agentassignments"), uses=[without])
    shown = section(typed(shelf, "explain", NAME, *HERE).stdout)
    assert shown[0].startswith("  ✓ persons")
    assert shown[1] == f"  State         Granted (CredentialsMissing): {said}"


def test_a_use_that_ended_is_explained_by_what_ended_it() -> None:
    """Decided anew: the grant is gone, and the status of before knows since when."""
    before = written("persons", f"{REGISTER} v5", "Waiting", "AccessNotGranted", ended=GONE)
    another = access.rest_grant("other", spec={"consumer": {"namespace": "elsewhere"}})
    service = worlds.eservice(spec={"uses": [access.use("v5")]}, status={"uses": [before]})
    shelf = holder(worlds.template(), refused=(), service=service, grant=another)
    (use,) = json.loads(typed(shelf, "explain", NAME, *HERE, "-o", "json").stdout)["uses"]
    assert (use["state"], use["reason"], use["ended"]) == ("Waiting", "AccessNotGranted", GONE)
    assert use["since"] == "2026-10-01T08:00:00Z"
    page = " ".join(section(typed(shelf, "explain", NAME, *HERE).stdout))
    assert "  Ended         2026-10-12 (yesterday): the grant was deleted" in page


def test_one_use_that_ended_is_the_same_word_everywhere() -> None:
    """`status`, `explain`, and what the holder sees in `requests`."""
    last = "2026-10-12"
    customers = [{"code": CODES["ogre"], "state": "Ended", "eServices": ["ogre-production/ogre"]}]
    over = access.assignment(
        spec={"customers": [OGRE], "ended": {"at": "2026-10-13", "reason": "the contract is over"}},
        status={"state": "Ended", "reason": "AssignmentEnded", "customers": customers},
    )
    shelf, place = holder(worlds.template(), assignment=over), ("ogre", "-n", "ogre-production")
    explained = typed(shelf, "explain", *place).stdout.partition("\nWeb services\n")[2]
    said = f"AgentAssignment evry: its last day was {last}: the contract is over"
    assert f"State Ended (AssignmentEnded): {said}" in " ".join(explained.split())
    shown = section(typed(shelf, "status", *place).stdout)
    ended = f"Ended (AssignmentEnded), last day {last} (yesterday)"
    assert shown == [f"  ✗ persons  ur-production/population-register through evry: {ended}"]
    document = json.loads(typed(shelf, "explain", *place, "-o", "json").stdout)
    assert [one["state"] for one in document["uses"]] == ["Ended"]
    (gate,) = [one for one in document["gates"] if one["gate"] == "AccessGranted"]
    assert "UR <api@ur.example> writes another one, to name in spec.uses" in gate["toDo"]["do"]
    assert gate["toDo"]["run"] == ["kubectl eservice requests -n ur-production  # the holder"], (
        "no answer mends it"
    )


def standing_cases() -> dict[str, GrantCase]:
    """Grants as they end, and as they wait."""
    deleted = {"deletionTimestamp": "2026-10-13T07:00:00Z", "finalizers": ["eservice.dev/access"]}
    retired = access.web_service(spec={"contracts": [{"version": "v5", "endOfLife": "2026-10-12"}]})
    ended = {"ended": {"at": "2026-10-13", "reason": "over"}}
    return {
        "open": access.case(),
        "deleted": access.case(access.grant(metadata=deleted)),
        "expired": access.case(access.grant(spec={"validUntil": "2026-10-12"})),
        "refused": access.case(access.grant(spec={"refused": {"reason": "no"}})),
        "retired": access.case(offered=access.offer(retired)),
        "assignment over": access.case(
            access.grant(spec={"agent": {"assignment": access.AGENT}}),
            assigned=access.own_assignment(spec=ended),
        ),
        "without evidence": access.case(
            access.grant(spec={"contractVersions": access.granted("v5", evidence=None)})
        ),
        "nobody's": access.case(offered=access.offer(namespace_labels={})),
        "no backend": access.case(offered=access.offer(pods=None)),
    }


@pytest.mark.parametrize("was_active", [True, False])
@pytest.mark.parametrize("name", standing_cases())
def test_a_use_is_the_same_word_to_its_consumer_and_to_the_holder(name: str, was_active: bool) -> None:
    """`requests` shows what core judges, `status` what a grant's state comes to: whatever was before."""
    case = standing_cases()[name]
    (standing,) = standings(case, Times(worlds.NOW, worlds.POLICY.zone))
    since = {"version": "v5", "state": "Active", "reason": "Active", "activeSince": "2026-10-01T08:00:00Z"}
    before = WebServiceGrantStatus.model_validate({"contractVersions": [since]} if was_active else {})
    grant = case.grant.model_copy(update={"status": before})
    (entry,) = version_states(GrantWorld(replace(case, grant=grant)), [standing], (), worlds.NOW)
    use = UseStanding(
        Use.model_validate(access.use("v5")), standing.answer, standing.reason, standing.message, grant=case
    )
    assert word_of(entry.state.value, entry.reason) == request_state(use).value

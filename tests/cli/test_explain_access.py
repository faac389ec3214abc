# SPDX-License-Identifier: Apache-2.0
"""``explain`` and ``status`` of what an e-service may call, and what is read for it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from eservice_operator.api.reasons import Reason
from eservice_operator.cli import explanation
from eservice_operator.cli.access_advice import TO_DO
from eservice_operator.core.actions import Manifest
from tests.cli.shelf import Shelf, typed
from tests.cli.test_impact import ACTIVE, CODES, NAME, holder
from tests.support import access, worlds

Golden = Callable[[str, str], None]
HERE = ("-n", worlds.NAMESPACE)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explanation, "now", lambda: worlds.NOW)


def waiting(**patched: Manifest) -> Shelf:
    """v4 waits for its evidence, the address register has not been answered."""
    without = access.granted("v4", evidence=None)
    granted = access.grant(spec={"contractVersions": [*access.granted("v5"), *without]})
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
    assert "$ kubectl eservice requests -n ur-production  # the holder" in told
    assert "        webService: address-register" in told, "the answer that is missing, to hand over"


def test_programs_get_each_use() -> None:
    answer = typed(waiting(), "explain", NAME, *HERE, "-o", "json")
    found = json.loads(answer.stdout)
    assert found["decidedNow"], found["notes"]
    assert [(one["name"], one["answer"], one["reason"], one["endsOn"]) for one in found["uses"]] == [
        ("persons", "Allowed", "Active", None),
        ("persons-before", "Waiting", "EvidenceMissing", "2027-10-31"),
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
    assert (found["answer"], found["reason"], found["message"]) == ("Waiting", "NameCollision", message)
    page = typed(shelf, "explain", NAME, *HERE).output
    assert "✗ persons: ur-production/population-register v5" in page
    assert "Waiting (NameCollision): granted, and not yet open: Role grant.x" in page
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
    assert found["uses"] == []
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


def using(refused: tuple[str, ...] = (), condition: str = "False") -> Shelf:
    """The e-service, the holder's answers to it as written, and an agent who calls for it."""
    uses = [
        access.use("v5"),
        access.use("v4", name="persons-before"),
        access.use("v6", name="persons-next"),
        access.use(None, name="relatives", agent=access.AGENT),
    ]
    conditions = [worlds.condition("AccessGranted", "AccessNotGranted", condition)]
    service = worlds.eservice(spec={"uses": uses}, status={"phase": "Pending", "conditions": conditions})
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
        "  ✓ persons         ur-production/population-register v5: Active",
        "  ✓ persons-before  ur-production/population-register v4: Active, until 2027-10-31",
        "  ✗ persons-next    ur-production/population-register v6: Pending (EvidenceMissing)",
        "  ✗ relatives       ur-production/population-register through evry: NotYet",
    ]
    assert "Web services" not in typed(Shelf(worlds.eservice()), "status", NAME, *HERE).stdout


@pytest.mark.parametrize("condition, mark", [("False", "?"), ("True", "✓")])
def test_status_of_what_a_holder_does_not_let_see(condition: str, mark: str) -> None:
    """What the operator wrote of the whole is known even so."""
    shelf = using(refused=("webservicegrants", "agentassignments"), condition=condition)
    answer = typed(shelf, "status", NAME, *HERE)
    assert {line.split()[0] for line in section(answer.stdout)} == {mark}
    assert "you may not read webservicegrants: what the holders of web services granted" in answer.stderr

# SPDX-License-Identifier: Apache-2.0
"""R3: the gate AccessGranted, what a public release loses, and how that is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eservice_operator.api.reasons import ConditionType, Gate, Phase
from eservice_operator.core.actions import Manifest
from tests.support import access, holders, worlds
from tests.support.asking import (
    ADDRESS_USE,
    AskingCluster,
    agent_in_order,
    asking,
    holder_in_order,
    rest_grant,
    rest_service,
    through,
)
from tests.support.holders import HOLDER, REGISTER
from tests.support.worlds import NOW, at

LISTED = {"visibility": "Listed"}
PMLP = {"name": "PMLP", "code": "90000054163", "since": "2026-09-01"}


def granted(*uses: Manifest) -> AskingCluster:
    """The e-service with all its uses granted, and public."""
    cluster = asking(*(uses or (holders.USE, ADDRESS_USE)))
    cluster.answer(*holder_in_order())
    cluster.settle(NOW)
    assert cluster.phase() is Phase.PUBLISHED
    cluster.forget()
    return cluster


def gate(cluster: AskingCluster) -> tuple[str, str, str]:
    """Reason, owner and message of the gate."""
    (found,) = [one for one in cluster.status.gates if one.gate is Gate.ACCESS_GRANTED]
    return found.reason, found.owner.value, found.message


def condition(cluster: AskingCluster) -> tuple[str, str]:
    found = cluster.reason(ConditionType.ACCESS_GRANTED)
    assert found is not None
    return found


def events(cluster: AskingCluster) -> list[tuple[str, str]]:
    about = ("AccessLost", "AccessRegained")
    return [(note.type, note.reason) for note in cluster.told if note.reason in about]


# before the installation


def test_every_missing_web_service_is_named_and_nothing_is_installed() -> None:
    cluster = asking(holders.USE, ADDRESS_USE)
    cluster.settle(NOW)
    reason, owner, message = gate(cluster)
    assert (reason, owner) == ("AccessNotGranted", "Holder")
    assert message == (
        "ur-production/population-register v5 (persons): no grant; if there is such a web service of"
        " Production, its holder sees the request; ur-production/address-register (addresses): no grant; if"
        " there is such a web service of Production, its holder sees the request"
    )
    assert condition(cluster) == ("False", "AccessNotGranted")
    assert not cluster.of_kind("Deployment")
    assert not cluster.of_kind("ConfigMap")


def test_a_web_service_that_is_listed_says_whom_to_turn_to_and_another_is_as_none() -> None:
    cluster = asking(holders.USE)
    cluster.settle(NOW)
    unknown = gate(cluster)
    cluster.answer(holders.namespace(), holders.backend(), holders.web_service())
    cluster.settle(NOW)
    assert gate(cluster) == unknown, "it may not know that there is one"
    cluster.answer(holders.web_service(spec=LISTED))
    cluster.settle(NOW)
    assert gate(cluster)[2] == (
        "ur-production/population-register v5 (persons): no grant; its holder sees the request, holder UR"
        " <api@ur.example>"
    )


@pytest.mark.parametrize(
    "spec, reason, owner, said",
    [
        ({"refused": {"reason": "not for this"}}, "Refused", "Institution", "not for this"),
        ({"validUntil": "2026-10-12"}, "Expired", "Holder", "2026-10-12"),
        (
            {"contractVersions": [{"version": "v5"}]},
            "EvidenceMissing",
            "Institution",
            "evidence.selfDeclaration",
        ),
        (
            {"contractVersions": [{"version": "v4", "evidence": holders.EVIDENCE}]},
            "VersionNotGranted",
            "Holder",
            "not for this version",
        ),
    ],
)
def test_the_reason_of_the_grant_is_that_of_the_gate(
    spec: Manifest, reason: str, owner: str, said: str
) -> None:
    cluster = asking(holders.USE)
    cluster.answer(*holder_in_order(), holders.grant(spec=spec))
    cluster.settle(NOW)
    assert gate(cluster)[:2] == (reason, owner)
    assert said in gate(cluster)[2]


def test_an_unconfirmed_holder_is_the_agencys_to_confirm() -> None:
    cluster = asking(holders.USE)
    cluster.answer(*holder_in_order(), holders.namespace(metadata={"labels": None}))
    cluster.settle(NOW)
    assert gate(cluster)[:2] == ("HolderNotConfirmed", "Agency")


def test_it_is_installed_once_everything_is_granted() -> None:
    cluster = asking(holders.USE, ADDRESS_USE)
    cluster.answer(*holder_in_order())
    cluster.take_back("WebServiceGrant", HOLDER, "addresses")
    cluster.settle(NOW)
    assert "address-register" in gate(cluster)[2]
    assert "population-register" not in gate(cluster)[2]
    cluster.answer(rest_grant())
    cluster.settle(NOW)
    assert cluster.gates() == []
    assert condition(cluster) == ("True", "AccessGranted")


def test_an_agents_application_passes_by_its_grant() -> None:
    """The e-service that the grant names is the application: the grant answers its use as any other."""
    cluster = asking(holders.AS_AGENT)
    agent = {"name": "PMLP", "code": "90000054163"}
    cluster.answer(*holder_in_order(), holders.assignment(spec={"agent": agent}))
    cluster.answer(holders.grant(spec={"agent": {"assignment": "evry"}}))
    cluster.settle(NOW)
    assert condition(cluster) == ("True", "AccessGranted")


def test_a_customer_passes_by_the_assignment() -> None:
    cluster = asking(through())
    cluster.answer(*holder_in_order(), *agent_in_order())
    cluster.settle(NOW)
    assert gate(cluster)[0] == "CustomerNotListed"
    cluster.answer(holders.assignment(spec={"customers": [PMLP | {"since": "2026-10-14"}]}))
    cluster.settle(NOW)
    assert gate(cluster)[0] == "CustomerNotYet"
    cluster.settle(at("2026-10-14"))
    assert condition(cluster) == ("True", "AccessGranted")


def test_a_long_list_is_cut_at_an_entry_and_counted() -> None:
    cluster = asking(*(holders.USE | {"name": f"use-{number}"} for number in range(64)))
    cluster.settle(NOW)
    message = gate(cluster)[2]
    assert len(message) < 2000
    assert message.endswith(" more")
    assert message.count("(use-") + int(message.split()[-2]) == 64


# granted, and not open


def not_open(reason: str) -> Manifest:
    """The grant of the register, as the operator says that it could not carry it out."""
    message = "granted, and not yet open: Role grant.address exists and is not ours; it was left alone"
    entry = {"version": "v5", "state": "Pending", "reason": reason, "message": message}
    status = {"observedGeneration": 1, "state": "Pending", "reason": reason, "contractVersions": [entry]}
    return holders.grant(status=status)


@pytest.mark.parametrize(
    "reason, owner", [("NameCollision", "Holder"), ("Rejected", "Holder"), ("Opening", "Operator")]
)
def test_nothing_is_installed_before_what_is_granted_is_open(reason: str, owner: str) -> None:
    cluster = asking(holders.USE)
    cluster.answer(*holder_in_order(), not_open(reason))
    cluster.settle(NOW)
    assert gate(cluster)[:2] == (reason, owner)
    assert gate(cluster)[2] == (
        "ur-production/population-register v5 (persons): granted, and not yet open: Role grant.address exists"
        " and is not ours; it was left alone, holder UR <api@ur.example>"
    )
    assert condition(cluster) == ("False", reason)
    assert not cluster.of_kind("Deployment")
    cluster.answer(holders.grant())
    cluster.settle(NOW)
    assert condition(cluster) == ("True", "AccessGranted")
    assert cluster.of_kind("Deployment")


def collided_before_it_was_edited() -> Manifest:
    grant = not_open("NameCollision")
    return grant | {"metadata": grant["metadata"] | {"generation": 2}}


@pytest.mark.parametrize(
    "grant", [holders.grant(status={"state": "Pending"}), collided_before_it_was_edited()]
)
def test_nothing_is_installed_before_anybody_has_seen_it_open(grant: Manifest) -> None:
    cluster = asking(holders.USE)
    cluster.answer(*holder_in_order(), grant)
    cluster.settle(NOW)
    assert gate(cluster)[:2] == ("Opening", "Operator")
    assert "granted, and not yet open: it is being opened" in gate(cluster)[2]
    assert [(one.state.value, one.reason) for one in cluster.status.uses] == [("Pending", "Opening")]
    assert not cluster.of_kind("Deployment")


def test_a_public_release_says_that_it_is_cut_off_and_has_lost_nothing() -> None:
    cluster = granted()
    before = {place: body for place, body in cluster.objects.items() if place[0] != "EService"}
    cluster.answer(not_open("NameCollision"))
    cluster.settle(NOW)
    assert condition(cluster) == ("False", "NameCollision")
    assert cluster.phase() is Phase.PUBLISHED
    after = {place: body for place, body in cluster.objects.items() if place[0] != "EService"}
    assert after == before, "nothing of it is touched: bindings and ways out stay"
    assert [(note.type, note.reason) for note in cluster.told] == [("Warning", "NameCollision")]
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert condition(cluster) == ("False", "AccessLost"), "that is an end, and this is none"


def test_it_is_installed_without_its_credentials_and_says_so() -> None:
    copied = {
        "type": "CredentialsCopied",
        "status": "False",
        "reason": "CredentialsMissing",
        "message": "there is no Secret persons-key beside the grant",
        "lastTransitionTime": "2026-10-01T08:00:00Z",
    }
    cluster = asking(holders.USE)
    key = {"credentials": {"secretName": "persons-key"}}
    cluster.answer(
        *holder_in_order(),
        worlds.merged(access.opened(holders.grant(spec=key)), {"status": {"conditions": [copied]}}),
    )
    cluster.settle(NOW)
    assert cluster.phase() is Phase.PUBLISHED
    assert condition(cluster) == ("True", "CredentialsMissing")
    (found,) = [one for one in cluster.status.conditions if one.type == ConditionType.ACCESS_GRANTED]
    assert found.message == (
        "ur-production/population-register v5 (persons): granted; without its credentials: there is no Secret"
        " persons-key beside the grant, holder UR <api@ur.example>"
    )


# of what the public is served


ENDS: dict[str, Callable[[AskingCluster], None]] = {
    "deleted": lambda cluster: cluster.take_back("WebServiceGrant", HOLDER, "address"),
    "refused": lambda cluster: cluster.answer(holders.grant(spec={"refused": {"reason": "no more"}})),
    "expired": lambda cluster: cluster.answer(holders.grant(spec={"validUntil": "2026-10-12"})),
    "retired": lambda cluster: cluster.answer(
        holders.web_service(spec={"contracts": [{"version": "v5", "endOfLife": "2026-10-12"}]})
    ),
    "gone": lambda cluster: cluster.take_back("WebService", HOLDER, REGISTER),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_is_public_runs_on_and_says_what_it_lost(end: str) -> None:
    cluster = granted()
    template = cluster.one("Deployment")["spec"]["template"]
    ENDS[end](cluster)
    cluster.settle(NOW)
    assert cluster.phase() is Phase.PUBLISHED
    assert cluster.routed()
    assert cluster.one("Deployment")["spec"]["template"] == template, "no Pod restarts"
    assert condition(cluster) == ("False", "AccessLost")
    assert gate(cluster)[0] == "AccessLost"
    assert "population-register v5" in gate(cluster)[2]
    assert "address-register" not in gate(cluster)[2]
    assert events(cluster) == [("Warning", "AccessLost")]


def test_getting_it_back_is_told_and_brings_everything_back() -> None:
    cluster = granted()
    before = {place: body.get("data") for place, body in cluster.objects.items() if place[0] == "ConfigMap"}
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    cluster.forget()
    cluster.answer(holders.grant())
    cluster.settle(NOW)
    after = {place: body.get("data") for place, body in cluster.objects.items() if place[0] == "ConfigMap"}
    assert after == before
    assert condition(cluster) == ("True", "AccessGranted")
    assert events(cluster) == [("Normal", "AccessRegained")]


def test_a_second_loss_is_told_and_another_word_for_the_first_is_not() -> None:
    cluster = granted()
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    cluster.forget()
    cluster.answer(holders.grant(spec={"refused": {"reason": "no ground"}}))
    cluster.settle(NOW)
    assert not events(cluster)
    cluster.take_back("WebServiceGrant", HOLDER, "addresses")
    cluster.settle(NOW)
    assert events(cluster) == [("Warning", "AccessLost")]
    cluster.forget()
    cluster.answer(rest_grant())
    cluster.settle(NOW)
    assert not events(cluster), "one of two is back"


def test_a_lost_grant_is_told_beside_a_candidate_that_does_without() -> None:
    cluster = granted(holders.USE)
    cluster.edit_service(release={"image": worlds.image("b")}, uses=[])
    cluster.settle(NOW)
    cluster.forget()
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert condition(cluster) == ("False", "AccessLost"), "the public is served by a release that uses it"
    assert Gate.ACCESS_GRANTED not in cluster.gates(), "the candidate does without"
    assert events(cluster) == [("Warning", "AccessLost")]


def test_what_is_lost_and_what_was_never_granted_are_two_things() -> None:
    cluster = granted(holders.USE)
    cluster.take_back("WebServiceGrant", HOLDER, "addresses")
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.edit_service(uses=[holders.USE, ADDRESS_USE])
    cluster.settle(NOW)
    assert condition(cluster) == ("False", "AccessLost")
    assert gate(cluster)[0] == "AccessNotGranted", "of the change that it holds back"


def test_a_candidate_that_asks_for_more_has_lost_nothing() -> None:
    cluster = granted(holders.USE)
    cluster.take_back("WebServiceGrant", HOLDER, "addresses")
    cluster.edit_service(release={"image": worlds.image("b")}, uses=[holders.USE, ADDRESS_USE])
    cluster.settle(NOW)
    assert condition(cluster) == ("False", "AccessNotGranted")
    assert events(cluster) == []


def test_what_is_off_the_route_does_not_come_back_without_its_grants() -> None:
    cluster = granted()
    cluster.edit_service(publication={"paused": {"reason": "work"}})
    cluster.settle(NOW)
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.edit_service(publication={"paused": None})
    cluster.settle(NOW)
    assert not cluster.routed()
    cluster.answer(holders.grant())
    cluster.settle(NOW)
    assert cluster.routed()


def test_a_holder_owes_nothing_that_the_institution_does() -> None:
    """One entry that only the institution can mend makes the gate its own: no wait for R8 comes of it."""
    cluster = asking(holders.USE, ADDRESS_USE)
    cluster.answer(*holder_in_order(), holders.grant(spec={"refused": {"reason": "no"}}))
    cluster.take_back("WebServiceGrant", HOLDER, "addresses")
    cluster.settle(NOW)
    assert gate(cluster)[:2] == ("AccessNotGranted", "Institution")


def test_words_of_others_stay_on_their_line() -> None:
    cluster = asking(ADDRESS_USE)
    holder = {"institution": "UR\n\x1b[31m", "code": "90000270634", "email": "api@ur.example"}
    cluster.answer(holders.namespace(), rest_service(spec={"holder": holder, "visibility": "Listed"}))
    cluster.settle(NOW)
    assert gate(cluster)[2].isprintable()

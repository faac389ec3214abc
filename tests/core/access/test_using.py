# SPDX-License-Identifier: Apache-2.0
"""R3, R9: how a use stands, and that it says no more than its consumer may know."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from eservice_operator.api.reasons import Reason
from eservice_operator.core.access.terms import Answer
from eservice_operator.core.actions import Manifest
from tests.core.access.register import (
    APPLICATION,
    Register,
    agents_register,
    assigned,
    connection,
    consumer,
    customer_place,
    granted,
    joined,
    passed,
)
from tests.support import access
from tests.support.worlds import NAME, NAMESPACE, at

PLACE = (NAMESPACE, NAME)
TESTS = passed(access.connection_test(), access.connection_test("tested-v4", "v4"))


def register(*grants: Manifest, uses: tuple[Manifest, ...] = (access.use("v5"),), **service: Any) -> Register:
    """One consumer and one web service."""
    return Register(
        offers=(access.offer(access.web_service(spec=service)),),
        grants=granted(*grants),
        consumers=(consumer(PLACE, *uses),),
        tests=TESTS,
    )


def test_a_grant_allows_its_version() -> None:
    found = register(access.grant(spec={"validUntil": "2028-01-01"})).standing(PLACE)
    assert found.allowed
    assert found.versions == ("v5",)
    assert (found.reason, found.message) == (Reason.ACTIVE, "granted until 2028-01-01, that day included")
    assert found.ends_on == date(2028, 1, 1)
    assert found.contact == "api@ur.example"


@pytest.mark.parametrize(
    "listed,grants,version,reason,answer",
    [
        (True, (), "v5", Reason.ACCESS_NOT_GRANTED, Answer.WAITING),
        (True, (), None, Reason.VERSION_NOT_GRANTED, Answer.WAITING),
        (True, (), "v9", Reason.CONTRACT_UNKNOWN, Answer.WAITING),
        (True, (), "v3", Reason.CONTRACT_RETIRED, Answer.WAITING),
        (False, ("v5",), "v9", Reason.CONTRACT_UNKNOWN, Answer.WAITING),
        (False, ("v5",), "v4", Reason.VERSION_NOT_GRANTED, Answer.WAITING),
        (False, ("v5",), None, Reason.VERSION_NOT_GRANTED, Answer.WAITING),
        (False, ("v3",), "v3", Reason.CONTRACT_RETIRED, Answer.OVER),
    ],
)
def test_who_may_know_the_web_service_learns_what_is_amiss(
    listed: bool, grants: tuple[str, ...], version: str | None, reason: Reason, answer: Answer
) -> None:
    bodies = [access.grant(spec={"contractVersions": access.granted(*grants)})] if grants else []
    found = register(
        *bodies,
        uses=(access.use(version),),
        visibility="Listed" if listed else "Unlisted",
        contracts=[{"version": "v3", "endOfLife": "2024-05-31"}, {"version": "v4"}, {"version": "v5"}],
    ).standing(PLACE)
    assert (found.reason, found.answer) == (reason, answer)
    assert found.contact == "api@ur.example"


@pytest.mark.parametrize("version", ["v5", "v9", None])
def test_one_that_is_not_listed_reads_as_none(version: str | None) -> None:
    unlisted = register(uses=(access.use(version),))
    assert unlisted.standing(PLACE) == unlisted.but(offers=()).standing(PLACE)
    assert unlisted.standing(PLACE).contact == ""


def test_one_whose_holder_is_not_confirmed_is_not_listed() -> None:
    listed = access.offer(access.web_service(spec={"visibility": "Listed"}), namespace_labels={})
    found = register().but(offers=(listed,))
    assert found.standing(PLACE) == found.but(offers=()).standing(PLACE)


def test_two_uses_of_one_web_service_stand_for_themselves() -> None:
    both = register(access.grant(), uses=(access.use("v5"), access.use("v4", name="before")))
    assert [found.reason for found in both.standings(PLACE)] == [Reason.ACTIVE, Reason.VERSION_NOT_GRANTED]


def test_the_best_of_several_grants_counts_then_the_oldest() -> None:
    first, second = access.grant("first"), access.grant("second")
    refused = access.grant("refused", spec={"refused": {"reason": "no law allows it"}})
    over = access.grant("over", spec={"validUntil": "2026-10-01"})
    found = [
        register(*grants).standing(PLACE).grant for grants in ((refused, first, second), (over, refused))
    ]
    assert [one and one.grant.metadata.name for one in found] == ["first", "refused"]


def test_a_grant_that_names_it_shows_what_is_missing_and_whom_to_turn_to() -> None:
    found = register(access.grant(spec={"contractVersions": access.granted("v5", evidence=None)})).standing(
        PLACE
    )
    assert (found.answer, found.reason) == (Answer.WAITING, Reason.EVIDENCE_MISSING)
    assert found.contact == "api@ur.example"


def test_an_agents_application_asks_as_any_other_does() -> None:
    found = agents_register().standings(APPLICATION)
    assert [(one.use.contract_version, one.allowed) for one in found] == [
        ("v4", False),
        ("v5", True),
        ("v6", False),
    ]


# through an agent (R9)


@pytest.mark.parametrize("name", ["Rēzekne", "Cēsis", "Ogre"])
def test_the_agents_connection_serves_its_customers(name: str) -> None:
    found = agents_register().standing(customer_place(name))
    assert found.allowed
    assert (found.message, found.versions) == ("granted through Evry", ("v5",))
    assert found.grant is not None
    assert found.grant.grant.metadata.name == "evry"


def test_one_upgrade_by_the_agent_serves_everybody() -> None:
    for upgraded in (
        agents_register(None, connection("v5", "v6")),
        agents_register(None, connection("v5"), connection("v6", metadata={"name": "evry-v6"})),
    ):
        for name in ("Rēzekne", "Cēsis", "Ogre"):
            assert upgraded.standing(customer_place(name)).versions == ("v5", "v6")


def test_the_grants_of_another_application_add_no_versions() -> None:
    other = connection("v4", metadata={"name": "other"}, spec={"consumer": {"name": "other"}})
    both = agents_register(None, connection("v5"), other)
    uses = consumer((APPLICATION[0], "other"), access.use("v4", as_agent=access.AGENT), code="40003022232")
    tested = access.connection_test("other-v4", "v4", spec={"registration": "other"})
    found = both.but(consumers=(*both.consumers, uses), tests=(*both.tests, *passed(tested)))
    assert found.standing((APPLICATION[0], "other")).allowed
    assert found.standing(customer_place("Ogre")).versions == ("v5",)


def test_it_ends_with_the_first_of_the_terms() -> None:
    until = access.assignment(spec={"customers": [joined("Ogre")], "validUntil": "2029-01-01"})
    v4, both = agents_register(until, connection("v4")), agents_register(until, connection("v4", "v5"))
    assert v4.standing(customer_place("Ogre")).ends_on == date(2027, 10, 31), "of the contract version"
    assert both.standing(customer_place("Ogre")).ends_on == date(2029, 1, 1), "v5 goes on"
    endless = agents_register(None, connection("v4", "v5"))
    assert endless.standing(customer_place("Ogre")).ends_on is None


@pytest.mark.parametrize("longer_first", [True, False])
def test_of_two_grants_for_the_agent_the_longer_one_counts(longer_first: bool) -> None:
    days = ["2027-06-01", "2027-01-01"] if longer_first else ["2027-01-01", "2027-06-01"]
    grants = [connection(metadata={"name": f"evry-{day}"}, spec={"validUntil": day}) for day in days]
    found = agents_register(None, *grants).standing(customer_place("Ogre"))
    assert found.ends_on == date(2027, 6, 1)
    endless = agents_register(None, *grants, connection(metadata={"name": "endless"}))
    assert endless.standing(customer_place("Ogre")).ends_on is None
    assert found.versions == ("v5",)


@pytest.mark.parametrize(
    "patch,reason,answer",
    [
        ({"agreement": None}, Reason.ASSIGNMENT_PENDING, Answer.WAITING),
        ({"pilotCustomers": [access.PILOTS[0]]}, Reason.ASSIGNMENT_PENDING, Answer.WAITING),
        ({"ended": {"at": "2026-10-13", "reason": "no longer"}}, Reason.ASSIGNMENT_ENDED, Answer.OVER),
        ({"validUntil": "2026-10-12"}, Reason.ASSIGNMENT_ENDED, Answer.OVER),
        ({"customers": [joined("Ogre", "2026-10-14")]}, Reason.CUSTOMER_NOT_YET, Answer.WAITING),
    ],
)
def test_a_listed_customer_reads_what_is_missing(
    patch: dict[str, Any], reason: Reason, answer: Answer
) -> None:
    body = access.assignment(spec={"customers": [joined("Ogre")]} | patch)
    found = agents_register(body).standing(customer_place("Ogre"))
    assert (found.reason, found.answer) == (reason, answer)
    assert found.contact == "api@ur.example"


def test_a_listed_customer_reads_that_the_agent_is_not_connected() -> None:
    found = agents_register(None).but(grants=()).standing(customer_place("Ogre"))
    assert (found.reason, found.message) == (Reason.AGENT_NOT_CONNECTED, "the connection of Evry is not open")


def test_while_nobody_confirmed_the_holder_nobody_is_sent_there() -> None:
    granted_to = register(access.grant())
    through = agents_register()
    for there, place in ((granted_to, PLACE), (through, customer_place("Ogre"))):
        nobodys = there.but(offers=(replace(there.offers[0], namespace_labels={}),))
        found = nobodys.standing(place)
        assert (found.reason, found.contact) == (Reason.HOLDER_NOT_CONFIRMED, "")


def test_who_only_claims_the_registration_of_a_customer_learns_nothing() -> None:
    place = ("anybody", "claimant")
    claimant = consumer(place, access.use(None, agent=access.AGENT), code="90000024455", claims="ogre")
    there = agents_register()
    there = there.but(consumers=(*there.consumers, claimant))
    assert there.standing(place) == there.but(offers=(), grants=(), assignments=()).standing(place)


def test_an_assignment_for_another_web_service_lists_nobody_here() -> None:
    elsewhere = access.assignment(spec={"customers": [joined("Ogre")], "webService": "another"})
    there, place = agents_register(elsewhere), customer_place("Ogre")
    assert there.standing(place) == there.but(offers=(), grants=(), assignments=()).standing(place)


def test_a_grant_of_its_own_says_nothing_of_the_agent() -> None:
    place = customer_place("Ogre")
    own = access.grant("own", spec={"consumer": {"namespace": place[0], "name": place[1]}})
    not_listed = agents_register(access.assignment(), connection(), own)
    found = not_listed.standing(place)
    assert (found.allowed, found.reason) == (False, Reason.CUSTOMER_NOT_LISTED)
    without = not_listed.but(assignments=(), grants=granted(own)).standing(place)
    assert (found.reason, found.message) == (without.reason, without.message)


def test_ending_the_assignment_ends_what_came_through_it_and_no_more() -> None:
    place = customer_place("Ogre")
    uses = (access.use(None, agent=access.AGENT), access.use("v5", name="own"))
    own = access.grant("own", spec={"consumer": {"namespace": place[0], "name": place[1]}})
    body = access.assignment(
        spec={"customers": [joined("Ogre")], "ended": {"at": "2026-11-01", "reason": "no longer"}}
    )
    there = agents_register(body, connection(), own)
    ogre = consumer(place, *uses, code="90000024455")
    tested = access.connection_test("ogre-v5", spec={"registration": "ogre"})
    there = there.but(
        consumers=(*there.consumers[:-1], ogre),
        tests=(*there.tests, *passed(tested)),
        assignments=assigned(body),
    )
    before, after = at("2026-10-31", "23:59"), at("2026-11-01", "00:00")
    assert [one.allowed for one in there.standings(place, before)] == [True, True]
    assert [one.allowed for one in there.standings(place, after)] == [False, True]
    assert not any(one.allowed for one in there.standings(APPLICATION, after))

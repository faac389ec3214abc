# SPDX-License-Identifier: Apache-2.0
"""Any register: holders, agents and consumers in good order and in none, on days around those they name."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from hypothesis import strategies as st

from eservice_operator.core.access.case import Consumer, Offer
from eservice_operator.core.actions import Manifest
from tests.core.access.register import CODES, Register, assigned, consumer, granted, passed
from tests.support import access, worlds

DAYS: Final = tuple(f"2026-10-{day}" for day in range(11, 17))
SERVICES: Final = (access.REGISTER, access.ADDRESSES)
VERSIONS: Final = ("v4", "v5", "v6")
AGENTS: Final = ("evry", "tieto")
CUSTOMERS: Final = tuple(CODES)
PLACES: Final = tuple((f"place-{number}", "asks") for number in range(4))
"""Of e-services: three have a place by their registrations, and the last one only claims the first's."""
days = st.sampled_from(DAYS)
maybe_day = st.none() | days
rarely_day = st.none() | st.none() | days
rarely_ended = rarely_day.map(lambda day: None if day is None else {"at": day, "reason": "no longer"})
mostly = st.integers(0, 5).map(bool)
services = st.sampled_from(SERVICES)
some_versions = st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=len(VERSIONS), unique=True)
some_customers = st.lists(st.sampled_from(CUSTOMERS), max_size=3, unique=True)
maybe_agent = st.none() | st.sampled_from(AGENTS)
places = st.sampled_from(PLACES)
visibilities = st.sampled_from(["Listed", "Unlisted"])
isolations = st.sampled_from(["Enforce", "Observe"])
environments = st.sampled_from(["Production", "Production", "Production", "Acceptance"])


def instants() -> st.SearchStrategy[datetime]:
    """An instant on one of the days, or a second before or at the start of one."""
    return st.builds(worlds.at, days, st.sampled_from(["00:00", "00:01", "12:00", "23:59"]))


def _code(place: tuple[str, str]) -> str:
    return CODES[CUSTOMERS[PLACES.index(place) % len(CUSTOMERS)]]


def uses() -> st.SearchStrategy[list[Manifest]]:
    """What an e-service asks for, each by a name of its own."""
    one = st.builds(
        lambda service, version, agent, role: (
            service,
            None if agent else version,
            agent,
            None if agent else role,
        ),
        st.sampled_from(SERVICES),
        st.none() | st.sampled_from(VERSIONS),
        st.none() | st.sampled_from(AGENTS),
        st.none() | st.sampled_from(AGENTS),
    )
    return st.lists(one, min_size=1, max_size=4).map(
        lambda found: [
            access.use(version, name=f"use-{number}", web_service=service, agent=agent, as_agent=role)
            for number, (service, version, agent, role) in enumerate(found)
        ]
    )


def consumers() -> st.SearchStrategy[tuple[Consumer, ...]]:
    """All e-services."""

    def made(asked: list[list[Manifest]]) -> tuple[Consumer, ...]:
        claims = [None, None, None, PLACES[0][0]]
        return tuple(
            consumer(place, *wanted, code=_code(place), claims=claimed)
            for place, wanted, claimed in zip(PLACES, asked, claims, strict=True)
        )

    return st.lists(uses(), min_size=len(PLACES), max_size=len(PLACES)).map(made)


@st.composite
def offers(draw: st.DrawFn, name: str) -> Offer | None:
    """A WebService in any state, or none."""
    if not draw(mostly):
        return None
    contracts = [{"version": one} | _given(endOfLife=draw(maybe_day)) for one in draw(some_versions)]
    spec: dict[str, Any] = {
        "contracts": contracts,
        "visibility": draw(visibilities),
        "isolation": draw(isolations),
        "environment": draw(environments),
    }
    if not draw(mostly):
        spec["backend"] = {"service": None, "url": "https://register.ur.example"}
    build = access.web_service if name == access.REGISTER else access.rest_service
    known = draw(mostly)
    return access.offer(
        build(name, spec=spec),
        pods=access.PODS if known else None,
        namespace_labels=None if draw(mostly) else {},
    )


def _given(**fields: Any) -> Manifest:
    return {name: value for name, value in fields.items() if value is not None}


@st.composite
def grants(draw: st.DrawFn, number: int) -> Manifest:
    """A grant of anything to anybody."""
    service = draw(services)
    place = draw(places)
    evidence = access.EVIDENCE if draw(mostly) else None
    versions = access.granted(*draw(some_versions), evidence=evidence)
    named = (service == access.REGISTER) is (draw(mostly))
    spec = {
        "webService": service,
        "consumer": {"namespace": place[0], "name": place[1]},
        "contractVersions": versions if named else None,
        "validUntil": draw(rarely_day),
        "refused": {"reason": "no law allows it"} if not draw(mostly) else None,
    }
    agent = draw(maybe_agent)
    if agent is not None:
        spec["agent"] = {"assignment": agent}
    created = f"2026-09-{number + 1:02}T08:00:00Z"
    return access.grant(f"grant-{number}", metadata={"creationTimestamp": created}, spec=spec)


@st.composite
def assignments(draw: st.DrawFn, name: str) -> Manifest:
    """An assignment in any state."""
    pilots = draw(some_customers)
    joined = draw(some_customers)
    spec: dict[str, Any] = {
        "webService": draw(services),
        "pilotCustomers": [
            access.pilot(one, CODES[one], access.EVIDENCE if draw(mostly) else None) for one in pilots
        ],
        "customers": [{"name": one, "code": CODES[one], "since": draw(days)} for one in joined],
        "agent": {"name": name, "code": _code(draw(places))},
        "validUntil": draw(maybe_day),
        "ended": draw(rarely_ended),
    }
    if not draw(mostly):
        spec["agreement"] = None
    return access.assignment(name, spec=spec)


ANY_OFFERS: Final = [offers(name) for name in SERVICES]
ANY_GRANTS: Final = [grants(number) for number in range(5)]
ANY_ASSIGNMENTS: Final = [assignments(name) for name in AGENTS]
ANY_CONSUMERS: Final = consumers()
how_many = st.integers(0, len(ANY_GRANTS))


@st.composite
def registers(draw: st.DrawFn) -> Register:
    """All of it."""
    found = [draw(offered) for offered in ANY_OFFERS]
    tests = (
        access.connection_test(f"{place[0]}-{version}", version, spec={"registration": place[1]})
        for place in PLACES[:1]
        for version in VERSIONS
        if draw(mostly)
    )
    return Register(
        offers=tuple(one for one in found if one is not None),
        grants=granted(*(draw(one) for one in ANY_GRANTS[: draw(how_many)])),
        assignments=assigned(*(draw(one) for one in ANY_ASSIGNMENTS if draw(mostly))),
        consumers=draw(ANY_CONSUMERS),
        tests=passed(*tests),
    )


ANY: Final = registers()


@st.composite
def good_registers(draw: st.DrawFn) -> Register:
    """Much of it in good order, so that calls are allowed in most of them."""
    there = draw(ANY)
    contracts = [{"version": one} for one in VERSIONS]
    body = {"contracts": contracts, "visibility": draw(visibilities)}
    named = [access.pilot(one, CODES[one]) for one in CUSTOMERS[:2]]
    joined = [{"name": CUSTOMERS[2], "code": CODES[CUSTOMERS[2]], "since": draw(days)}]
    agent = {"name": "evry", "code": _code(PLACES[0])}
    spec = {"pilotCustomers": named, "customers": joined, "validUntil": draw(maybe_day), "agent": agent}
    connection = {
        "consumer": {"namespace": PLACES[0][0], "name": PLACES[0][1]},
        "contractVersions": access.granted(*VERSIONS),
        "agent": {"assignment": "evry"},
    }
    application = consumer(
        PLACES[0],
        *(access.use(one, name=f"as-{one}", as_agent="evry") for one in VERSIONS),
        code=_code(PLACES[0]),
    )
    application = replace(application, uses=(*application.uses, *there.consumers[0].uses))
    tests = (access.connection_test(f"good-{one}", one, spec={"registration": "asks"}) for one in VERSIONS)
    return there.but(
        offers=(access.offer(access.web_service(spec=body)), access.offer(access.rest_service())),
        grants=(*granted(access.grant("connection", spec=connection)), *there.grants),
        assignments=assigned(access.assignment("evry", spec=spec)),
        consumers=(application, *there.consumers[1:]),
        tests=passed(*tests),
    )


any_registers = st.one_of(ANY, good_registers())

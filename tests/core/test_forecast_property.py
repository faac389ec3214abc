# SPDX-License-Identifier: Apache-2.0
"""The forecast equals what happens: service by service, and to the second.

A fleet in memory lives through the same time by the operator's loop, with manifests as the API server has
them; what becomes of it is read off its statuses and routes, and compared with the forecast made before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from eservice_operator.api.template import EServiceTemplate
from eservice_operator.core.forecast import forecast
from eservice_operator.core.foresight import Happening
from eservice_operator.core.simulated_cluster import Scene
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.world import TemplateWorld
from tests.support import worlds
from tests.support.lived import Event, lived
from tests.support.postal import BOTH, PostalCluster
from tests.support.pure_cluster import PureCluster
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import NAME, NOW, TEMPLATE, at, image

UNTIL = at("2028-10-13")


@dataclass(frozen=True)
class Renewal:
    """The next release that the spec names, and what people have done for it."""

    version: str
    signed: str | None = None
    """The day of its act."""
    requested: str | None = "2026-10-05"
    verified: bool = False
    uses: bool = False
    """Whether it uses a web service that nobody has granted."""


@dataclass(frozen=True)
class Member:
    """An e-service of a small fleet."""

    version: str
    deferred: str | None = None
    ends: str | None = None
    """From when the deferral is revoked."""
    paused: str | None = None
    renewal: Renewal | None = None


def scene(fleet: PureFleet) -> Scene:
    templates = [EServiceTemplate.model_validate(body) for body in fleet.templates.values()]
    return Scene(
        tuple(cluster.world() for cluster in fleet.members.values()),
        tuple(
            TemplateWorld(one, catalogue_of(one), fleet=fleet.fleet(one.metadata.name)) for one in templates
        ),
    )


def foreseen(fleet: PureFleet, start: datetime, *editions: dict[str, Any]) -> list[Event]:
    """The forecast from ``start`` on, should the template be edited then."""
    known = scene(fleet)
    what_if = [
        EServiceTemplate.model_validate(fleet.templates[TEMPLATE] | {"spec": body["spec"]})
        for body in editions
    ]
    made = forecast(known, start, UNTIL, fleet.policy, what_if)
    return sorted((item.at, item.name.removeprefix(f"{NAME}-"), item.action.value) for item in made.foreseen)


DAYS = [
    "2026-10-25",  # the clocks go back
    "2026-11-01",
    "2027-01-31",
    "2027-02-28",
    "2027-03-28",  # the clocks go forward
    "2027-06-01",
    "2027-06-02",
    "2027-10-31",
    "2028-02-29",
]
days = st.sampled_from(DAYS)
numbers = st.sampled_from(["2.0.0", "3.0.0"])


@st.composite
def templates(draw: st.DrawFn) -> dict[str, Any]:
    """Up to two versions to come, recalls, every policy."""
    versions = [
        worlds.version("2.0.0", "2025-08-01", "2025-08-02"),
        worlds.version("3.0.0", "2025-10-01", "2025-11-01"),
    ]
    if draw(st.booleans()):
        recall = {"at": draw(days), "replaceBy": "2028-03-01"} if draw(st.booleans()) else {}
        versions[draw(st.integers(0, 1))] |= {"withdrawn": recall | {"reason": "a fault"}} if recall else {}
    for number in ("4.0.0", "5.0.0")[: draw(st.integers(0, 2))]:
        released = draw(days)
        versions.append(worlds.version(number, released, max(released, draw(days))))
    lifecycle = {
        "maximumLag": draw(st.sampled_from(["P12M", "P18M"])),
        "lagMeasure": draw(st.sampled_from(["ReleaseGap", "SinceSuperseded"])),
        "migrateWithin": draw(st.sampled_from(["P1M", "P12M"])),
        "noticePeriod": draw(st.sampled_from(["P0D", "P1M"])),
        "warnBefore": draw(st.sampled_from([[], ["P7D"], ["P6M", "P3M", "P1M", "P7D"]])),
        "enforcement": draw(st.sampled_from(["Enforce", "Enforce", "Enforce", "Warn", "Observe"])),
        "enforceFrom": draw(st.none() | days),
        "brake": {"atLeast": draw(st.integers(1, 3)), "percent": draw(st.sampled_from([0, 60]))},
    }
    return worlds.template(versions, lifecycle=lifecycle)


renewals = st.builds(
    Renewal,
    version=st.sampled_from(["3.0.0", "4.0.0", "5.0.0"]),
    signed=st.none() | st.just("2026-10-01") | days,
    requested=st.none() | st.just("2026-10-05") | days,
    verified=st.booleans(),
    uses=st.booleans(),
)
members = st.lists(
    st.builds(
        Member,
        version=numbers,
        deferred=st.none() | days,
        ends=st.none() | days,
        paused=st.none() | days,
        renewal=st.none() | renewals,
    ),
    min_size=1,
    max_size=5,
)
YOUNG = (worlds.version("2.0.0", "2025-08-01"), worlds.version("3.0.0", "2025-10-01", "2025-11-01"))


WITH_CHANNELS = replace(worlds.POLICY, channels=BOTH)


def small_fleet(found: list[Member], *, channels: bool) -> PureFleet:
    """The fleet is public on a template that makes nobody lag; with channels, they accept at once."""
    fleet = PureFleet(WITH_CHANNELS, kind=PostalCluster) if channels else PureFleet()
    fleet.templates[TEMPLATE] = worlds.template(YOUNG)
    for name, member in zip("abcde", found, strict=False):
        cluster = fleet.join(name, member.version)
        cluster.settle(NOW)
        prepare(cluster, f"{NAME}-{name}", member)
        cluster.settle(NOW)
    return fleet


def prepare(cluster: PureCluster, name: str, member: Member) -> None:
    """What people do about an e-service before the forecast is made."""
    if member.deferred is not None:
        revoked = {} if member.ends is None else {"revoked": {"at": member.ends, "reason": "a mistake"}}
        cluster.put(worlds.deferral(member.deferred, spec={"eService": {"name": name}} | revoked))
    if member.paused is not None:
        pause = {"until": f"{member.paused}T10:00:00Z", "reason": "a migration"}
        cluster.edit_service(publication={"paused": pause})
    if member.renewal is not None:
        renew(cluster, name, member.renewal)


def renew(cluster: PureCluster, name: str, renewal: Renewal) -> None:
    release = {"template": {"name": TEMPLATE, "version": renewal.version}, "image": image("d")}
    holder = {"namespace": "ur-production", "name": "register"}
    cluster.edit_service(
        release={"image": image("d")},
        template={"version": renewal.version},
        productionRequest=None if renewal.requested is None else {"requestedAt": renewal.requested},
        uses=[{"name": "persons", "webService": holder}] if renewal.uses else [],
    )
    if renewal.signed is not None:
        act = {"eService": {"name": name}, "signedAt": renewal.signed}
        cluster.put(worlds.act("act-renewed", spec=act | release))
    if renewal.verified:
        cluster.put(worlds.verification("verified-renewed", spec={"eService": name} | release))


STARTS = [NOW, at("2027-03-27", "23:59"), at("2027-06-01", "00:00"), at("2027-10-31", "12:34")]


def told_and_lived(
    found: list[Member], template: dict[str, Any], start: datetime = NOW, *, channels: bool = False
) -> tuple[list[Event], list[Event]]:
    fleet = small_fleet(found, channels=channels)
    if start == NOW:
        told = foreseen(fleet, start, template)
        fleet.put_template(template)
    else:
        fleet.put_template(template)
        fleet.advance(NOW, start)
        told = foreseen(fleet, start)
    return told, lived(fleet, start, UNTIL)


@settings(max_examples=40, deadline=None)
@given(members, templates(), st.sampled_from(STARTS), st.booleans())
def test_the_forecast_is_what_happens(
    found: list[Member], template: dict[str, Any], start: datetime, channels: bool
) -> None:
    """Also one that begins in the middle, with decisions made and sets held."""
    told, happened = told_and_lived(found, template, start, channels=channels)
    for what in {what for _, _, what in told}:
        event(what)
    assert told == happened


# what the property has to meet, whatever it draws: an example of each


TO_COME = worlds.version("4.0.0", "2027-01-31", "2027-06-01")
YEAR = {"maximumLag": "P12M", "brake": {"atLeast": 3}}
GRANT_MISSING = Renewal("4.0.0", signed="2026-10-01", uses=True)
ACT_MISSING = Renewal("4.0.0", signed=None)
EXAMPLES: dict[str, tuple[list[Member], dict[str, Any], set[Happening]]] = {
    "taken off": (
        [Member("3.0.0")],
        YEAR,
        {Happening.WARN, Happening.UNPUBLISH, Happening.MIGRATION_DUE},
    ),
    "deferred until the end of a day on which the clocks go back": (
        [Member("3.0.0", deferred="2027-10-31")],
        YEAR,
        {Happening.WARN, Happening.UNPUBLISH, Happening.MIGRATION_DUE},
    ),
    "a deferral that is revoked": (
        [Member("3.0.0", deferred="2027-10-31", ends="2027-06-02")],
        YEAR,
        {Happening.WARN, Happening.UNPUBLISH, Happening.MIGRATION_DUE},
    ),
    "braked": (
        [Member("3.0.0")] * 2,
        YEAR | {"brake": {"atLeast": 1}},
        {Happening.WARN, Happening.HOLD, Happening.MIGRATION_DUE},
    ),
    "waited for": (
        [Member("3.0.0", renewal=ACT_MISSING)],
        YEAR,
        {Happening.WARN, Happening.HOLD, Happening.UNPUBLISH, Happening.MIGRATION_DUE},
    ),
    "only warned": (
        [Member("3.0.0")],
        YEAR | {"enforcement": "Warn"},
        {Happening.WARN, Happening.MIGRATION_DUE},
    ),
    "observed": ([Member("3.0.0")], YEAR | {"enforcement": "Observe"}, {Happening.MIGRATION_DUE}),
    "never installed": (
        [Member("3.0.0", renewal=GRANT_MISSING)],
        {"maximumLag": "P36M"},
        {Happening.INSTALLATION_OVERDUE, Happening.MIGRATION_DUE},
    ),
    "a pause that ends": (
        [Member("3.0.0", paused="2027-01-31")],
        {"maximumLag": "P36M"},
        {Happening.REPUBLISH, Happening.MIGRATION_DUE},
    ),
}


@pytest.mark.parametrize("channels", [False, True], ids=["no channels", "channels"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_each_action_comes_when_the_forecast_says(name: str, channels: bool) -> None:
    found, lifecycle, expected = EXAMPLES[name]
    lifecycle = {"migrateWithin": "P6M"} | lifecycle
    template = worlds.template((*YOUNG, TO_COME), lifecycle=lifecycle)
    told, happened = told_and_lived(found, template, channels=channels)
    assert {what for _, _, what in told} == expected
    assert told == happened


LATER = at("2027-06-15", "12:00")
HELD_TO_BEGIN_WITH: dict[str, tuple[list[Member], dict[str, Any]]] = {
    "by the brake": ([Member("3.0.0")] * 2, YEAR | {"brake": {"atLeast": 1}}),
    "for a renewal": ([Member("3.0.0", renewal=ACT_MISSING)], YEAR),
}


@pytest.mark.parametrize("channels", [False, True], ids=["no channels", "channels"])
@pytest.mark.parametrize("name", HELD_TO_BEGIN_WITH)
def test_what_is_held_to_begin_with_is_told_once(name: str, channels: bool) -> None:
    found, lifecycle = HELD_TO_BEGIN_WITH[name]
    template = worlds.template((*YOUNG, TO_COME), lifecycle=lifecycle)
    told, happened = told_and_lived(found, template, LATER, channels=channels)
    assert [event for event in told if event[2] == Happening.HOLD] == [
        (LATER, member, "Hold") for member in "ab"[: len(found)]
    ]
    assert told == happened


def test_the_examples_hold_every_action_there_is() -> None:
    assert set().union(*(actions for _, _, actions in EXAMPLES.values())) == set(Happening)

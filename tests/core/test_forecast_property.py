# SPDX-License-Identifier: Apache-2.0
"""The forecast equals what happens: service by service, and to the second.

A fleet in memory lives through the same time by the operator's loop, with manifests as the API server has
them; what becomes of its decisions and routes is written down and compared with the forecast made before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.core.forecast import forecast
from eservice_operator.core.foresight import Happening
from eservice_operator.core.stage import Scene
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.world import TemplateWorld
from tests.support import worlds
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import NAME, NOW, TEMPLATE, at

UNTIL = at("2028-10-13")
Event = tuple[datetime, str, str]
"""When, to whom, what."""
COMPARED = {Happening.UNPUBLISH, Happening.HOLD, Happening.REPUBLISH}
"""What leaves its mark on a decision or a route; the others are dates that tests of their own compare."""


def scene(fleet: PureFleet) -> Scene:
    templates = [EServiceTemplate.model_validate(body) for body in fleet.templates.values()]
    return Scene(
        tuple(cluster.world() for cluster in fleet.members.values()),
        tuple(
            TemplateWorld(one, catalogue_of(one), fleet=fleet.fleet(one.metadata.name)) for one in templates
        ),
    )


def state(fleet: PureFleet) -> dict[str, tuple[bool, dict[str, tuple[Any, ...]]]]:
    """Of each e-service whether it has its route, and its decisions' state, reason and token."""
    return {
        name: (
            cluster.routed(),
            {
                one.metadata.name: (one.status.state, one.status.reason, one.status.hold_token)
                for one in cluster.decisions
            },
        )
        for name, cluster in fleet.members.items()
    }


def lived(fleet: PureFleet, start: datetime, until: datetime) -> list[Event]:
    """What happens to a fleet, from what is there before and after each instant."""
    events: list[Event] = []
    now: datetime | None = start
    while now is not None and now <= until:
        before = state(fleet)
        following = fleet.settle(now)
        for name, (routed, decisions) in state(fleet).items():
            was_routed, known = before[name]
            for decision, found in decisions.items():
                old = known.get(decision)
                if old == found:
                    continue
                if found[0] is DecisionState.EFFECTIVE and (old is None or old[0] is not found[0]):
                    events.append((now, name, "Unpublish"))
                if found[0] is DecisionState.HELD:
                    events.append((now, name, "Hold"))
            if routed and not was_routed:
                events.append((now, name, "Republish"))
        now = following
    return sorted(events)


def foreseen(fleet: PureFleet, start: datetime, until: datetime) -> list[Event]:
    made = forecast(scene(fleet), start, until, fleet.policy)
    return sorted(
        (item.at, item.name.removeprefix(f"{NAME}-"), item.action.value)
        for item in made.foreseen
        if item.action in COMPARED
    )


@dataclass(frozen=True)
class Member:
    """An e-service of a small fleet."""

    version: str
    deferred: str | None
    paused: str | None


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
        "noticePeriod": draw(st.sampled_from(["P0D", "P1M"])),
        "enforcement": draw(st.sampled_from(["Enforce", "Enforce", "Warn"])),
        "enforceFrom": draw(st.none() | days),
        "brake": {"atLeast": draw(st.integers(1, 3)), "percent": draw(st.sampled_from([0, 60]))},
    }
    return worlds.template(versions, lifecycle=lifecycle)


members = st.lists(
    st.builds(Member, st.sampled_from(["2.0.0", "3.0.0"]), st.none() | days, st.none() | days),
    min_size=1,
    max_size=5,
)
YOUNG = (worlds.version("2.0.0", "2025-08-01"), worlds.version("3.0.0", "2025-10-01", "2025-11-01"))


def small_fleet(found: list[Member], template: dict[str, Any]) -> PureFleet:
    """The fleet is public on a template that makes nobody lag; then comes the one that may."""
    fleet = PureFleet()
    fleet.templates[TEMPLATE] = worlds.template(YOUNG)
    for name, member in zip("abcde", found, strict=False):
        cluster = fleet.join(name, member.version)
        cluster.settle(NOW)
        if member.deferred is not None:
            of = {"eService": {"name": f"{NAME}-{name}"}}
            cluster.put(worlds.deferral(member.deferred, spec=of))
        if member.paused is not None:
            pause = {"until": f"{member.paused}T10:00:00Z", "reason": "a migration"}
            cluster.edit_service(publication={"paused": pause})
            cluster.settle(NOW)
    fleet.put_template(template)
    return fleet


STARTS = [NOW, at("2027-03-27", "23:59"), at("2027-06-01", "00:00"), at("2027-10-31", "12:34")]


@settings(max_examples=40, deadline=None)
@given(members, templates(), st.sampled_from(STARTS))
def test_the_forecast_is_what_happens(found: list[Member], template: dict[str, Any], start: datetime) -> None:
    """Also one that begins in the middle, with decisions made and sets held."""
    fleet = small_fleet(found, template)
    if start > NOW:
        fleet.advance(NOW, start)
    told = foreseen(fleet, start, UNTIL)
    assert told == lived(fleet, start, UNTIL)


def test_the_samples_of_the_property_hold_something() -> None:
    """What the strategy can make: each action is among it."""
    two = (worlds.version("4.0.0", "2027-01-31", "2027-06-01"),)
    member = Member("3.0.0", None, "2027-01-31")
    template = worlds.template((*YOUNG, *two), lifecycle={"maximumLag": "P12M"})
    fleet = small_fleet([member, Member("3.0.0", "2027-10-31", None)], template)
    told = foreseen(fleet, NOW, UNTIL)
    assert {what for _, _, what in told} == {"Republish", "Unpublish"}
    assert told == lived(fleet, NOW, UNTIL)
    braked = worlds.merged(template, {"spec": {"lifecycle": {"brake": {"atLeast": 1}}}})
    fleet = small_fleet([Member("3.0.0", None, None)] * 3, braked)
    told = foreseen(fleet, NOW, UNTIL)
    assert {what for _, _, what in told} == {"Hold"}
    assert told == lived(fleet, NOW, UNTIL)

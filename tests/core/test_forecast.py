# SPDX-License-Identifier: Apache-2.0
"""The forecast: what happens by itself, as the operator would decide it."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Any

import pytest

from eservice_operator.api.lifecycle import Enforcement
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.core.forecast import Forecast, forecast, rehearsed
from eservice_operator.core.simulated_cluster import Scene
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.world import TemplateWorld, World
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import NAME, NAMESPACE, NOW, POLICY, SECOND, TEMPLATE, at

ALL = (*worlds.VERSIONS, worlds.NEXT_VERSION)


def published(*versions: dict[str, Any], now: datetime = NOW, **lifecycle: Any) -> PureCluster:
    """An e-service on 3.0.0, public and at rest."""
    cluster = PureCluster()
    cluster.put(
        worlds.template(versions or ALL, lifecycle=lifecycle),
        worlds.registration(),
        worlds.act(),
        worlds.verification(),
        worlds.eservice(),
    )
    cluster.settle(now)
    return cluster


def scene(*found: World) -> Scene:
    templates = {name: known for world in found for name, known in world.templates.items()}
    return Scene(
        found,
        tuple(TemplateWorld(known.template, catalogue_of(known.template)) for known in templates.values()),
    )


def told(made: Forecast) -> list[tuple[str, str]]:
    """Local day and action of each item."""
    return [
        (item.at.astimezone(POLICY.zone).strftime("%Y-%m-%d"), item.action.value) for item in made.foreseen
    ]


def test_a_public_service_is_warned_and_taken_off_and_its_duty_runs_out() -> None:
    made = forecast(scene(published().world()), NOW, at("2028-10-13"), POLICY)
    assert told(made) == [
        ("2026-12-01", "Warn"),
        ("2027-03-01", "Warn"),
        ("2027-05-01", "Warn"),
        ("2027-05-25", "Warn"),
        ("2027-06-01", "Unpublish"),
        ("2028-06-02", "MigrationDue"),
    ]
    item = made.foreseen[4]
    assert (item.namespace, item.name, item.at) == (NAMESPACE, NAME, at("2027-06-01", "00:00"))
    assert (item.template, item.version) == ("viss-2020", "3.0.0")
    assert item.decision == "address-declaration-production-001"
    (ending,) = made.endings
    assert not ending.public
    assert ending.reason == "TemplateOverdue"


# fleets and the brake


def fleet_scene(fleet: PureFleet) -> Scene:
    return scene(*(cluster.world() for cluster in fleet.members.values()))


def actions(made: Forecast) -> Counter[tuple[str, str]]:
    return Counter(told(made))


def test_sixty_at_once_are_held_and_none_goes() -> None:
    fleet = PureFleet.of([f"s{number}" for number in range(60)])
    fleet.put_template(worlds.template(ALL))
    made = forecast(fleet_scene(fleet), NOW, at("2027-12-31"), POLICY)
    assert actions(made)["2027-05-31", "Hold"] == 60
    assert not [item for item in made.foreseen if item.action == "Unpublish"]
    assert all(ending.public for ending in made.endings)
    (token,) = {item.token for item in made.foreseen if item.action == "Hold"}
    assert all(token in item.why for item in made.foreseen if item.action == "Hold")


def test_a_released_brake_lets_all_of_them_go_on_their_day() -> None:
    fleet = PureFleet.of([f"s{number}" for number in range(8)])
    fleet.put_template(worlds.template(ALL))
    made = forecast(fleet_scene(fleet), NOW, at("2027-12-31"), POLICY, release_brake=True)
    assert actions(made)["2027-06-01", "Unpublish"] == 8
    assert not any(ending.public for ending in made.endings)


HELD = at("2027-06-10", "12:00")
"""After the day of decisions that the brake holds."""


def held_fleet() -> PureFleet:
    fleet = PureFleet.of([f"s{number}" for number in range(8)])
    fleet.put_template(worlds.template(ALL))
    fleet.advance(NOW, HELD)
    assert len(fleet.held()) == 8
    return fleet


def test_what_is_held_already_is_told_at_the_start_with_its_token() -> None:
    fleet = held_fleet()
    (token,) = fleet.tokens()
    made = forecast(fleet_scene(fleet), HELD, at("2027-12-31"), POLICY)
    assert {(item.at, item.action.value, item.token) for item in made.foreseen} == {(HELD, "Hold", token)}
    assert len({item.name for item in made.foreseen}) == len(made.foreseen) == 8
    item = made.foreseen[0]
    assert item.decision == f"{item.name}-production-001"
    assert item.why.startswith("Brake: too many would take effect within 24 hours: held as part of the set")
    assert "kubectl eservice release-brake viss-2020" in item.why
    assert item.why.endswith("(held already, announced for 2027-06-01)")


def test_what_is_held_already_goes_at_once_when_the_brake_is_released() -> None:
    made = forecast(fleet_scene(held_fleet()), HELD, at("2027-12-31"), POLICY, release_brake=True)
    assert actions(made) == {("2027-06-10", "Unpublish"): 8}


def test_a_hold_that_an_edition_ends_or_changes_is_not_told_as_the_old_one() -> None:
    cluster = published(now=NOW)
    due = at("2027-06-01", "00:00")
    cluster.advance(NOW, due - SECOND)
    cluster.edit(("EServiceTemplate", "", TEMPLATE), spec={"lifecycle": {"enforcement": "Warn"}})
    cluster.advance(due - SECOND, HELD)
    world = cluster.world()
    held = forecast(scene(world), HELD, at("2027-06-30"), POLICY).foreseen
    assert [(item.at, item.action.value) for item in held] == [(HELD, "Hold")]
    assert held[0].why.startswith("NotEnforced: ")
    assert held[0].token == ""
    known = world.templates[TEMPLATE].template
    lifecycle = known.spec.lifecycle.model_copy(
        update={"maximum_lag": "P48M", "enforcement": Enforcement.ENFORCE}
    )
    tried = known.model_copy(update={"spec": known.spec.model_copy(update={"lifecycle": lifecycle})})
    (changed,) = forecast(scene(world), HELD, at("2027-06-30"), POLICY, (tried,)).foreseen
    assert changed.why == "NoLongerOverdue: by the template's present dates the release is not overdue"


def test_a_share_that_the_brake_lets_pass_is_not_held() -> None:
    """Two of five go: more than atLeast, and not more than sixty percent of what is public."""
    fleet = PureFleet()
    fleet.templates[TEMPLATE] = worlds.template((worlds.version("2.0.0", "2025-08-01"), *worlds.VERSIONS[1:]))
    for name, number in zip("abcde", ("2.0.0", "2.0.0", "3.0.0", "3.0.0", "3.0.0"), strict=True):
        fleet.join(name, number)
    fleet.settle(NOW)
    four = worlds.version("4.0.0", "2027-03-01", "2027-03-02")
    versions = (*fleet.templates[TEMPLATE]["spec"]["versions"], four)
    fleet.put_template(worlds.template(versions, lifecycle={"brake": {"atLeast": 1, "percent": 60}}))
    made = forecast(fleet_scene(fleet), NOW, at("2027-12-31"), POLICY)
    assert actions(made)["2027-03-02", "Unpublish"] == 2
    assert sum(ending.public for ending in made.endings) == 3


def test_the_same_is_told_in_the_same_order_each_time() -> None:
    fleet = PureFleet.of([f"s{number}" for number in range(6)])
    fleet.put_template(worlds.template(ALL))
    once, again = (forecast(fleet_scene(fleet), NOW, at("2028-12-31"), POLICY) for _ in range(2))
    assert once == again
    assert list(once.foreseen) == sorted(once.foreseen)


# trying things out


def edition(world: World, *arguments: Any) -> EServiceTemplate:
    return rehearsed(world.templates[TEMPLATE].template, *arguments)


def test_an_instruction_that_is_tried_out_changes_nothing_but_the_forecast() -> None:
    world = published(*worlds.VERSIONS).world()
    assert not forecast(scene(world), NOW, at("2028-10-13"), POLICY).foreseen
    tried = edition(world, "4.0.0", date(2027, 5, 1), date(2027, 6, 1))
    made = forecast(scene(world), NOW, at("2028-10-13"), POLICY, (tried,))
    assert ("2027-06-01", "Unpublish") in told(made)
    assert not forecast(scene(world), NOW, at("2028-10-13"), POLICY).foreseen


def test_an_instruction_dated_in_the_past_acts_at_once() -> None:
    world = published(*worlds.VERSIONS).world()
    tried = edition(world, "9.0.0", date(2027, 5, 1), date(2027, 5, 1))
    made = forecast(scene(world), at("2027-06-01"), at("2027-06-30"), POLICY, (tried,))
    assert told(made) == [("2027-06-01", "Unpublish")]


@pytest.mark.parametrize(
    "arguments,said",
    [
        (("4.0.0", None, date(2027, 6, 1)), "say when it is released"),
        (("3.0.0", date(2025, 1, 1), None), "was released on 2025-10-01: that never changes"),
        (("3.0.0", None, date(2026, 1, 1)), "a publication that took effect stays"),
        (("4.0.0", date(2027, 6, 2), date(2027, 6, 1)), "before its release"),
        (("4.0", date(2027, 6, 2), None), "is not a version"),
        (("4.0.0+b1", date(2027, 6, 2), None), "is not a version"),
    ],
    ids=str,
)
def test_what_cannot_be_is_not_tried_out(arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        edition(published(*worlds.VERSIONS).world(), *arguments)


# policies and other dates


def test_a_policy_that_only_warns_warns() -> None:
    made = forecast(scene(published(enforcement="Warn").world()), NOW, at("2027-12-31"), POLICY)
    assert told(made) == [(day, "Warn") for day in ("2026-12-01", "2027-03-01", "2027-05-01", "2027-05-25")]
    assert all("only warns" in item.why for item in made.foreseen)


def test_a_day_that_gets_known_is_told_of_at_once_also_by_a_policy_that_only_warns() -> None:
    world = published(*worlds.VERSIONS, enforcement="Warn").world()
    tried = edition(world, "4.0.0", date(2027, 5, 1), date(2027, 6, 1))
    made = forecast(scene(world), NOW, at("2026-12-31"), POLICY, (tried,))
    assert told(made) == [("2026-10-13", "Warn"), ("2026-12-01", "Warn")]


def test_a_policy_that_observes_tells_nobody() -> None:
    made = forecast(scene(published(enforcement="Observe").world()), NOW, at("2027-12-31"), POLICY)
    assert told(made) == []


def test_what_is_so_already_is_not_foreseen() -> None:
    cluster = published()
    cluster.advance(NOW, at("2028-10-01"))
    made = forecast(scene(cluster.world()), at("2028-10-01"), at("2029-10-01"), POLICY)
    assert told(made) == []


def test_a_pause_ends_by_itself() -> None:
    cluster = published(*worlds.VERSIONS)
    paused = {"until": "2026-12-01T10:00:00Z", "reason": "a migration"}
    cluster.edit_service(publication={"paused": paused})
    cluster.settle(NOW)
    made = forecast(scene(cluster.world()), NOW, at("2027-01-31"), POLICY)
    assert told(made) == [("2026-12-01", "Republish")]


def test_an_installation_that_nobody_finishes_becomes_overdue() -> None:
    cluster = PureCluster(pods_start=False)
    cluster.put(worlds.template(), worlds.registration(), worlds.act(), worlds.eservice())
    cluster.settle(NOW)
    made = forecast(scene(cluster.world()), NOW, at("2026-12-31"), POLICY)
    assert told(made) == [("2026-10-20", "InstallationOverdue")]


def test_until_is_the_last_instant() -> None:
    world = published().world()
    day = at("2027-06-01", "00:00")
    assert ("2027-06-01", "Unpublish") in told(forecast(scene(world), NOW, day, POLICY))
    assert ("2027-06-01", "Unpublish") not in told(forecast(scene(world), NOW, day - SECOND, POLICY))

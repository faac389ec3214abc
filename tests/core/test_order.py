# SPDX-License-Identifier: Apache-2.0
"""Where several objects compete, the order in which they arrive decides nothing: forwards as backwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eservice_operator.core.actions import Delete, Outcome, SetStatus
from eservice_operator.core.decide import Decision, decide
from eservice_operator.core.report import report
from eservice_operator.core.world import World
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import HOST, NOW, POLICY, at, image

LATER = at("2026-10-20")


def both_ways(world: World) -> tuple[Decision, Decision]:
    """The decision on a world, and on the same one with everything in it the other way round."""
    backwards: dict[str, Any] = {
        name: getattr(world, name)[::-1]
        for name in ("acts", "verifications", "deferrals", "decisions", "claims", "contenders", "snapshots")
    }
    backwards |= {name: dict(reversed(getattr(world, name).items())) for name in ("templates", "children")}
    forwards, other = decide(world, LATER, POLICY), decide(replace(world, **backwards), LATER, POLICY)
    assert other.actions == forwards.actions
    assert other.next_at == forwards.next_at
    assert report(other, Outcome(())) == report(forwards, Outcome(()))
    return forwards, other


def test_of_several_acts_the_newest_counts() -> None:
    later = {"creationTimestamp": "2026-10-02T08:00:00Z"}
    acts = [worlds.act("old"), worlds.act("new", metadata=later, spec={"signedAt": "2026-10-03"})]
    for decision in both_ways(worlds.world(acts=acts)):
        found = decision.facts.act(decision.facts.wanted)
        assert found is not None
        assert found.metadata.name == "new"


def test_of_several_claims_the_first_by_name_is_told_and_the_others_are_counted() -> None:
    claims = [(HOST, "HTTPRoute b/b"), (HOST, "HTTPRoute a/a")]
    forwards, _ = both_ways(worlds.world(claims=claims))
    (taken,) = [unmet.message for unmet in forwards.rollout.gates if unmet.gate.value == "HostAllowed"]
    assert taken == f"{HOST} is served by HTTPRoute a/a; and 1 more, see status.contested"


def test_of_several_decisions_the_first_by_name_governs() -> None:
    two = {"template": {"version": "2.0.0"}}
    decisions = [worlds.decision(2), worlds.decision(1)]
    world = worlds.world(
        worlds.eservice(spec=two), acts=[worlds.act(spec=two)], verifications=[], decisions=decisions
    )
    forwards, _ = both_ways(world)
    written = [action.ref.name for action in forwards.actions if isinstance(action, SetStatus)]
    assert written == sorted(written)
    assert len(written) == 2


def test_several_superfluous_children_go_in_order(public: PureCluster) -> None:
    public.edit_service(release={"image": image("b")})
    public.put(worlds.act("act-b", spec={"image": image("b")}))
    public.settle(NOW)
    public.edit_service(release={"image": image("a")})
    forwards, _ = both_ways(public.world())
    gone = [action.ref.kind for action in forwards.actions if isinstance(action, Delete)]
    assert gone == ["ControllerRevision", "Deployment", "Service"]

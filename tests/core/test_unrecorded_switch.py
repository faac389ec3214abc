# SPDX-License-Identifier: Apache-2.0
"""A switch is two writes: the Service, and its record on the route. What may come between, and what not."""

from __future__ import annotations

import pytest

from eservice_operator.core.actions import target_of
from eservice_operator.core.decide import decide
from tests.core.test_public_record import WAYS, other, public_name, recorded, stop_before_the_route
from tests.core.test_switching import LATER, name_candidate, sign, verify
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import DAY, at, image

OVERDUE = at("2027-06-02")
"""What runs on 3.0.0 has to be renewed by then."""


def test_a_switch_is_recorded_before_what_a_quota_may_refuse(public: PureCluster) -> None:
    public.edit_service(workload={"autoscaling": {"minReplicas": 2, "maxReplicas": 4}})
    public.settle(LATER)
    stop_before_the_route(public)
    del public.objects["HorizontalPodAutoscaler", worlds.NAMESPACE, worlds.NAME]
    written = [target_of(one).kind for one in decide(public.world(), LATER, public.policy).actions]
    assert written.index("HTTPRoute") < written.index("HorizontalPodAutoscaler")


def test_until_a_switch_is_recorded_the_release_before_keeps_its_pods(public: PureCluster) -> None:
    """Whatever keeps the route from being written, and for however long: the way back leads to Pods."""
    stop_before_the_route(public)
    late = LATER + DAY
    for _ in range(4):
        for action in decide(public.world(), late, public.policy).actions:
            if target_of(action).kind != "HTTPRoute":
                public.run((action,), late)
        public._controllers(late)
    assert public.public_letter() == "b"
    assert public.replicas() == {"a": 2, "b": 2}
    public.settle(late)
    assert public.replicas() == {"a": 0, "b": 2}


def renewed(cluster: PureCluster) -> None:
    """A release on 4.0.0 took over, and 3.0.0 is overdue; the one on it is still accepted and verified."""
    cluster.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    name_candidate(cluster, "b", "4.0.0")
    sign(cluster, version="4.0.0")
    verify(cluster, template={"version": "4.0.0"})
    cluster.advance(LATER, OVERDUE)
    assert cluster.public_letter() == "b"
    cluster.forget()


def name_the_first(cluster: PureCluster) -> None:
    cluster.edit_service(release={"image": image("a")}, template={"version": "3.0.0"})


@pytest.mark.parametrize("names_it", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_a_release_of_before_does_not_come_back_past_the_gates(
    public: PureCluster, way: str, *, names_it: bool
) -> None:
    """R8: its act and its verification hold for ever, and its template version is overdue by now."""
    renewed(public)
    before = other(public, "a")
    if names_it:
        name_the_first(public)
    for forge in WAYS[way]:
        forge(public, before)
    assert public_name(public) == other(public, "b", "4.0.0").name
    public.settle(OVERDUE)
    assert public.public_letter() == "b"
    assert recorded(public).template.version == "4.0.0"

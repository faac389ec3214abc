# SPDX-License-Identifier: Apache-2.0
"""What was decided is recorded on a public route that nothing else is written to (ADR 0038)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eservice_operator.api.names import DECISION_ANNOTATION, GROUP
from eservice_operator.core.actions import Update
from eservice_operator.core.decide import decide
from eservice_operator.core.public_record import decision_on
from eservice_operator.core.world import Observed
from tests.core.test_unread import BROKEN, FOUR, KNOWN, MENDED
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import NAME, ROUTE, ROUTES

WHY = "what was decided is recorded"
AT_ROUTE = ("HTTPRoute", ROUTES, ROUTE)
Change = Callable[[PureCluster], None]


@pytest.fixture
def decided(public: PureCluster) -> PureCluster:
    """A public e-service whose spec cannot be read any more, and upon which was decided since."""
    public.edit_service(**BROKEN)
    public.put(worlds.template(FOUR))
    public.settle(KNOWN)
    recorded = decision_on(Observed(public.objects[AT_ROUTE]))
    assert recorded is not None
    assert recorded.name == f"{NAME}-production-001"
    return public


def annotated(cluster: PureCluster, text: str | None) -> None:
    """The route with another record, or none, which the Agency's own people wrote."""
    patch = {"metadata": {"annotations": {DECISION_ANNOTATION: text}}}
    cluster.objects[AT_ROUTE] = worlds.merged(cluster.objects[AT_ROUTE], patch)


def unrecorded(cluster: PureCluster) -> None:
    annotated(cluster, None)


def edited(cluster: PureCluster) -> None:
    """Somebody else added to its spec, which stays for as long as the EService cannot be read."""
    unrecorded(cluster)
    cluster.vandalise(AT_ROUTE, spec={"hostnames": ["address.latvija.example", "other.example"]})


def leaving(cluster: PureCluster) -> None:
    unrecorded(cluster)
    away = {"metadata": {"deletionTimestamp": "2027-02-01T08:00:00Z"}}
    cluster.objects[AT_ROUTE] = worlds.merged(cluster.objects[AT_ROUTE], away)


def gone(cluster: PureCluster) -> None:
    del cluster.objects[AT_ROUTE]


def readable(cluster: PureCluster) -> None:
    """Then the route is written as a child, record and all."""
    unrecorded(cluster)
    cluster.edit_service(**MENDED)


CASES: dict[str, tuple[Change, list[bool]]] = {
    "it is recorded": (lambda _: None, []),
    "nothing is recorded": (unrecorded, [False]),
    "something else is": (lambda cluster: annotated(cluster, '{"name": "another"}'), [False]),
    "what nobody can read is": (lambda cluster: annotated(cluster, "nonsense"), [False]),
    "somebody has edited the route": (edited, [True]),
    "the route is being deleted": (leaving, []),
    "there is none": (gone, []),
    "the route is written anyway": (readable, []),
}
"""What is done to the cluster, and of each record that follows whether others' fields become ours for it."""


def of_record(cluster: PureCluster) -> list[Update]:
    actions = decide(cluster.world(), KNOWN, cluster.policy).actions
    return [one for one in actions if isinstance(one, Update) and one.reason == WHY]


@pytest.mark.parametrize("case", CASES)
def test_it_is_recorded_where_nothing_else_does_it(decided: PureCluster, case: str) -> None:
    change, expected = CASES[case]
    change(decided)
    assert [one.take_over for one in of_record(decided)] == expected


@pytest.mark.parametrize("change", [unrecorded, edited])
def test_the_record_is_all_that_changes(decided: PureCluster, change: Change) -> None:
    right = decided.objects[AT_ROUTE]
    change(decided)
    decided.objects[AT_ROUTE]["metadata"]["annotations"]["example.org/note"] = "somebody's"
    before = decided.objects[AT_ROUTE]
    (update,) = of_record(decided)
    ours = {
        key: value for key, value in right["metadata"]["annotations"].items() if key.startswith(f"{GROUP}/")
    }
    assert update.manifest["metadata"]["annotations"] == ours, "those of others are theirs"
    assert update.manifest["spec"] == before["spec"], "what people wrote is not touched"
    assert update.manifest["metadata"]["labels"] == before["metadata"]["labels"]
    assert update.uid == before["metadata"]["uid"]


def test_nothing_is_recorded_on_an_ingress() -> None:
    """It lies where the institution may write."""
    cluster = PureCluster(policy=worlds.BY_INGRESS)
    cluster.put(worlds.template(FOUR), worlds.registration(), worlds.act(), worlds.verification())
    cluster.put(worlds.eservice())
    cluster.settle(KNOWN)
    assert cluster.of_kind("Ingress")
    assert cluster.decisions
    cluster.edit_service(**BROKEN)
    assert of_record(cluster) == []


def test_without_a_decision_nothing_is_recorded(public: PureCluster) -> None:
    public.edit_service(**BROKEN)
    assert of_record(public) == []

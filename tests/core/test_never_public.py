# SPDX-License-Identifier: Apache-2.0
"""R8: an e-service that was never public is decided upon by no word of its institution's.

Whoever has ``*`` in its namespace writes its status, and so a public release and a decision that nobody made.
Each UnpublishDecision is a cluster-scoped record that counts for the brake of everybody.
"""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.core.policy import Policy
from eservice_operator.core.releases import release_name, snapshot_of
from tests.core.test_made_by_hand import forge_decision, unaccepted
from tests.core.test_posting import DECIDED, FOUR
from tests.core.test_public_record import ALL, other, remember, run_it, say_public
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import BY_INGRESS, DAY, NAME, NAMESPACE, POLICY, TEMPLATE, at

OLD = {"name": TEMPLATE, "version": "2.0.0"}
OVERDUE = at("2026-12-01")
"""When 2.0.0 is overdue, and 3.0.0 is not."""
LONG_AGO = "2026-10-01T00:00:00Z"
SAID: dict[str, dict[str, Any]] = {
    "in effect": {"effectiveAt": LONG_AGO, "effectiveSince": LONG_AGO},
    "in effect since a day that it says": {
        "effectiveAt": LONG_AGO,
        "effectiveSince": LONG_AGO,
        "overdueSince": "2026-09-01",
    },
    "due": {"effectiveAt": LONG_AGO},
}
"""What a made-up decision says of itself."""
GATEWAYS = pytest.mark.parametrize("policy", [POLICY, BY_INGRESS], ids=["Gateways", "Ingresses"])


def write(cluster: PureCluster, number: int, **said: Any) -> None:
    """One status: the current version is public, and an older one was decided upon, by a fresh name."""
    say_public(cluster, other(cluster, version="3.0.0"))
    forge_decision(cluster, name=f"{NAME}-production-{number:03d}", template=OLD, **said)


def never_public(policy: Policy = POLICY) -> PureCluster:
    """An e-service that nobody has accepted, and that nothing was ever installed of."""
    cluster = unaccepted()
    cluster.policy = policy
    return cluster


@GATEWAYS
@pytest.mark.parametrize("said", SAID.values(), ids=SAID.keys())
def test_no_status_makes_a_decision_about_what_was_never_accepted(
    said: dict[str, Any], policy: Policy
) -> None:
    cluster = never_public(policy)
    for number in range(12):
        write(cluster, number, **said)
        cluster.settle(OVERDUE)
    assert cluster.decisions == ()
    remembered = cluster.status.last_decision
    assert remembered is not None
    assert (remembered.effective_at, remembered.effective_since) == (None, None), "it is forgotten"


@GATEWAYS
@pytest.mark.parametrize(
    "forge", [(remember, say_public, run_it), (say_public,)], ids=["all by hand", "the status"]
)
def test_nor_is_what_is_said_to_be_public_overdue(forge: Any, policy: Policy) -> None:
    cluster = never_public(policy)
    cluster.put(worlds.act())
    cluster.settle(at("2026-10-13"))
    for make in forge:
        make(cluster, other(cluster, version="2.0.0"))
    cluster.settle(OVERDUE)
    assert cluster.decisions == ()


@GATEWAYS
@pytest.mark.parametrize("said", SAID.values(), ids=SAID.keys())
def test_of_what_was_accepted_there_is_one_decision_for_all_that_is_said(
    said: dict[str, Any], policy: Policy
) -> None:
    """It was public once, or could have been: one is open at a time for a template version."""
    cluster = never_public(policy)
    template = {"version": "2.0.0"}
    cluster.put(worlds.act(metadata={"name": "act-2"}, spec={"template": template}))
    made = set()
    for number in range(12):
        write(cluster, number, **said)
        cluster.settle(OVERDUE)
        made |= {one.metadata.name for one in cluster.decisions}
    assert len(made) == 1


def test_of_what_is_off_there_is_the_one_that_took_it_off(cluster: PureCluster) -> None:
    """With all else forged too: that another version is public, and a decision by a fresh name each time."""
    cluster.settle(worlds.NOW)
    cluster.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    gone = at("2027-08-01")
    cluster.advance(worlds.NOW, gone)
    (first,) = cluster.decisions
    for number in range(2, 8):
        for forge in ALL:
            forge(cluster, other(cluster, version="4.0.0"))
        forge_decision(cluster, name=f"{NAME}-production-{number:03d}", **SAID["in effect"])
        cluster.settle(gone + DAY)
    assert [one.metadata.name for one in cluster.decisions] == [first.metadata.name]
    assert cluster.decisions[0].status.state.value == "Effective"


@GATEWAYS
def test_what_is_served_is_decided_upon_whatever_became_of_its_act(policy: Policy) -> None:
    """The Agency may delete an act: R8 goes on, and so does the promise of a decision that is deleted."""
    cluster = PureCluster(policy=policy)
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    cluster.settle(worlds.NOW)
    cluster.remove(("AcceptanceAct", "", worlds.act()["metadata"]["name"]))
    cluster.put(worlds.template(FOUR))
    cluster.settle(DECIDED)
    (first,) = cluster.decisions
    assert cluster.routed()
    cluster.remove(("UnpublishDecision", "", first.metadata.name))
    cluster.settle(DECIDED)
    (second,) = cluster.decisions
    assert second.spec.replaces is not None
    assert second.spec.effective_at == first.spec.effective_at
    cluster.advance(DECIDED, second.spec.effective_at)
    assert not cluster.routed()


@GATEWAYS
def test_a_status_forgets_what_it_says_is_public_and_nobody_accepted(policy: Policy) -> None:
    cluster = never_public(policy)
    write(cluster, 1, **SAID["in effect"])
    cluster.settle(OVERDUE)
    assert cluster.status.release.public is None
    assert cluster.status.template.version == snapshot_of(cluster.service).template.version


def test_it_remembers_what_was_accepted_and_is_lost(public: PureCluster) -> None:
    """The snapshot is gone, the spec names another release, and a pause keeps it off the route."""
    mine = public.status.release.public
    assert mine is not None
    public.edit_service(publication={"paused": {"reason": "maintenance"}})
    public.settle(worlds.NOW)
    assert public.public_route() is None
    public.edit_service(release={"image": worlds.image("b")})
    for name in public.of_kind("ControllerRevision"):
        public.remove(("ControllerRevision", NAMESPACE, name))
    public.settle(worlds.NOW + DAY)
    assert public.status.release.public == mine
    assert mine.name == release_name(mine.image, mine.template)

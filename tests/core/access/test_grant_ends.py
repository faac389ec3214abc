# SPDX-License-Identifier: Apache-2.0
"""The decision about a grant that ends: nothing of what it opened is left, and that is seen."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api import names
from eservice_operator.api.grant import GrantState
from eservice_operator.api.reasons import ConditionType, Reason
from tests.core.access.grant_cluster import GRANT, GrantCluster, in_good_order
from tests.core.access.grants import BINDING, condition, words
from tests.support import access, worlds
from tests.support.worlds import DAY, NAME, NAMESPACE, NOW

ENDS: dict[str, tuple[dict[str, Any], GrantState, Reason]] = {
    "refused": ({"refused": {"reason": "no legal ground"}}, GrantState.REFUSED, Reason.REFUSED),
    "expired": ({"validUntil": "2026-10-12"}, GrantState.EXPIRED, Reason.EXPIRED),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_end_removes_everything_and_is_revoking_until_it_is_gone(opened: GrantCluster, end: str) -> None:
    spec, state, reason = ENDS[end]
    opened.bindings_follow = False
    opened.edit(GRANT, spec=spec)
    assert words(opened.decide(GRANT, NOW).actions) == [
        "Delete RoleBinding",
        "Delete NetworkPolicy",
        "Delete Role",
    ]
    opened.settle(NOW)
    assert opened.may_call(GRANT) == set()
    assert opened.states(GRANT) == {"v5": GrantState.REVOKING}, "the consumer's binding is still there"
    assert opened.status(GRANT).reason == reason
    assert condition(opened, ConditionType.RECONCILING)[1] == Reason.PROGRESSING
    assert "ConfigMap pmlp-production/" in condition(opened, ConditionType.READY)[2]
    assert opened.objects[GRANT]["metadata"]["finalizers"] == [names.GRANT_FINALIZER]
    opened.bindings_follow = True
    opened.settle(NOW)
    assert opened.states(GRANT) == {"v5": state}
    assert opened.objects[GRANT]["metadata"]["finalizers"] == [], "also where the grant stays"
    assert condition(opened, ConditionType.READY)[:2] == ("True", Reason.SUCCEEDED), "the state says which"
    assert condition(opened, ConditionType.ACTIVE)[:2] == ("False", reason)


def test_a_deleted_grant_stays_to_be_seen_until_all_is_gone(opened: GrantCluster) -> None:
    opened.bindings_follow = False
    opened.remove(GRANT)
    opened.settle(NOW)
    assert opened.states(GRANT) == {"v5": GrantState.REVOKING}
    assert condition(opened, ConditionType.READY)[:2] == ("False", Reason.TERMINATING)
    opened.bindings_follow = True
    opened.settle(NOW)
    assert GRANT not in opened.objects


def test_a_binding_that_is_held_in_deletion_holds_nothing_up(opened: GrantCluster) -> None:
    opened.bindings_follow = False
    (binding,) = (place for place in opened.of_kind("ConfigMap") if place[1] == NAMESPACE)
    opened.objects[binding]["metadata"] |= {
        "finalizers": ["mine"],
        "deletionTimestamp": "2026-10-13T00:00:00Z",
    }
    opened.remove(GRANT)
    opened.settle(NOW)
    assert GRANT not in opened.objects


@pytest.mark.parametrize("forged", [True, False])
def test_a_binding_that_no_e_service_would_remove_holds_nothing_up(
    opened: GrantCluster, forged: bool
) -> None:
    opened.bindings_follow = False
    (binding,) = (place for place in opened.of_kind("ConfigMap") if place[1] == NAMESPACE)
    if forged:
        opened.objects[binding]["metadata"]["labels"][names.OWNER_UID_LABEL] = "somebody"
    else:
        opened.remove(("EService", NAMESPACE, NAME))
    opened.remove(GRANT)
    opened.settle(NOW)
    assert GRANT not in opened.objects


def test_a_child_that_is_held_in_deletion_is_not_gone(opened: GrantCluster) -> None:
    opened.objects[BINDING]["metadata"]["finalizers"] = ["held"]
    opened.edit(GRANT, spec={"refused": {"reason": "no"}})
    opened.settle(NOW)
    assert opened.states(GRANT) == {"v5": GrantState.REVOKING}
    assert opened.decide(GRANT, NOW).actions == ()
    assert opened.objects[GRANT]["metadata"]["finalizers"] == [names.GRANT_FINALIZER]
    opened.objects[BINDING]["metadata"]["finalizers"] = []
    opened.remove(BINDING)
    opened.settle(NOW)
    assert opened.states(GRANT) == {"v5": GrantState.REFUSED}


def test_a_version_that_left_the_grant_is_told_of_until_it_is_closed() -> None:
    cluster = in_good_order("v4", "v5")
    cluster.settle(NOW)
    cluster.bindings_follow = False
    cluster.edit(GRANT, spec={"contractVersions": access.granted("v5")})
    cluster.settle(NOW)
    assert cluster.states(GRANT) == {"v5": GrantState.ACTIVE, "v4": GrantState.REVOKING}
    assert cluster.status(GRANT).contract_versions[1].reason == Reason.VERSION_NOT_GRANTED
    assert cluster.status(GRANT).state is GrantState.ACTIVE
    cluster.bindings_follow = True
    cluster.settle(NOW)
    assert cluster.states(GRANT) == {"v5": GrantState.ACTIVE}


def test_one_version_pending_leaves_the_other_open() -> None:
    cluster = in_good_order("v4", "v5")
    cluster.edit(GRANT, spec={"contractVersions": [*access.granted("v4"), {"version": "v5"}]})
    cluster.settle(NOW)
    assert cluster.states(GRANT) == {"v4": GrantState.ACTIVE, "v5": GrantState.PENDING}
    assert cluster.may_call(GRANT) == {"webservices/v4"}
    assert condition(cluster, ConditionType.READY)[:2] == ("True", Reason.SUCCEEDED)
    assert "v5: v5 lacks in Production" in condition(cluster, ConditionType.ACTIVE)[2]


def test_what_was_never_open_is_pending_and_what_was_is_revoked(opened: GrantCluster) -> None:
    opened.remove(("EServiceRegistration", "", NAME))
    opened.settle(NOW + DAY)
    assert opened.states(GRANT) == {"v5": GrantState.REVOKED}
    assert opened.status(GRANT).contract_versions[0].active_since == NOW, "since when it last was"
    opened.put(worlds.registration())
    opened.settle(NOW + 2 * DAY)
    assert opened.states(GRANT) == {"v5": GrantState.ACTIVE}
    assert opened.status(GRANT).contract_versions[0].active_since == NOW + 2 * DAY


def test_two_grants_of_one_consumer_do_not_touch_each_other(opened: GrantCluster) -> None:
    second = ("WebServiceGrant", access.HOLDER, "second")
    opened.put(access.grant("second"))
    opened.settle(NOW)
    assert not any(words([action])[0].endswith("ConnectionTest") for action in opened.log), (
        "one record for both"
    )
    opened.edit(second, spec={"refused": {"reason": "one is enough"}})
    opened.settle(NOW)
    assert opened.states(second) == {"v5": GrantState.REFUSED}
    assert opened.states(GRANT) == {"v5": GrantState.ACTIVE}
    assert opened.may_call(GRANT) == {"webservices/v5"}
    opened.remove(GRANT)
    opened.settle(NOW)
    assert opened.may_call(second) == set()

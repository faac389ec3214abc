# SPDX-License-Identifier: Apache-2.0
"""What tests of one grant look at: its children, what is to be done, and what its conditions say."""

from __future__ import annotations

from eservice_operator.api.reasons import ConditionType
from eservice_operator.core.actions import Action, Create, Update
from eservice_operator.core.conditions import find
from tests.core.access.grant_cluster import GRANT, GrantCluster
from tests.support import access
from tests.support.worlds import NAME

CHILD = f"grant.{NAME}"
POLICY = ("NetworkPolicy", access.HOLDER, CHILD)
ROLE = ("Role", access.HOLDER, CHILD)
BINDING = ("RoleBinding", access.HOLDER, CHILD)


def words(actions: list[Action] | tuple[Action, ...]) -> list[str]:
    found = []
    for action in actions:
        kind = action.manifest["kind"] if isinstance(action, Create | Update) else action.ref.kind
        found.append(f"{type(action).__name__} {kind}")
    return found


def condition(cluster: GrantCluster, kind: ConditionType) -> tuple[str, str, str]:
    found = find(cluster.status(GRANT).conditions, kind)
    assert found is not None
    return found.status.value, found.reason, found.message

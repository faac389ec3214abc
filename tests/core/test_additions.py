# SPDX-License-Identifier: Apache-2.0
"""What nobody but people adds to a child is taken off, whoever is said to have written it."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.core.actions import Manifest, Update, goes_on, target_of
from eservice_operator.core.additions import CONTAINER, POD, SERVICE, additions
from eservice_operator.core.decide import decide
from tests.core.test_switching import LATER
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import merged

OF_POD = "spec", "template", "spec"
VALUES: dict[str, Any] = {
    "externalName": "elsewhere.example",
    "loadBalancerIP": "192.0.2.1",
    "initContainers": [{"name": "mine", "image": "mine"}],
    "lifecycle": {"postStart": {"exec": {"command": ["mine"]}}},
    **dict.fromkeys(("hostIPC", "hostNetwork", "hostPID", "shareProcessNamespace"), True),
    "publishNotReadyAddresses": True,
}


def placed(kind: str, field: str) -> Manifest:
    """The patch that adds a field."""
    spec = {field: VALUES.get(field, ["mine"])}
    return {"spec": spec if kind == "Service" else {"template": {"spec": spec}}}


@pytest.mark.parametrize(
    "kind, field", [*(("Service", one) for one in SERVICE), *(("Deployment", one) for one in POD)]
)
def test_what_is_added_by_the_operators_own_name_is_taken_off(
    public: PureCluster, kind: str, field: str
) -> None:
    (place,) = [place for place in public.objects if place[0] == kind]
    before = public.objects[place]
    public.objects[place] = merged(before, placed(kind, field))
    (action,) = decide(public.world(), LATER, public.policy).actions
    assert isinstance(action, Update)
    assert target_of(action).kind == kind
    assert field in action.reason
    assert goes_on(action), "whatever else cannot be written"
    public.settle(LATER)
    assert public.objects[place]["spec"] == before["spec"]


@pytest.mark.parametrize("field", CONTAINER)
def test_a_container_runs_what_is_in_its_image(public: PureCluster, field: str) -> None:
    deployment = next(iter(public.of_kind("Deployment").values()))
    wanted = public.objects["Deployment", deployment["metadata"]["namespace"], deployment["metadata"]["name"]]
    (container,) = wanted["spec"]["template"]["spec"]["containers"]
    changed = container | {field: VALUES.get(field, ["mine"])}
    have = merged(wanted, {"spec": {"template": {"spec": {"containers": [changed]}}}})
    pointer = f"/{'/'.join(OF_POD)}/containers/0/{field}"
    own = field in container  # the workload has one, and that is compared
    assert additions(wanted, have) == (() if own else (pointer,))
    assert additions(have, have) == ()
    assert additions(have, wanted) == ()

# SPDX-License-Identifier: Apache-2.0
"""Who labels its own namespace as somebody else's gets no privileged Pods by it."""

from __future__ import annotations

import pytest

from eservice_operator.api.names import INSTITUTION_LABEL, POD_SECURITY_LABELS
from eservice_operator.core.actions import Ref
from tests.adversarial.cast import Cast, Part
from tests.support import fleet
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess
from tests.support.register import Register
from tests.support.site import message, says
from tests.support.waiting import eventually

pytestmark = pytest.mark.cluster

ENFORCE = "pod-security.kubernetes.io/enforce"
FOREIGN = {INSTITUTION_LABEL: "40000000000"}
VIOLATES = 'violates PodSecurity "restricted:latest"'
LIFTED = FOREIGN | {ENFORCE: "privileged", f"{ENFORCE}-version": "v1.0"}


async def test_whose_the_namespace_is_said_to_be_lifts_no_pod_security(
    register: Register, cast: Cast, operator: OperatorProcess
) -> None:
    site, admin = register.site, cast[Part.ADMIN]
    planned = site.planned("relabelled")
    place = Ref("v1", "Namespace", "", site.namespace)
    await site.apply(planned.registration())
    await site.until(planned.registered, lambda obj: says(obj, "Ready", "True", "Succeeded"), "in place")
    await operator.at_rest()

    named = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place.name, "labels": LIFTED}}
    await admin.apply(named)
    wanted = FOREIGN | POD_SECURITY_LABELS | {f"{ENFORCE}-version": "latest"}
    await site.until(place, lambda obj: wanted.items() <= obj["metadata"]["labels"].items(), "put back")
    told = await site.until(
        planned.registered, lambda obj: says(obj, "Ready", "True", "NamespaceConflict"), "and said"
    )
    assert site.namespace in message(told, "Ready")
    pod = ("run", "privileged", "--image=a", "--privileged", f"--namespace={site.namespace}")
    kubectl = Kubectl(admin.kubeconfig)

    async def refused() -> bool:
        _, told = await kubectl(*pod, "--dry-run=server")
        return VIOLATES in told

    await eventually(refused, "the API server's admission has heard of the labels")
    code, printed = await kubectl(*pod)
    assert code != 0
    assert VIOLATES in printed
    await operator.at_rest()

    await site.apply(fleet.namespace(site.namespace))
    await site.until(planned.registered, lambda obj: says(obj, "Ready", "True", "Succeeded"), "ours again")

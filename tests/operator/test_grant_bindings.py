# SPDX-License-Identifier: Apache-2.0
"""What a grant gives to its consumer: it may be installed, its Pods are told where, and nothing restarts."""

from __future__ import annotations

import pytest

from eservice_operator.api.uses import Use
from eservice_operator.core.access.naming import access_policy, binding_of
from eservice_operator.core.actions import Manifest, Ref
from tests.support.audit import AuditLog, counted
from tests.support.fleet import Planned
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess
from tests.support.register import NAME, Register
from tests.support.resting import Rested
from tests.support.site import gates, says

pytestmark = pytest.mark.cluster


def binding(register: Register, planned: Planned, version: str = "v5") -> Ref:
    name = binding_of(planned.name, Use.model_validate(register.use(version)))
    return Ref("v1", "ConfigMap", planned.namespace, name)


def way_out(planned: Planned) -> Ref:
    return Ref("networking.k8s.io/v1", "NetworkPolicy", planned.namespace, access_policy(planned.name))


def asking(register: Register, planned: Planned) -> list[Manifest]:
    """All that it takes to become public, with a use."""
    *others, _ = planned.everything()
    return [*others, register.tested(planned), planned.eservice(spec={"uses": [register.use()]})]


async def published(register: Register) -> Planned:
    site, planned = register.site, register.site.planned()
    await site.apply(*asking(register, planned), register.grant(planned))
    await site.settled(planned, "Published")
    return planned


async def test_it_is_installed_once_the_holder_has_answered(register: Register) -> None:
    site, planned = register.site, register.site.planned()
    await site.apply(*asking(register, planned))
    waiting = await site.until(
        planned.ref, lambda obj: "AccessGranted" in gates(obj), "it waits for the holder"
    )
    assert "Installed" not in str(waiting["status"].get("installation"))
    assert await site.api.get(binding(register, planned)) is None
    await site.apply(register.grant(planned))
    await site.settled(planned, "Published")
    made = await site.see(binding(register, planned))
    assert made["data"] == made["data"] | {
        "type": "webservice",
        "provider": "UR",
        "protocol": "SOAP",
        "contract-version": "v5",
        "uri": f"https://{NAME}.{register.namespace}.svc:8443",
        "host": f"{NAME}.{register.namespace}.svc",
        "port": "8443",
        "audience": f"webservice.eservice.dev/{register.namespace}/{NAME}",
    }


async def test_granting_and_revoking_restart_nothing(register: Register, kubectl: Kubectl) -> None:
    site, planned = register.site, await published(register)
    deployment = Ref("apps/v1", "Deployment", planned.namespace, planned.deployment)
    before = await site.see(deployment)
    await site.delete(register.grant_ref(planned))
    await site.gone(register.grant_ref(planned))
    assert await site.api.get(binding(register, planned)) is None, "the grant goes when all of it is gone"
    lost = await site.until(
        planned.ref, lambda obj: not says(obj, "AccessGranted", "True"), "it says what it lost"
    )
    assert lost["status"]["phase"] == "Published", "it runs on"
    await register.may_no_more(kubectl, planned)
    await site.gone(way_out(planned))
    await site.told(planned.ref, "AccessLost", f"{NAME} v5")
    await site.apply(register.grant(planned))
    await site.until(binding(register, planned), lambda _: True, "it is told where again")
    await site.until(planned.ref, lambda obj: says(obj, "AccessGranted", "True"), "it has it again")
    await site.told(planned.ref, "AccessRegained")
    out = await site.until(way_out(planned), lambda obj: obj["spec"].get("egress"), "the way out")
    (rule,) = out["spec"]["egress"]
    assert rule == {
        "to": [
            {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": register.namespace}},
                "podSelector": {"matchLabels": {"app": NAME}},
            }
        ],
        "ports": [{"port": 9443, "protocol": "TCP"}],
    }
    after = await site.see(deployment)
    assert after["spec"]["template"] == before["spec"]["template"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


async def test_a_binding_that_somebody_takes_or_edits_comes_back(
    register: Register, kubectl: Kubectl
) -> None:
    site, planned = register.site, await published(register)
    ref = binding(register, planned)
    made = await site.see(ref)
    elsewhere = {"op": "replace", "path": "/data/uri", "value": "https://elsewhere.example"}
    await kubectl.patch("configmap", f"{ref.namespace}/{ref.name}", elsewhere)
    await site.until(ref, lambda obj: obj["data"] == made["data"], "it says again where")
    await site.delete(ref)
    await site.until(ref, lambda obj: obj["metadata"]["uid"] != made["metadata"]["uid"], "it is there again")


async def test_at_rest_nothing_is_written(
    register: Register, operator: OperatorProcess, rests: Rested, audit: AuditLog
) -> None:
    await published(register)
    await rests()
    audit.skip()
    assert await operator.terminate() == 0
    await operator.start()
    await operator.at_rest()
    assert not audit.writes(), counted(audit.writes())

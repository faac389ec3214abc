# SPDX-License-Identifier: Apache-2.0
"""A gateway that refuses the route, and one that is not there: nothing is called public that is not."""

import json
from pathlib import Path

import pytest

from eservice_operator.core.actions import Ref
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess
from tests.support.site import Site, message, says

pytestmark = pytest.mark.cluster

NAMESPACE, NAME = "gateway-system", "internal"
"""Nobody else's routes attach to this one, so a test may change it."""
HOSTNAME = "/spec/listeners/0/hostname"
GATEWAY_API = "gateway.networking.k8s.io/v1"


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    return {"gateway": f"{NAMESPACE}/{NAME}"}


async def test_the_gateways_own_words_are_shown_while_it_refuses_the_route(
    site: Site, kubectl: Kubectl
) -> None:
    await site.prepare()
    planned = site.planned()
    await patch_gateway(kubectl, {"op": "add", "path": HOSTNAME, "value": "*.somewhere.else.example"})
    try:
        await site.apply(*planned.everything())
        refused = await site.until(
            planned.ref, lambda obj: says(obj, "Published", "False", "RouteRefused"), "refused"
        )
        route = await site.see(planned.route)
        said = next(
            entry
            for parent in route["status"]["parents"]
            for entry in parent["conditions"]
            if (entry["type"], entry["status"]) == ("Accepted", "False")
        )
        words = f"{said['reason']}: {said['message']}" if said["message"] else said["reason"]
        assert message(refused, "Published") == f"Gateway gateway-system/internal: Accepted=False, {words}"
        assert says(refused, "Ready", "False", "RouteRefused"), "the public does not get what the rules allow"
        assert says(refused, "Reconciling", "True", "RouteRefused")
        assert refused["status"]["phase"] != "Published"
        assert "publicURL" not in refused["status"]
    finally:
        await patch_gateway(kubectl, {"op": "remove", "path": HOSTNAME})
    public = await site.settled(planned, "Published")
    assert public["status"]["publicURL"] == f"https://{planned.host}/"


async def patch_gateway(kubectl: Kubectl, change: dict[str, str]) -> None:
    code, printed = await kubectl(
        "patch", "gateway", NAME, "-n", NAMESPACE, "--type=json", "-p", json.dumps([change])
    )
    assert code == 0, printed


async def test_a_start_with_the_name_of_no_gateway_moves_nothing_until_there_is_one(
    site: Site, operator: OperatorProcess, operator_kubeconfig: Path, tmp_path: Path
) -> None:
    await site.prepare()
    planned = site.planned()
    await site.published(planned)
    route = await site.see(planned.route)
    target = Ref(GATEWAY_API, "Gateway", NAMESPACE, f"next-{site.mark}")
    operator.end()
    settings = {"gateway": f"{target.namespace}/{target.name}"}
    other = await OperatorProcess(operator_kubeconfig, tmp_path / "log", settings).start()
    try:
        stays = await site.until(planned.ref, lambda obj: "cannot move" in message(obj, "Published"), "stays")
        why = f"Gateway {NAMESPACE}/{target.name} does not exist"
        served = f"served by Gateway {NAMESPACE}/{NAME}"
        assert message(stays, "Published") == f"{served}; it cannot move: {why}"
        assert says(stays, "Published", "True", "Published")
        assert says(stays, "Ready", "False", "GatewayNotFound")
        assert (await site.see(planned.route))["spec"] == route["spec"]

        await site.apply(planned.eservice(spec={"publication": {"path": "/declare"}}))
        await site.until(
            planned.ref, lambda obj: obj["status"].get("publicURL", "").endswith("/declare"), "changed there"
        )
        assert (await site.see(planned.route))["spec"]["parentRefs"] == route["spec"]["parentRefs"]

        spec = (await site.see(Ref(GATEWAY_API, "Gateway", NAMESPACE, NAME)))["spec"]
        metadata = {"namespace": target.namespace, "name": target.name}
        await site.apply({"apiVersion": GATEWAY_API, "kind": "Gateway", "metadata": metadata, "spec": spec})
        moved = await site.settled(planned, "Published")
        assert message(moved, "Published") == f"served by Gateway {NAMESPACE}/{target.name}"
        assert (await site.see(planned.route))["metadata"]["uid"] == route["metadata"]["uid"]
    finally:
        other.end()
        await operator.start()
    await site.until(planned.ref, lambda obj: message(obj, "Published") == served, "back where it was")

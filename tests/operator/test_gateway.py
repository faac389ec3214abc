# SPDX-License-Identifier: Apache-2.0
"""A gateway that refuses the route, and one that is not there: nothing is called public that is not."""

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import pytest

from eservice_operator.core.actions import Ref
from eservice_operator.core.gateway_driver import GRANT_API
from tests.support.kubectl import KUBECTL, Kubectl
from tests.support.operator import START, OperatorProcess
from tests.support.site import Site, message, says

pytestmark = pytest.mark.cluster

NAMESPACE, NAME = "gateway-system", "internal"
GATEWAY = f"{NAMESPACE}/{NAME}"
"""Nobody else's routes attach to this one, so a test may change it."""
HOSTNAME = "/spec/listeners/0/hostname"
GATEWAY_API = "gateway.networking.k8s.io/v1"
ROUTES = "eservice-routes"
ADMITTED = "/spec/listeners/0/allowedRoutes/namespaces/selector"
RIGHTS = f"""kubectl get roles,rolebindings -n {ROUTES} -o yaml |
  sed -e '/^    uid: /d' -e '/^    resourceVersion: /d' -e 's/^\\(    namespace: \\){ROUTES}$/\\1NEW/' |
  kubectl create -f -"""
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    return {"gateway": GATEWAY}


async def test_the_gateways_own_words_are_shown_while_it_refuses_the_route(
    site: Site, kubectl: Kubectl
) -> None:
    await site.prepare()
    planned = site.planned()
    await kubectl.patch(
        "gateway", GATEWAY, {"op": "add", "path": HOSTNAME, "value": "*.somewhere.else.example"}
    )
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
        await kubectl.patch("gateway", GATEWAY, {"op": "remove", "path": HOSTNAME})
    public = await site.settled(planned, "Published")
    assert public["status"]["publicURL"] == f"https://{planned.host}/"


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
        served = f"served by Gateway {GATEWAY}"
        assert message(stays, "Published") == f"{served}; it cannot move: {why}"
        assert says(stays, "Published", "True", "Published")
        assert says(stays, "Ready", "True", "GatewayNotFound"), (
            "no batch waits for what its institution cannot mend"
        )
        assert says(stays, "RouteInPlace", "False", "GatewayNotFound")
        assert (await site.see(planned.route))["spec"] == route["spec"]

        await site.apply(planned.eservice(spec={"publication": {"path": "/declare"}}))
        await site.until(
            planned.ref, lambda obj: obj["status"].get("publicURL", "").endswith("/declare"), "changed there"
        )
        assert (await site.see(planned.route))["spec"]["parentRefs"] == route["spec"]["parentRefs"]

        spec = (await site.see(Ref(GATEWAY_API, "Gateway", NAMESPACE, NAME)))["spec"]
        metadata = {"namespace": target.namespace, "name": target.name}
        await site.apply({"apiVersion": GATEWAY_API, "kind": "Gateway", "metadata": metadata, "spec": spec})
        there = f"served by Gateway {NAMESPACE}/{target.name}"
        await site.until(planned.ref, lambda obj: message(obj, "Published") == there, "moved")
        moved = await site.settled(planned, "Published")
        assert not says(moved, "RouteInPlace", "False")
        assert (await site.see(planned.route))["metadata"]["uid"] == route["metadata"]["uid"]
    finally:
        other.end()
        await operator.start()
    await site.until(planned.ref, lambda obj: message(obj, "Published") == served, "back where it was")


@pytest.mark.foreseen("there are public routes elsewhere")
async def test_routes_elsewhere_end_the_start_until_people_have_moved_them_as_is_written(
    site: Site, operator: OperatorProcess, operator_kubeconfig: Path, people_kubeconfig: Path, tmp_path: Path
) -> None:
    await site.prepare()
    planned = site.planned()
    await site.published(planned)
    route, grant = (
        await site.see(planned.route),
        Ref(GRANT_API, "ReferenceGrant", planned.namespace, planned.name),
    )
    granted = (await site.see(grant))["spec"]
    home = f"routes-{site.mark}"
    operator.end()
    settings = {"gateway": GATEWAY, "routes-namespace": home}
    other = OperatorProcess(operator_kubeconfig, tmp_path / "log", settings).launch()
    try:
        assert await asyncio.to_thread(other.process.wait, START) == 2, other.tail()
        assert (
            f"--routes-namespace is {home}, and there are public routes elsewhere: 1 in {ROUTES}."
            in other.tail()
        )
        assert (await site.see(grant))["spec"] == granted
        assert (await site.see(planned.route))["metadata"]["resourceVersion"] == route["metadata"][
            "resourceVersion"
        ]

        kubectl = Kubectl(people_kubeconfig)
        await site.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}})
        await kubectl.patch(
            "gateway", GATEWAY, {"op": "replace", "path": ADMITTED, "value": either(ROUTES, home)}
        )
        await typed(RIGHTS.replace("NEW", home), people_kubeconfig)
        await typed(commands().replace("public-routes", home), people_kubeconfig)
        moved = Ref(GATEWAY_API, "HTTPRoute", home, planned.route.name)
        carried = await site.see(moved)
        await other.start()
        await site.until(
            grant, lambda obj: [one["namespace"] for one in obj["spec"]["from"]] == [home], "only new"
        )
        await site.settled(planned, "Published")
        assert (await site.see(moved))["metadata"]["uid"] == carried["metadata"]["uid"]
        assert (await site.see(moved))["spec"] == carried["spec"] == route["spec"]
        await site.delete(planned.ref)
        await site.gone(moved)
        await site.gone(planned.ref)
    finally:
        other.end()
        only = {"matchLabels": {"kubernetes.io/metadata.name": ROUTES}}
        await Kubectl(people_kubeconfig).patch(
            "gateway", GATEWAY, {"op": "replace", "path": ADMITTED, "value": only}
        )
        await operator.start()


def either(*namespaces: str) -> dict[str, Any]:
    named = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(namespaces)}
    return {"matchExpressions": [named]}


def commands() -> str:
    """What the page has people type."""
    section = OPERATIONS.read_text().partition("### Moving the routes")[2].partition("\n### ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return str(block)


async def typed(script: str, kubeconfig: Path) -> None:
    environment = {
        "KUBECONFIG": str(kubeconfig),
        "HOME": str(kubeconfig.parent),
        "PATH": f"{KUBECTL.parent}:{os.defpath}",
    }
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-euo",
        "pipefail",
        "-c",
        script,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await shell.communicate()
    assert shell.returncode == 0, printed.decode()

# SPDX-License-Identifier: Apache-2.0
"""A route that the gateway does not take: the gateway's own words are shown, and no citizen is answered."""

from pathlib import Path

import pytest

from tests.gateways.conftest import Lane
from tests.gateways.stage import Stage
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess
from tests.support.site import condition, message, says

pytestmark = pytest.mark.cluster

GATEWAY = "gateway-system/public"
HOSTNAME = "/spec/listeners/0/hostname"
REFUSED = {
    ("traefik", "NoMatchingParent"): "",
    ("contour", "NoMatchingParent"): ": No listeners match this parent ref",
    ("traefik", "NoMatchingListenerHostname"): "",
    (
        "contour",
        "NoMatchingListenerHostname",
    ): ": No intersecting hostnames were found between the listener and the route.",
}
"""What each gateway adds to its reason; Traefik adds nothing."""


async def shown(stage: Stage, lane: Lane, reason: str) -> None:
    """An e-service that would be public: what its status says once the gateway has refused the route."""
    planned = stage.site.planned()
    await stage.site.apply(planned.registration(), planned.act(), planned.verification())
    await stage.site.apply(await stage.eservice(planned))
    words = f"Gateway {GATEWAY}: Accepted=False, {reason}{REFUSED[lane.name, reason]}"
    refused = await stage.site.until(planned.ref, lambda obj: message(obj, "Published") == words, words)
    found = condition(refused, "Published")
    assert found is not None
    assert (found["status"], found["reason"]) == ("False", "RouteRefused")
    assert not (await stage.citizens.ask(planned.host)).served


async def test_a_listener_that_is_missing_then_named(stage: Stage, lane: Lane, tmp_path: Path) -> None:
    operator = OperatorProcess(
        lane.kubeconfig, tmp_path / "log", lane.settings | {"gateway": f"{GATEWAY}/nope"}
    )
    try:
        await operator.start()
        await stage.site.prepare()
        await shown(stage, lane, "NoMatchingParent")
        assert await operator.terminate() == 0
        operator.settings["gateway"] = f"{GATEWAY}/http"
        await operator.start()
        await stage.answered(stage.site.planned())
        await stage.site.settled(stage.site.planned(), "Published")
    finally:
        await stage.site.clear(operated=operator.running)
        operator.end()


async def test_a_gateway_that_is_not_there(stage: Stage, lane: Lane, tmp_path: Path) -> None:
    settings = lane.settings | {"gateway": "gateway-system/nope"}
    operator = OperatorProcess(lane.kubeconfig, tmp_path / "log", settings)
    try:
        await operator.start()
        await stage.site.prepare()
        planned = stage.site.planned()
        await stage.site.apply(planned.registration(), planned.act(), planned.verification())
        await stage.site.apply(await stage.eservice(planned))
        seen = await stage.site.until(
            planned.ref, lambda obj: says(obj, "Published", "False", "GatewayNotFound"), "no such Gateway"
        )
        assert message(seen, "Published") == "Gateway gateway-system/nope does not exist"
        assert seen["status"]["phase"] != "Published"
        assert not (await stage.citizens.ask(planned.host)).served
    finally:
        await stage.site.clear(operated=operator.running)
        operator.end()


async def test_a_listener_for_other_hosts(operated: Stage, lane: Lane, kubectl: Kubectl) -> None:
    await operated.site.prepare()
    await kubectl.patch(
        "gateway", GATEWAY, {"op": "add", "path": HOSTNAME, "value": "*.somewhere.else.example"}
    )
    try:
        await shown(operated, lane, "NoMatchingListenerHostname")
    finally:
        await kubectl.patch("gateway", GATEWAY, {"op": "remove", "path": HOSTNAME})
    await operated.answered(operated.site.planned())
    await operated.site.settled(operated.site.planned(), "Published")

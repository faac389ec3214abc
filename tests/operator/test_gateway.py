# SPDX-License-Identifier: Apache-2.0
"""A gateway that refuses the route: nothing is called public that is not, and its own words are shown."""

import json

import pytest

from tests.support.kubectl import Kubectl
from tests.support.site import Site, message, says

pytestmark = pytest.mark.cluster

NAMESPACE, NAME = "gateway-system", "internal"
"""Nobody else's routes attach to this one, so a test may change it."""
HOSTNAME = "/spec/listeners/0/hostname"


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

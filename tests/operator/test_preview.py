# SPDX-License-Identifier: Apache-2.0
"""A candidate on the internal Gateway of a real Traefik: there until it is public, or its EService goes."""

import pytest

from eservice_operator.core.actions import Ref
from tests.support.fleet import Planned
from tests.support.kubectl import Kubectl
from tests.support.site import Site, message, says

pytestmark = pytest.mark.cluster

GATEWAY = "gateway-system/internal"
DOMAIN = "preview.agency.example"
HOSTNAME = "/spec/listeners/0/hostname"


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    return {"preview-gateway": GATEWAY, "preview-domain": DOMAIN, "preview-header": "X-Look=yes"}


def preview_of(planned: Planned) -> Ref:
    route = planned.route
    return Ref(route.api_version, route.kind, route.namespace, f"{route.name}.preview")


async def test_a_first_release_is_looked_at_before_anything_is_public(site: Site, kubectl: Kubectl) -> None:
    await site.prepare()
    planned = site.planned()
    await site.apply(planned.registration(), planned.act(), planned.eservice())
    url = f"https://{planned.name}--{planned.namespace}.{DOMAIN}/"
    await site.until(planned.ref, lambda obj: obj["status"].get("previewURL") == url, "previewed")
    waiting = await site.settled(planned, "AwaitingVerification")
    assert "Previewed" not in {condition["type"] for condition in waiting["status"]["conditions"]}
    assert await site.api.get(planned.route) is None, "nothing is public"
    route = await site.see(preview_of(planned))
    assert [ref["name"] for ref in route["spec"]["parentRefs"]] == [GATEWAY.split("/")[1]]

    change = {"op": "add", "path": HOSTNAME, "value": "*.somewhere.else.example"}
    await kubectl.patch("gateway", GATEWAY, change)
    try:
        refused = await site.until(planned.ref, lambda obj: says(obj, "Previewed", "False"), "refused")
        assert message(refused, "Previewed").startswith(f"Gateway {GATEWAY}: Accepted=False")
        assert says(refused, "Ready", "True", "AwaitingVerification"), "nothing waits for it"
        assert "previewURL" not in refused["status"]
    finally:
        await kubectl.patch("gateway", GATEWAY, {"op": "remove", "path": HOSTNAME})

    await site.apply(planned.verification())
    public = await site.settled(planned, "Published")
    assert "previewURL" not in public["status"]
    await site.gone(preview_of(planned))
    assert await site.api.get(planned.route) is not None


async def test_a_deleted_e_service_leaves_no_preview_behind(site: Site) -> None:
    await site.prepare()
    planned = site.planned()
    await site.apply(planned.registration(), planned.act(), planned.eservice())
    await site.settled(planned, "AwaitingVerification")
    await site.until(preview_of(planned), lambda _: True, "a preview")
    await site.delete(planned.ref)
    await site.gone(planned.ref)
    assert await site.api.get(preview_of(planned)) is None

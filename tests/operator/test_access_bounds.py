# SPDX-License-Identifier: Apache-2.0
"""What no holder can open, whatever it writes, on the real API server: the cluster itself, a name, a test."""

from __future__ import annotations

import pytest

from eservice_operator.core.actions import Manifest, Ref
from tests.operator.test_grants import asked, is_so, states
from tests.support.fleet import Planned
from tests.support.register import NAME, Register
from tests.support.site import says

pytestmark = pytest.mark.cluster

OWN = "10.244.0.0/16"
OUTSIDE = {"service": None, "url": "https://api.ur.example:8443"}


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    """The networks of the cluster's Pods and Services."""
    return {"cluster-networks": f"{OWN},10.96.0.0/12"}


def way_out(planned: Planned) -> Ref:
    return Ref("networking.k8s.io/v1", "NetworkPolicy", planned.namespace, f"access.{planned.name}")


def message(obj: Manifest, kind: str) -> str:
    (found,) = [one for one in obj["status"]["conditions"] if one["type"] == kind]
    return str(found["message"])


async def test_nobody_is_led_into_the_cluster_as_if_it_were_outside(register: Register) -> None:
    site, planned = register.site, register.site.planned()
    *others, _ = planned.everything()
    asking = planned.eservice(spec={"uses": [register.use()]})
    await site.apply(*others, asking, register.tested(planned))
    allowed = register.web_service(spec={"backend": OUTSIDE | {"networks": ["198.51.100.0/28"]}})
    await site.apply(allowed, register.grant(planned))
    await site.until(register.grant_ref(planned), is_so(v5="Active"), "it is open")
    await site.until(way_out(planned), lambda _: True, "the way out")

    inside = register.web_service(
        spec={"backend": OUTSIDE | {"networks": ["198.51.100.0/28", "10.244.7.0/24"]}}
    )
    await site.apply(inside)
    said = await site.until(
        register.ref, lambda obj: says(obj, "BackendFound", "False", "BackendNotAllowed"), "it is refused"
    )
    told = message(said, "BackendFound")
    assert f"10.244.7.0/24 is in {OWN}" in told
    grant = await site.until(
        register.grant_ref(planned), lambda obj: states(obj)["v5"] == ("Revoked", "BackendNotAllowed"), "ends"
    )
    assert grant["status"]["contractVersions"][0]["message"] == told
    await site.until(
        planned.ref,
        lambda obj: says(obj, "AccessGranted", "False") and told in message(obj, "AccessGranted"),
        "the consumer reads the same",
    )
    await site.gone(way_out(planned))

    await site.apply(allowed)
    await site.until(register.grant_ref(planned), is_so(v5="Active"), "it is open again")


async def test_nobody_inherits_a_grant_with_a_name(register: Register) -> None:
    site, planned = register.site, await asked(register)
    await site.apply(register.grant(planned, consumer={"registration": planned.name}))
    await site.until(register.grant_ref(planned), is_so(v5="Active"), "it is open")
    await site.delete(planned.ref)
    await site.gone(planned.ref)
    other = planned.registration(
        metadata={"name": f"{planned.name}-next"},
        spec={"hosts": [{"environment": "Production", "host": f"next.{planned.host}"}]},
    )
    spec = {"registration": f"{planned.name}-next", "uses": [register.use()]}
    tested = register.tested(planned)
    tested["metadata"]["name"], tested["spec"]["registration"] = (
        f"{planned.name}-next",
        f"{planned.name}-next",
    )
    await site.apply(other, tested, planned.eservice(spec=spec))
    grant = await site.until(
        register.grant_ref(planned), lambda obj: states(obj)["v5"][1] == "OtherRegistration", "not that one"
    )
    assert f"the grant for {planned.name}" in grant["status"]["contractVersions"][0]["message"]
    for child in register.children(planned):
        assert await site.api.get(child) is None


async def test_a_test_that_nobody_can_pass_is_said(register: Register) -> None:
    site = register.site
    itself = {"namespace": register.namespace, "name": NAME}
    await site.apply(register.web_service(spec={"testedAs": itself}))
    found = await site.until(
        register.ref, lambda obj: says(obj, "TestedAsUsable", "False", "TestedAsUnusable"), "it is said"
    )
    assert "is the web service itself" in message(found, "TestedAsUsable")
    await site.until(register.ref, lambda obj: says(obj, "Ready", "True", "TestedAsUnusable"), "at once")
    await site.apply(register.web_service(spec={"testedAs": itself | {"name": "nowhere"}}))
    await site.until(
        register.ref, lambda obj: says(obj, "TestedAsUsable", "False", "TestedAsNotFound"), "there is none"
    )
    await site.apply(register.web_service())
    await site.until(register.ref, lambda obj: says(obj, "Ready", "True", "Succeeded"), "nothing is named")

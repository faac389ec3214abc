# SPDX-License-Identifier: Apache-2.0
"""One owner for each host (R1): whoever else wants it is reported on both sides, once, never overwritten."""

from typing import Any

import pytest

from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.support.audit import OPERATOR, AuditLog
from tests.support.fleet import Planned
from tests.support.site import Site, condition, gates, message, poll, says, without_bookkeeping

pytestmark = pytest.mark.cluster

PUBLIC = {"namespace": "gateway-system", "name": "public"}
ROUTES = "eservice-routes"
TWICE = 2
BACKEND: dict[str, Any] = {"name": "theirs", "port": 80}


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    """What is told only once is looked at often."""
    return {"resync": "3s", "allowed-gateways": "gateway-system/internal,gateway-system/missing"}


def foreign_route(name: str, *hosts: str, namespace: str = ROUTES, path: str = "/") -> Manifest:
    """Somebody's route on the public Gateway."""
    match = {"path": {"type": "PathPrefix", "value": path}}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "parentRefs": [PUBLIC],
            "hostnames": list(hosts),
            "rules": [{"matches": [match], "backendRefs": [BACKEND]}],
        },
    }


def accepted(route: Manifest) -> Manifest | None:
    """What the gateway says of a route."""
    for parent in (route.get("status") or {}).get("parents") or ():
        for entry in parent["conditions"]:
            if entry["type"] == "Accepted":
                return dict(entry)
    return None


def contested(obj: Manifest) -> list[tuple[str, str, str]]:
    found = obj["status"].get("contested") or ()
    return [(one["host"], one["by"], one["standing"]) for one in found]


async def looked_at_again(audit: AuditLog) -> None:
    """Wait until the operator has listed every EService twice more."""
    audit.skip()

    async def lists() -> bool:
        listed = [r for r in audit.by(OPERATOR) if (r.verb, r.resource) == ("list", "eservices")]
        return len(listed) > TWICE

    await poll(lists, lambda: "two resyncs")


async def told_once(site: Site, audit: AuditLog, *told: tuple[Ref, str, str]) -> None:
    """One Event with each reason and text; when everything is looked at again nothing is written."""
    for ref, reason, text in told:
        await site.told(ref, reason, text)
    await looked_at_again(audit)  # what else was on its way, such as other Events, is written by then
    await looked_at_again(audit)
    written = [r for r in audit.writes() if r.namespace in {site.namespace, ROUTES}]
    assert not written, "at rest nothing is written"
    for ref, reason, text in told:
        said = [words for found, words in await site.events(ref) if found == reason and text in words]
        assert len(said) == 1, (ref, said)


async def untouched(site: Site, before: Manifest) -> None:
    """Nobody but its owner and the gateway has written on an object."""
    live = await site.see(ref_of(before))
    assert without_bookkeeping(live) == without_bookkeeping(before)
    managers = {entry["manager"] for entry in live["metadata"].get("managedFields", ())}
    assert not any(manager.startswith("eservice-operator") for manager in managers)


async def test_of_two_eservices_both_are_told(site: Site, audit: AuditLog) -> None:
    await site.prepare()
    first, second = site.planned("first"), site.planned("second")
    await site.published(first)
    hosts = [{"environment": "Production", "host": first.host}]
    await site.apply(
        second.registration(spec={"hosts": hosts}),
        second.act(),
        second.verification(),
        second.eservice(spec={"publication": {"hosts": [first.host]}}),
    )
    elder, younger = (f"EService {one.namespace}/{one.name}" for one in (first, second))
    waiting = await site.until(
        second.ref, lambda obj: says(obj, "Published", "False", "HostConflict"), "a conflict"
    )
    assert message(waiting, "Published") == f"{first.host} is served by {elder}"
    assert contested(waiting) == [(first.host, elder, "Serves")]
    assert says(waiting, "Installed", "True")
    assert await site.api.get(second.route) is None
    seen = await site.until(first.ref, contested, "told")
    assert contested(seen) == [(first.host, younger, "Waits")]
    assert says(seen, "Published", "True")
    assert message(seen, "Published").endswith(f"; {first.host} is wanted by {younger} as well, which waits")
    assert says(seen, "Ready", "True", "Succeeded")
    await told_once(site, audit, (second.ref, "HostConflict", elder), (first.ref, "HostContested", younger))

    await site.apply(second.registration(), second.eservice())
    await site.settled(second, "Published")
    await site.until(first.ref, lambda obj: not contested(obj), "nobody else wants it")


@pytest.mark.parametrize("hostname", ["the host", "a wildcard"])
async def test_a_foreign_route_that_serves_the_host_keeps_it(
    site: Site, audit: AuditLog, hostname: str
) -> None:
    await site.prepare()
    planned = site.planned()
    pattern = planned.host if hostname == "the host" else f"*.{planned.host.split('.', 1)[1]}"
    theirs = await site.create(foreign_route(f"theirs-{site.mark}", pattern))
    await site.until(ref_of(theirs), accepted, "the gateway's answer")
    owner = f"HTTPRoute {ROUTES}/theirs-{site.mark}"
    try:
        await site.apply(*planned.everything())
        waiting = await site.until(
            planned.ref, lambda obj: says(obj, "Published", "False", "HostConflict"), "a conflict"
        )
        assert message(waiting, "Published") == f"{planned.host} is served by {owner}"
        assert contested(waiting) == [(planned.host, owner, "Serves")]
        assert await site.api.get(planned.route) is None
        place = f"EService {planned.namespace}/{planned.name}"
        await told_once(
            site, audit, (planned.ref, "HostConflict", owner), (ref_of(theirs), "HostConflict", place)
        )
        await untouched(site, theirs)
    finally:
        await site.delete(ref_of(theirs))
    public = await site.settled(planned, "Published")
    assert not contested(public)


@pytest.mark.parametrize("hostname, standing", [("the host", "Serves"), ("a wildcard", "Beside")])
async def test_what_is_public_stays_when_a_foreign_route_comes(
    site: Site, audit: AuditLog, hostname: str, standing: str
) -> None:
    """A deeper path in another route: the gateways let it take that path in silence."""
    await site.prepare()
    planned = site.planned()
    await site.published(planned)
    pattern = planned.host if hostname == "the host" else f"*.{planned.host.split('.', 1)[1]}"
    theirs = await site.create(foreign_route(f"theirs-{site.mark}", pattern, path="/deeper"))
    owner = f"HTTPRoute {ROUTES}/theirs-{site.mark}"
    try:
        seen = await site.until(planned.ref, contested, "told")
        assert contested(seen) == [(planned.host, owner, standing)]
        assert says(seen, "Published", "True")
        assert ("HostAllowed" in gates(seen)) is (standing == "Serves")
        reason = "HostConflict" if standing == "Serves" else "HostContested"
        place = f"EService {planned.namespace}/{planned.name}"
        await told_once(site, audit, (planned.ref, reason, owner), (ref_of(theirs), reason, place))
        await untouched(site, theirs)
    finally:
        await site.delete(ref_of(theirs))
    await site.until(planned.ref, lambda obj: not contested(obj) and not gates(obj), "over")


async def test_a_route_that_the_gateway_does_not_admit_is_no_conflict(site: Site, audit: AuditLog) -> None:
    """The public Gateway takes routes from the Agency's namespace only."""
    await site.prepare()
    planned = site.planned()
    theirs = await site.create(foreign_route("theirs", planned.host, namespace=site.namespace))
    refused = await site.until(ref_of(theirs), accepted, "the gateway's answer")
    said = accepted(refused)
    assert said is not None
    assert (said["status"], said["reason"]) == ("False", "NotAllowedByListeners")
    await site.published(planned)
    await looked_at_again(audit)
    public = await site.see(planned.ref)
    assert not contested(public)
    assert says(public, "Published", "True")
    assert await site.events(ref_of(theirs)) == []


async def test_an_ingress_for_the_host_is_reported_on_both_sides(site: Site, audit: AuditLog) -> None:
    """Whether a controller serves it is not known here, so that it holds nothing back."""
    await site.prepare()
    planned = site.planned()
    theirs = await site.create(ingress(site, planned))
    await site.published(planned)
    owner = f"Ingress {site.namespace}/theirs"
    seen = await site.until(planned.ref, contested, "told")
    assert contested(seen) == [(planned.host, owner, "Beside")]
    assert says(seen, "Published", "True")
    assert condition(seen, "Stalled") is None
    place = f"EService {planned.namespace}/{planned.name}"
    await told_once(
        site, audit, (planned.ref, "HostContested", owner), (ref_of(theirs), "HostContested", place)
    )
    await untouched(site, theirs)
    await site.delete(ref_of(theirs))
    await site.until(planned.ref, lambda obj: not contested(obj), "over")


def ingress(site: Site, planned: Planned) -> Manifest:
    backend = {"service": {"name": "theirs", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "theirs", "namespace": site.namespace},
        "spec": {"rules": [{"host": planned.host, "http": {"paths": [path]}}]},
    }


async def test_an_eservice_is_served_by_the_gateway_that_it_chose(site: Site) -> None:
    await site.prepare()
    planned = site.planned()
    await site.published(planned)
    uid = (await site.see(planned.route))["metadata"]["uid"]

    await site.apply(planned.eservice(spec=chosen("elsewhere")))
    refused = await site.until(planned.ref, gates, "refused")
    assert gates(refused) == {"HostAllowed": ("GatewayNotAllowed", "Institution")}
    assert message(refused, "Published").startswith("served by Gateway gateway-system/public")

    await site.apply(planned.eservice(spec=chosen("internal")))
    moved = await site.settled(planned, "Published")
    assert message(moved, "Published") == "served by Gateway gateway-system/internal"
    assert (await site.see(planned.route))["metadata"]["uid"] == uid

    await site.apply(planned.eservice(spec=chosen("missing")))
    stays = await site.until(
        planned.ref, lambda obj: says(obj, "Ready", "False", "GatewayNotFound"), "not there"
    )
    assert says(stays, "Published", "True", "Published")
    assert message(stays, "Published") == (
        "served by Gateway gateway-system/internal; it cannot move:"
        " Gateway gateway-system/missing does not exist"
    )

    await site.apply(planned.eservice())
    back = await site.settled(planned, "Published")
    assert message(back, "Published") == "served by Gateway gateway-system/public"


def chosen(name: str) -> dict[str, Any]:
    return {"publication": {"gateway": {"namespace": "gateway-system", "name": name}}}

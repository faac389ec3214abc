# SPDX-License-Identifier: Apache-2.0
"""Nobody takes a host that is somebody else's: not in an EService, a route or an Ingress of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eservice_operator.cluster.errors import Invalid
from eservice_operator.core.actions import Manifest, ref_of
from tests.adversarial.cast import Cast, Part, Persona
from tests.operator.test_hosts import accepted, contested, foreign_route, ingress
from tests.support.fleet import Planned
from tests.support.operator import OperatorProcess
from tests.support.register import Register
from tests.support.resting import Rested
from tests.support.site import gates, says

pytestmark = pytest.mark.cluster

Chosen = Callable[[Planned], str]
HOSTS: dict[str, Chosen] = {
    "of another e-service": lambda victim: victim.host,
    "below another's": lambda victim: f"a.{victim.host}",
    "above another's": lambda victim: victim.host.split(".", 1)[1],
    "in punycode": lambda _: "xn--dzvesvieta-i5a.latvija.example",
    "of nobody": lambda _: "free.latvija.example",
    "an address": lambda _: "192.0.2.1",
}
REFUSED: dict[str, Chosen] = {
    "in upper case": lambda victim: victim.host.upper(),
    "with a dot at the end": lambda victim: f"{victim.host}.",
    "a wildcard": lambda victim: f"*.{victim.host.split('.', 1)[1]}",
    "with a port": lambda victim: f"{victim.host}:443",
    "with a path": lambda victim: f"{victim.host}/a",
    "in letters that look alike": lambda victim: victim.host.replace("a", "\u0430"),
    "with a soft hyphen": lambda victim: f"\u00ad{victim.host}",
    "an address with a blank": lambda _: "192.0.2.1 ",
    "an address in brackets": lambda _: "[2001:db8::1]",
}
PATHS = (
    "//",
    "/..",
    "/a/../b",
    "/%2e%2e/",
    "/a//b",
    "/./a",
    "a",
    "/a?b",
    "/a#b",
    "/\u0430",
    "/a\\b",
    "/a;b",
    "",
)


async def test_nobody_takes_a_host(register: Register, cast: Cast, rests: Rested) -> None:
    """By a developer, for an e-service that has another host registered."""
    site, developer = register.site, cast[Part.DEVELOPER]
    victim = site.planned("victim")
    await site.published(victim)
    route = await site.see(victim.route)
    thieves = {}
    for number, (what, host) in enumerate(HOSTS.items()):
        thief = site.planned(f"thief-{number}", content=what)
        await site.apply(thief.registration(), thief.act(), thief.verification())
        await developer.apply(thief.eservice(spec={"publication": {"hosts": [host(victim)]}}))
        thieves[what] = thief
    for what, thief in thieves.items():
        seen = await site.until(thief.ref, lambda obj: "HostAllowed" in gates(obj), what)
        assert gates(seen)["HostAllowed"][0] == "HostNotRegistered", what
    thief = site.planned("thief-0", content="of another e-service")
    for what, host in REFUSED.items():
        body = thief.eservice(spec={"publication": {"hosts": [host(victim)]}})
        assert "write a host name in lower case" in await refused(developer, body), what
    for path in PATHS:
        body = thief.eservice(spec={"publication": {"path": path}})
        said = await refused(developer, body)
        assert "publication.path" in said, f"{path}: {said}"
    await rests()
    for what, one in thieves.items():
        assert await site.api.get(one.route) is None, what
    assert (await site.see(victim.route))["spec"] == route["spec"]
    assert says(await site.see(victim.ref), "Published", "True")


async def test_no_route_and_no_ingress_of_ones_own_takes_a_host(
    register: Register, cast: Cast, operator: OperatorProcess, rests: Rested
) -> None:
    """By who has ``*`` in a namespace: the public Gateway takes its routes from the Agency's only.

    Routes that a Gateway takes, and Ingresses, beside each other: tests/operator/test_hosts.py.
    """
    site, admin = register.site, cast[Part.ADMIN]
    victim = site.planned("victim")
    await site.published(victim)
    await operator.at_rest()
    before = await site.see(victim.route)
    route = foreign_route("theirs", victim.host, namespace=admin.namespace, path="/deeper")
    for attempt in (route, ingress(site, victim)):
        await admin.apply(attempt)
    answered = await site.until(ref_of(route), accepted, "the gateway's answer")
    said = accepted(answered)
    assert said is not None
    assert (said["status"], said["reason"]) == ("False", "NotAllowedByListeners")
    told = await site.until(victim.ref, contested, "of the Ingress it is told")
    assert contested(told) == [(victim.host, f"Ingress {admin.namespace}/theirs", "Beside")]
    await rests()
    assert (await site.see(victim.route))["spec"] == before["spec"]
    assert says(await site.see(victim.ref), "Published", "True")


async def refused(persona: Persona, body: Manifest) -> str:
    """What the API server says of an object that it does not take."""
    with pytest.raises(Invalid) as refusal:
        await persona.apply(body)
    return refusal.value.message

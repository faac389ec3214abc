# SPDX-License-Identifier: Apache-2.0
"""Every field that names something in another namespace: to name it gives nothing, and says nothing of it.

Whoever writes such a field has rights in a namespace of its own only, and the operator has them everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from eservice_operator.api.kinds import KINDS
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.access.forgeries import contents, moved
from tests.adversarial import whole
from tests.adversarial.cast import Cast, Part
from tests.support.fleet import Planned
from tests.support.register import NAME, Register
from tests.support.resting import Rested
from tests.support.site import says

pytestmark = pytest.mark.cluster

NAMES_A_PLACE = re.compile(r"\.(namespace|namespaces\[\]\.name)$")
OF_TENANTS = {
    "EService spec.uses[].webService.namespace",
    "EService spec.publication.gateway.namespace",
    "WebService spec.testedAs.namespace",
    "WebServiceGrant spec.consumer.namespace",
}
"""Each has a case below."""
OF_THE_AGENCY = {
    "EServiceRegistration spec.namespaces[].name",
    "AcceptanceAct spec.eService.namespace",
    "UnpublishDeferral spec.eService.namespace",
    "UnpublishDecision spec.eService.namespace",
    "ConnectionTest spec.webService.namespace",
    "ConnectionTest spec.observed.namespace",
}
"""On kinds that nobody else may write (`test_rights`)."""


def test_every_field_that_names_a_place_has_its_case() -> None:
    found = {
        f"{kind.kind} {path}"
        for kind in KINDS
        for path, _ in whole.leaves(kind.kind)
        if NAMES_A_PLACE.search(path)
    }
    assert found == OF_TENANTS | OF_THE_AGENCY
    namespaced = {kind.kind for kind in KINDS if kind.namespaced}
    assert {one.split()[0] for one in OF_TENANTS} <= namespaced
    assert not {one.split()[0] for one in OF_THE_AGENCY} & namespaced


@dataclass(frozen=True)
class Case:
    """Somebody names what is there, and what is not, in a field; ``told`` is what both objects then say."""

    field: str
    part: Part
    body: Callable[[Register, Planned, str, str], Manifest]
    told: str


def asks(_: Register, planned: Planned, place: str, name: str) -> Manifest:
    """For somebody's web service, without a grant."""
    use = {"name": "a", "webService": {"namespace": place, "name": name}, "contractVersion": "v5"}
    return planned.eservice(spec={"uses": [use]})


def goes_by(_: Register, planned: Planned, place: str, name: str) -> Manifest:
    """By somebody's Gateway."""
    return planned.eservice(spec={"publication": {"gateway": {"namespace": place, "name": name}}})


def proved_at(register: Register, planned: Planned, place: str, name: str) -> Manifest:
    """A register of one's own that was tested at somebody's."""
    spec = {
        "testedAs": {"namespace": place, "name": name},
        "holder": {"code": "90000054163"},
        "backend": {"service": {"name": "mine"}},
    }
    return moved(register.web_service(spec=spec), planned.namespace, name=f"own-{planned.name}")


def lets_in(register: Register, planned: Planned, place: str, name: str) -> Manifest:
    """Somebody's e-service, which has not asked."""
    grant = register.grant(planned)
    spec = grant["spec"] | {"consumer": {"namespace": place, "name": name}}
    return grant | {"spec": spec}


CASES = (
    Case("EService spec.uses[].webService.namespace", Part.ADMIN, asks, "AccessNotGranted"),
    Case("EService spec.publication.gateway.namespace", Part.ADMIN, goes_by, "GatewayNotAllowed"),
    Case("WebService spec.testedAs.namespace", Part.ADMIN, proved_at, "TestedAsNotFound"),
    Case("WebServiceGrant spec.consumer.namespace", Part.HOLDER, lets_in, "NotRequested"),
)


def gateway(place: str) -> Manifest:
    """Somebody's Gateway, which nothing carries out."""
    listener = {"name": "a", "port": 80, "protocol": "HTTP"}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "gateway-of-ur", "namespace": place},
        "spec": {"gatewayClassName": "nobody", "listeners": [listener]},
    }


INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T[0-9:.]+Z|EP-\d{6}|\"[0-9a-f]{10,64}\"")


def test_every_field_of_tenants_is_named() -> None:
    assert {case.field for case in CASES} == OF_TENANTS


async def there(register: Register, case: Case) -> tuple[str, str]:
    """What is there, and the writer of the field may not know of."""
    site = register.site
    match case.body.__name__:
        case "asks" | "proved_at":
            return register.namespace, NAME
        case "goes_by":
            await site.apply(gateway(register.namespace))
            return register.namespace, "gateway-of-ur"
        case _:
            known = site.planned("known")
            await site.apply(known.registration(), known.eservice())
            return known.namespace, known.name


async def test_to_name_it_gives_nothing_and_says_nothing_of_it(
    register: Register, cast: Cast, rests: Rested
) -> None:
    """What is there reads as what is not."""
    site = register.site
    for number, case in enumerate(CASES):
        place, name = await there(register, case)
        await rests()
        before = await contents(site, register.namespace)
        seen = []
        for which, target in (("a", (place, name)), ("b", (f"no-{site.mark}", "what-is-not"))):
            planned = site.planned(f"{which}{number}")
            await site.apply(planned.registration())
            await site.until(planned.registered, lambda obj: says(obj, "Ready", "True"), "registered")
            body = case.body(register, planned, *target)
            await cast[case.part].apply(body)
            seen.append((ref_of(body), target, planned))
        await rests()
        texts = [await read(register, *one) for one in seen]
        assert case.told in texts[0], f"{case.field}: {texts[0]}"
        assert texts[0] == texts[1], case.field
        after = await contents(site, register.namespace)
        assert {key: version for key, version in after.items() if key in before} == before, case.field
        assert not set(after) - set(before), f"{case.field} made {set(after) - set(before)}"


async def read(register: Register, ref: Ref, target: tuple[str, str], planned: Planned) -> str:
    """Status and Events of an object, without names, numbers and times."""
    status = (await register.site.see(ref)).get("status", {})
    text = json.dumps({"status": status, "events": sorted(await register.site.events(ref))}, sort_keys=True)
    place, name = target
    for named in (f"{place}/{name}", planned.image, planned.release, planned.name, place, name):
        text = text.replace(named, "NAME")
    return INSTANT.sub("OWN", text)

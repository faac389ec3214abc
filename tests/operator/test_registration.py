# SPDX-License-Identifier: Apache-2.0
"""R1: numbers that are unique and never used again, and the namespaces of a registration."""

import asyncio

import pytest

from eservice_operator.cluster.errors import Invalid
from eservice_operator.core.actions import Manifest, Ref
from tests.support import fleet
from tests.support.fleet import CODE, Planned
from tests.support.site import Site, message, says, up_to_date

pytestmark = pytest.mark.cluster

AT_ONCE = 30
RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/audit": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}


def place(name: str) -> Ref:
    return Ref("v1", "Namespace", "", name)


async def numbered(site: Site, planned: Planned) -> str:
    """The identifier of a registration, once it has one and the operator has nothing more to do."""
    seen = await site.until(
        planned.registered,
        lambda obj: obj["status"].get("identifier") and says(obj, "Ready", "True") and up_to_date(obj),
        "its number",
    )
    return str(seen["status"]["identifier"])


async def test_numbers_are_unique_never_used_again_and_come_back_to_their_owner(site: Site) -> None:
    await site.prepare()
    many = [site.planned(f"s{number:02d}") for number in range(AT_ONCE)]
    await asyncio.gather(*(site.apply(one.registration()) for one in many))
    numbers = {one.name: await numbered(site, one) for one in many}
    assert len(set(numbers.values())) == AT_ONCE

    highest = max(numbers, key=lambda name: numbers[name])
    (last,) = [one for one in many if one.name == highest]
    await site.delete(last.registered)
    await site.gone(last.registered)
    newcomer = site.planned("newcomer")
    await site.apply(newcomer.registration())
    given = await numbered(site, newcomer)
    assert given not in numbers.values(), "not even the number of one that was deleted"
    assert given > numbers[highest]

    await site.apply(last.registration())
    assert await numbered(site, last) == numbers[highest], "its own number back"
    record = await site.see(Ref("eservice.dev/v1alpha1", "EServiceIdentifier", "", numbers[highest].lower()))
    assert record["spec"]["registration"] == last.name


async def test_a_number_from_an_older_register_is_kept_and_given_to_nobody_else(site: Site) -> None:
    await site.prepare()
    older, rival = site.planned("older"), site.planned("rival")
    number = f"EP-{900_000 + int(site.mark, 16) % 90_000:06d}"
    await site.apply(older.registration(spec={"identifier": number}))
    assert await numbered(site, older) == number

    await site.apply(rival.registration(spec={"identifier": number}))
    stalled = await site.until(
        rival.registered, lambda obj: says(obj, "Stalled", "True", "IdentifierTaken"), "taken"
    )
    assert message(stalled, "Stalled") == (
        f"identifier {number} belongs to {older.name}: leave identifier out to get a new one"
    )
    assert says(stalled, "Registered", "False", "IdentifierTaken")
    await site.delete(rival.registered)
    await site.gone(rival.registered)
    await site.apply(rival.registration())
    assert await numbered(site, rival) not in {number, ""}


async def test_namespaces_are_made_with_their_labels_and_shared_in_one_institution(site: Site) -> None:
    first, second = site.planned("first"), site.planned("second")
    home = f"home-{site.mark}"
    spec = {"namespaces": [{"environment": "Production", "name": home}]}
    for one in (first, second):
        await site.apply(one.registration(spec=spec))
        await numbered(site, one)
    made = await site.see(place(home))
    expected = RESTRICTED | {"eservice.dev/institution": CODE, "eservice.dev/environment": "production"}
    assert expected.items() <= made["metadata"]["labels"].items()
    for one in (first, second):
        registration = await site.see(one.registered)
        assert registration["status"]["namespaces"][0]["state"] == "Ready"
    await site.delete(first.registered)
    await site.delete(second.registered)
    await site.gone(second.registered)
    third = site.planned("third")
    await site.apply(third.registration(spec=spec))
    await numbered(site, third)
    assert (await site.see(place(home)))["metadata"]["uid"] == made["metadata"]["uid"], "never deleted"


async def test_a_namespace_is_adopted_only_when_an_administrator_says_so(site: Site) -> None:
    planned = site.planned()
    unmarked: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": site.namespace}}
    await site.apply(unmarked)
    await site.apply(planned.registration())
    waiting = await site.until(
        planned.registered, lambda obj: says(obj, "Ready", "True", "NamespaceNotOnboarded"), "not adopted"
    )
    command = f"kubectl label namespace {site.namespace} eservice.dev/institution={CODE}"
    assert command in message(waiting, "Ready")
    assert "eservice.dev/environment" not in (await site.see(place(site.namespace)))["metadata"]["labels"]
    await site.apply(fleet.namespace(site.namespace))
    await site.until(planned.registered, lambda obj: says(obj, "Ready", "True", "Succeeded"), "adopted")
    labels = (await site.see(place(site.namespace)))["metadata"]["labels"]
    assert RESTRICTED.items() <= labels.items()


@pytest.mark.parametrize("name", ["kube-system", "default"])
async def test_a_system_namespace_is_refused(site: Site, name: str) -> None:
    planned = site.planned()
    spec = {"namespaces": [{"environment": "Production", "name": name}]}
    with pytest.raises(Invalid, match="a system namespace never hosts e-services"):
        await site.apply(planned.registration(spec=spec))


async def test_conflicts_over_a_namespace_say_what_to_do(site: Site) -> None:
    routes, other, first = site.planned("routes"), site.planned("other"), site.planned("first")
    await site.apply(
        routes.registration(spec={"namespaces": [{"environment": "Test", "name": "eservice-routes"}]})
    )
    seen = await site.until(
        routes.registered, lambda obj: says(obj, "Ready", "True", "NamespaceConflict"), "a conflict"
    )
    assert "eservice-routes is a system namespace" in message(seen, "Ready")

    await site.apply(first.registration())
    await numbered(site, first)
    await site.apply(
        other.registration(spec={"namespaces": [{"environment": "Test", "name": site.namespace}]})
    )
    seen = await site.until(
        other.registered, lambda obj: says(obj, "Ready", "True", "NamespaceConflict"), "a conflict"
    )
    assert "name one namespace for each environment" in message(seen, "Ready")
    assert seen["status"]["namespaces"][0]["state"] == "Conflict"
    labels = (await site.see(place(site.namespace)))["metadata"]["labels"]
    assert labels["eservice.dev/environment"] == "production"


async def test_a_foreign_institution_gets_no_namespace_of_another(site: Site) -> None:
    await site.prepare()
    first, foreign = site.planned("first"), site.planned("foreign")
    await site.apply(first.registration())
    await numbered(site, first)
    await site.apply(foreign.registration(spec={"institution": {"code": "40003000000", "name": "Other"}}))
    seen = await site.until(
        foreign.registered, lambda obj: says(obj, "Ready", "True", "NamespaceConflict"), "no namespace"
    )
    assert "belongs to another institution" in message(seen, "Ready")
    labels = (await site.see(place(site.namespace)))["metadata"]["labels"]
    assert labels["eservice.dev/institution"] == CODE

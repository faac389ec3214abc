# SPDX-License-Identifier: Apache-2.0
"""A status written by hand, on every kind: it opens, publishes, installs, mints and tells nothing.

A status is the operator's. With ``*`` on ``*`` in a namespace one may write it all the same, until the
policies of issue 8 forbid that; so that none of it may count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from eservice_operator.api import crd
from eservice_operator.api.kinds import BY_KIND, KINDS
from eservice_operator.cluster.resources import resource_of
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.adversarial.cast import Cast, Part
from tests.adversarial.post_office import PostOffice
from tests.contract.walk import schema_of
from tests.support.fleet import Planned
from tests.support.register import NAME, Register
from tests.support.resting import Rested
from tests.support.site import Site, gates, says

pytestmark = pytest.mark.cluster

THIEF = "thief@evil.example"
LONG_AGO = "2026-01-01T00:00:00Z"
NAMESPACED = tuple(kind.kind for kind in KINDS if kind.namespaced)
TRUE = ("Ready", "Registered", "Accepted", "AccessGranted", "Installed", "Verified", "Published", "Active")


def forged_notice(kind: str, number: int, recipient: str = THIEF) -> Manifest:
    """An entry of a ledger that is about to be handed over."""
    return {
        "id": f"{number:032x}",
        "kind": kind,
        "channel": "Email",
        "audience": "Institution",
        "recipient": recipient,
        "state": "Sending",
        "entered": LONG_AGO,
        "at": LONG_AGO,
        "about": "v5",
    }


def conditions() -> list[Manifest]:
    """All that could be hoped for, of a generation to come."""
    said = {"status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": LONG_AGO}
    return [{"type": kind, "observedGeneration": 1_000} | said for kind in TRUE]


def of_e_service(planned: Planned, register: Register) -> Manifest:
    """Published, with its release public, its access granted, and a letter on its way."""
    release = {
        "name": planned.release,
        "image": planned.image,
        "template": {"name": planned.template, "version": planned.version},
    }
    use = f"{register.namespace}/{NAME} v5"
    told = {"webService": use, "reason": "Active", "since": LONG_AGO, "told": "Granted", "toldAt": LONG_AGO}
    return {
        "phase": "Published",
        "identifier": "EP-999999",
        "publicURL": "https://evil.example/",
        "release": {"public": release, "candidate": release},
        "installation": {"installedAt": LONG_AGO},
        "uses": [{"name": "persons-v5", "state": "Granted", **told}],
        "lastDecision": {"name": f"{planned.name}-production-7", "template": release["template"]},
        "notices": [forged_notice("Unpublished", 1), forged_notice("AccessGranted", 2)],
    }


def of_grant(*_: object) -> Manifest:
    version = {"version": "v5", "state": "Active", "reason": "Active", "activeSince": LONG_AGO}
    return {"state": "Active", "reason": "Active", "contractVersions": [version]}


def of_web_service(planned: Planned, _: Register) -> Manifest:
    consumer = {"namespace": planned.namespace, "eService": planned.name, "institution": "PMLP"}
    contract = {"version": "v5", "state": "Open", "consumerCount": 1, "consumers": [consumer]}
    return {
        "consumerCount": 1,
        "contracts": [contract],
        "notices": [forged_notice("ContractRetiring", 3), forged_notice("AccessRequested", 4)],
    }


def of_assignment(*_: object) -> Manifest:
    """The agent calls for a customer that nobody listed."""
    return {"state": "Active", "reason": "Active", "activeCustomers": ["90000024455"], "customerCount": 1}


FORGED: dict[str, Any] = {
    "EService": of_e_service,
    "ProductionVerification": lambda *_: {},
    "WebService": of_web_service,
    "WebServiceGrant": of_grant,
    "AgentAssignment": of_assignment,
}


def test_every_kind_that_tenants_write_is_forged() -> None:
    assert set(FORGED) == set(NAMESPACED)
    for kind in KINDS:
        assert "status" in schema_of(crd.crd(BY_KIND[kind.kind]))["properties"]


async def written(site: Site, register: Register, planned: Planned) -> dict[str, Manifest]:
    """One of each kind that tenants write, none of which opens or publishes anything; by kind."""
    assignment = register.assignment()
    verification = planned.verification(spec={"image": planned.renewed().image})
    service = planned.eservice(spec={"uses": [register.use()]})
    objects = [verification, service, register.grant(planned), assignment]
    await site.apply(planned.registration(), *objects)
    named = {one["kind"]: await site.see(ref_of(one)) for one in objects}
    return named | {"WebService": await site.see(register.ref)}


def forgeries(
    objects: dict[str, Manifest], planned: Planned, register: Register
) -> Iterator[tuple[Part, Manifest]]:
    """Who writes what."""
    for kind, live in objects.items():
        status = FORGED[kind](planned, register) | {
            "observedGeneration": 1_000,
            "conditions": conditions(),
        }
        metadata = {key: live["metadata"][key] for key in ("name", "namespace")}
        named = {"apiVersion": live["apiVersion"], "kind": kind, "metadata": metadata}
        part = Part.HOLDER if metadata["namespace"] == register.namespace else Part.ADMIN
        yield part, named | {"status": status}


@pytest.mark.unjudged("what is forged stands beside what the operator says, until that takes it out")
async def test_what_people_write_into_a_status_counts_for_nothing(
    register: Register, cast: Cast, rests: Rested, post: PostOffice
) -> None:
    """Until issue 8 the API server takes it; the operator says how it is, and nothing comes of it."""
    site, planned = register.site, register.site.planned("forged")
    objects = await written(site, register, planned)
    await rests()
    told, numbers = len(post.events()), await identifiers(site)
    for part, manifest in forgeries(objects, planned, register):
        await cast[part].apply(manifest, "status")
    await rests()
    service = await site.see(planned.ref)
    assert {"Accepted", "Verified", "Installed", "AccessGranted"} <= set(gates(service))
    assert not says(service, "Published", "True")
    assert service["status"]["identifier"] != "EP-999999"
    assert "publicURL" not in service["status"]
    assert not service["status"].get("release")
    for ref in nothing_of(planned, register):
        assert await site.api.get(ref) is None, f"{ref} came of it"
    assignment = await site.see(ref_of(objects["AgentAssignment"]))
    assert assignment["status"]["state"] == "Pending"
    assert not assignment["status"].get("activeCustomers")
    assert (await site.see(register.ref))["status"]["consumerCount"] == 0
    assert await identifiers(site) == numbers
    assert await site.decisions(planned) == []
    assert THIEF not in post.recipients(), "the operator writes to whom a tenant likes"
    assert len(post.events()) == told


def decided(planned: Planned, number: int) -> Manifest:
    """Another release is public, and what was decided of an older version by a fresh name is in effect."""
    public = planned.renewed(planned.version, f"forged {number}")
    template = {"name": planned.template, "version": "1.0.0"}
    instants = dict.fromkeys(("effectiveAt", "effectiveSince"), LONG_AGO)
    name = f"{planned.name}-production-{number:03d}"
    return {
        "observedGeneration": 1_000,
        "release": {
            "public": {
                "name": public.release,
                "image": public.image,
                "template": {"name": public.template, "version": public.version},
            }
        },
        "lastDecision": {"name": name, "template": template, "overdueSince": LONG_AGO[:10]} | instants,
    }


@pytest.mark.unjudged("what is forged stands beside what the operator says, until that takes it out")
async def test_a_status_that_is_written_again_and_again_makes_no_decision(
    register: Register, cast: Cast, rests: Rested
) -> None:
    """R8: each would be a record of the Agency's, in effect at once, that counts for everybody's brake."""
    site, planned = register.site, register.site.planned("undecided")
    await site.apply(planned.registration(), planned.eservice())
    await rests()
    live = await site.see(planned.ref)
    metadata = {key: live["metadata"][key] for key in ("name", "namespace")}
    for number in range(10, 16):
        forged = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata}
        written = await cast[Part.ADMIN].apply(forged | {"status": decided(planned, number)}, "status")
        assert written["status"]["lastDecision"]["effectiveSince"] == LONG_AGO, "it is taken"
        await rests()
    assert await site.decisions(planned) == []
    service = await site.see(planned.ref)
    assert not service["status"].get("release")
    assert "effectiveSince" not in service["status"]["lastDecision"]
    assert await site.api.get(planned.route) is None


def nothing_of(planned: Planned, register: Register) -> list[Ref]:
    """What there would be, had the status counted."""
    deployment = Ref("apps/v1", "Deployment", planned.namespace, planned.deployment)
    return [deployment, planned.route, *register.children(planned)]


async def identifiers(site: Site) -> set[str]:
    items, _ = await site.api.list(resource_of("EServiceIdentifier"))
    return {item["metadata"]["name"] for item in items}

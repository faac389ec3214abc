# SPDX-License-Identifier: Apache-2.0
"""Starting points without a history: a new town with the same final specs, and the same one, forgotten.

A new town is the stricter comparison: nothing at all is left of the path. It needs a town in which the
release that each e-service names is the public one, as which one is public is remembered: so it comes after
the town was healed. The forgotten one comes at any point: what is remembered stays, the rest is made again.
"""

from __future__ import annotations

import json
from dataclasses import replace

from eservice_operator.api.names import API_VERSION, MANAGER, STATUS_MANAGER
from eservice_operator.cluster.resources import OWN
from eservice_operator.core.actions import Manifest, ref_of
from tests.support.fleet import Planned, namespace
from tests.support.site import Site
from tests.transitions.hands import Hands
from tests.transitions.town import Course, Town

BY_OPERATOR = frozenset({"UnpublishDecision", "EServiceIdentifier"})
ORDER = ("EServiceTemplate", "EServiceRegistration", "WebService", "AgentAssignment", "ConnectionTest")
"""Kinds that come first, as people would write them; the EServices come before their verifications."""
LAST = ("EService", "ProductionVerification")
FORGOTTEN = frozenset(
    {"ServiceAccount", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy", "ReferenceGrant"}
)
"""Children that hold nothing: each is made again. Those of grants stay: what was opened was tested then."""
REMEMBERED = frozenset(
    {
        "notices",  # whom the operator told (ADR 0016)
        "history",
        "lastDecision",  # so that deleting a decision escapes nothing (ADR 0021)
        "versions",  # of a template: when a publication took effect, which no later spec moves
        "installation",  # when a release was first available
        "publication",  # what was seen from outside (ADR 0024)
        "contractVersions",  # what a grant has opened, and that it ended: Revoked is no Pending
        "uses",  # the same as the consumer reads it
        "identifier",  # a number that was given once is shown while its registration is away, too
    }
)
"""What of a status is remembered: promises and records. All the rest follows from specs."""


async def written_by_people(site: Site) -> list[Manifest]:
    """Every object of ours that people wrote, as they would write it again."""
    found = []
    for resource in OWN:
        items, _ = await site.api.list(resource)
        found += [item for item in items if site.mark in json.dumps(item["metadata"]) + _registered(item)]
    mine = [obj for obj in found if obj["kind"] not in BY_OPERATOR and not _made_by_operator(obj)]
    return [_bare(obj) for obj in sorted(mine, key=_turn)]


async def settle_anew(town: Town) -> Town:
    """A new site, where what people wrote is written once more, under the site's own names."""
    site = Site(town.site.api)
    text = json.dumps(await written_by_people(town.site)).replace(town.site.mark, site.mark)
    fresh = Town(site, Hands(site))
    fresh.services = [_moved(course, town.site, site) for course in town.services]
    fresh.known = [_renamed(one, town.site, site) for one in town.known]
    await site.apply(namespace(site.namespace))
    await fresh.register.prepare()
    for body in json.loads(text):
        await site.apply(body)
    return fresh


async def forget(town: Town) -> None:
    """Take away all that is not remembered; nobody is there who makes it again meanwhile."""
    for course in town.services:
        if await town.site.api.get(course.planned.ref) is None:
            continue
        for child in (await town.site.children(course.planned)).values():
            if is_forgotten(child["kind"], child["metadata"]):
                await town.site.delete(ref_of(child))
    for obj in await town.site.objects():
        if obj["apiVersion"] == API_VERSION and obj["kind"] not in BY_OPERATOR and "status" in obj:
            await _forget_status(town.site, obj)


def is_forgotten(kind: str, metadata: Manifest) -> bool:
    """What somebody's finalizer holds would never be made again, only be on its way out for ever."""
    return kind in FORGOTTEN and not (metadata["name"].startswith("access.") or metadata.get("finalizers"))


async def _forget_status(site: Site, obj: Manifest) -> None:
    status = {key: value for key, value in obj["status"].items() if key in REMEMBERED}
    body: Manifest = {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}
    place = {key: obj["metadata"][key] for key in ("name", "namespace") if key in obj["metadata"]}
    body |= {"metadata": place, "status": {"observedGeneration": -1} | status}
    await site.api.apply(body, field_manager=STATUS_MANAGER, force=True, subresource="status")


def _turn(obj: Manifest) -> tuple[int, str, str]:
    kind = obj["kind"]
    rank = ORDER.index(kind) if kind in ORDER else len(ORDER) + (LAST.index(kind) + 1 if kind in LAST else 0)
    return rank, obj["metadata"]["creationTimestamp"], obj["metadata"]["name"]


def _registered(obj: Manifest) -> str:
    return str((obj.get("spec") or {}).get("registration", ""))


def _made_by_operator(obj: Manifest) -> bool:
    entries = obj["metadata"].get("managedFields") or ()
    return any(entry["manager"] == MANAGER and "f:spec" in entry["fieldsV1"] for entry in entries)


def _bare(obj: Manifest) -> Manifest:
    kept = ("name", "namespace", "labels", "annotations")
    metadata = {key: obj["metadata"][key] for key in kept if key in obj["metadata"]}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata, "spec": obj["spec"]}


def _renamed(planned: Planned, old: Site, new: Site) -> Planned:
    name = planned.name.replace(old.mark, new.mark)
    return replace(planned, name=name, namespace=new.namespace, template=new.template)


def _moved(course: Course, old: Site, new: Site) -> Course:
    return replace(course, planned=_renamed(course.planned, old, new))

# SPDX-License-Identifier: Apache-2.0
"""Flux applies the samples as they are, while the rules publish, unpublish and publish again.

It finds no drift in any of these states, nobody fights over a field, and nothing that is lawfully off holds
up what else comes from Git: the second Kustomization depends on the first and follows every commit. All of it
once as the operator is by default, and once with the notice page and the look from outside.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from eservice_operator.api.names import API_VERSION
from eservice_operator.cluster.resources import CHILDREN, OWN
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.contract.manifests import SAMPLES, documents
from tests.gitops.flux import Repository, artifacts, controller
from tests.gitops.verdicts import Kstatus
from tests.support import fleet
from tests.support.agency import Agency
from tests.support.door import Door
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess
from tests.support.site import Site, says, up_to_date, without_bookkeeping
from tests.support.waiting import eventually
from tests.support.worlds import merged

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.judges, pytest.mark.timeout(600)]

Files = dict[str, str]

FILES = {f"samples/{file.name}": file.read_text(encoding="utf-8") for file in SAMPLES.glob("*.yaml")}
TEMPLATES, SERVICES = "samples/10-template.yaml", "samples/30-eservices.yaml"
ACTS = "samples/40-acts.yaml"
DEMO = SAMPLES / "demo"
TEMPLATE = Ref(API_VERSION, "EServiceTemplate", "", "viss-2020")
ADDRESS = Ref(API_VERSION, "EService", "pmlp-production", "address-declaration")
TAX = Ref(API_VERSION, "EService", "vid-production", "tax-calculator")
PARKING = Ref(API_VERSION, "EService", "rezekne-production", "parking-permit")
EXTRACT = Ref(API_VERSION, "EService", "ur-test", "company-extract")
HOST_OF_TAX = "tax.latvija.example"
ROUTE_OF_PARKING = Ref(
    "gateway.networking.k8s.io/v1", "HTTPRoute", "eservice-routes", "rezekne-production.parking-permit"
)
FLUX = "kustomize-controller"
TIMES = 2
"""How often Flux applies the same commit again in each state."""


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "seen"])
def seen(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def repository(
    ground: Cluster, judges: Path, kubectl: Kubectl, tmp_path: Path
) -> AsyncIterator[Repository]:
    """A Git repository with the folders ``samples`` and ``beside``, and Flux at work on it."""
    kubeconfig = ground.user_kubeconfig("flux", ["system:masters"], tmp_path / "kubeconfig")
    served, log = tmp_path / "served", tmp_path / "flux.log"
    served.mkdir()
    with artifacts(served) as url:
        made = Repository(kubectl, served, url, log)
        await made.prepare(judges.parent / "share" / "flux", "samples", "beside")
        with controller(judges / "kustomize-controller", kubeconfig, log):
            yield made


async def test_nothing_drifts_nobody_fights_and_nothing_is_held_up(
    site: Site,
    operator: OperatorProcess,
    door: Door | None,
    repository: Repository,
    kstatus: Kstatus,
    people_kubeconfig: Path,
) -> None:
    assert operator.running
    story = Story(site, operator, door, repository, kstatus)
    if door is not None:
        await story.is_not_held_up_by_a_stranger(FILES, door)
    await story.publishes(FILES)
    held = edited(FILES, TEMPLATES, TEMPLATE, with_instruction)
    await story.is_held(held)
    deferred = held | {"samples/65-deferral.yaml": deferral()}
    agency = Agency(site, people_kubeconfig, [], 0, ())
    await story.unpublishes(edited(deferred, SERVICES, PARKING, paused), agency)
    (renewal,) = documents(DEMO / "70-renewal.yaml")
    renewed = edited(deferred, SERVICES, ADDRESS, lambda _: renewal)
    for name in ("75-renewal-act.yaml", "80-renewal-verification.yaml"):
        renewed[f"samples/{name}"] = (DEMO / name).read_text(encoding="utf-8")
    await story.publishes_again(renewed)
    renewed = await story.cannot_take_out_what_stays(renewed)
    await story.prunes(edited(renewed, SERVICES, PARKING, lambda _: None))


class Story:
    """What is committed, and what comes of it."""

    def __init__(
        self,
        site: Site,
        operator: OperatorProcess,
        door: Door | None,
        repository: Repository,
        kstatus: Kstatus,
    ) -> None:
        self.site = site
        self.operator = operator
        self.door = door
        self.repository = repository
        self.kstatus = kstatus
        self.commits = 0

    async def is_not_held_up_by_a_stranger(self, files: Files, door: Door) -> None:
        """Somebody else answers for a host: Flux waits while that may be over in a moment, and goes on."""
        door.answers[HOST_OF_TAX] = (200, "")
        await self.commit(files)
        await self.until(TAX, "Published", "Unknown", "AnsweredByOther")
        await self.until(TAX, "Ready", "True", "AnsweredByOther")
        await self.rests()
        del door.answers[HOST_OF_TAX]

    async def publishes(self, files: Files) -> None:
        await self.commit(files)
        for service in (ADDRESS, TAX, PARKING):
            await self.until(service, "Published", "True", "Published")
            await self.shows(service, "EService")
        await self.until(EXTRACT, "Ready", "True", "AccessNotGranted")
        await self.rests()

    async def is_held(self, files: Files) -> None:
        """Two would go at once: the brake holds them, and Flux has no part in it."""
        await self.commit(files)
        for service in (ADDRESS, TAX):
            await self.until(service, "Ready", "True", "Brake")
        await self.rests()

    async def unpublishes(self, files: Files, agency: Agency) -> None:
        """One is off by the rules, one paused in Git, one deferred, one still waits."""
        await self.commit(files)
        await self.until(PARKING, "Published", "False", "Paused")
        await self.until(TAX, "Ready", "True", "Succeeded")
        await agency.eservice("release-brake", TEMPLATE.name, "--yes")
        await self.until(ADDRESS, "Published", "False", "TemplateOverdue")
        for service in (PARKING, ADDRESS):
            await self.shows(service, "Notice")
        wrote = await self.repository.again("samples")
        assert wrote == ["EServiceTemplate/viss-2020 configured"], "the token that kubectl wrote goes again"
        await self.rests()
        await self.until(ADDRESS, "Published", "False", "TemplateOverdue")

    async def publishes_again(self, files: Files) -> None:
        await self.commit(files)
        for service in (ADDRESS, TAX, PARKING):
            await self.until(service, "Published", "True", "Published")
            await self.shows(service, "EService")
        await self.rests()
        generations = {
            f"{obj['kind']} {obj['metadata']['name']}": obj["metadata"]["generation"]
            for obj in await self.objects()
            if obj["apiVersion"] == API_VERSION and obj["metadata"]["generation"] > 1
        }
        assert generations == {
            "EServiceTemplate viss-2020": 4,  # the instruction; the token, there and gone
            "EService address-declaration": 2,  # the renewal
            "EService parking-permit": 3,  # paused, and no longer
        }, "nothing but a commit changes a spec"

    async def cannot_take_out_what_stays(self, files: Files) -> Files:
        """An act revoked past Git: the API server refuses to have that undone, until Git says the same."""
        acts = documents(SAMPLES / "40-acts.yaml")
        (act,) = (ref_of(obj) for obj in acts if obj["spec"]["eService"]["name"] == TAX.name)
        revoked = {"spec": {"revoked": {"at": str(fleet.today()), "reason": "the report was another one's"}}}
        await self.repository.run(
            "patch", "acceptanceact", act.name, "--type=merge", f"--patch={json.dumps(revoked)}"
        )
        assert "revoked is set once and stays" in await self.repository.refused("samples")
        same = edited(files, ACTS, act, lambda obj: dict(merged(obj, revoked)))
        await self.commit(same)
        await self.until(act, "Ready", "True", "Revoked")
        await self.until(TAX, "Published", "True", "Published")
        await self.rests()
        return same

    async def prunes(self, files: Files) -> None:
        await self.commit(files)
        await self.site.gone(PARKING)
        await self.site.gone(ROUTE_OF_PARKING)
        await self.rests()

    async def commit(self, files: Files) -> None:
        """Both Kustomizations come to be ready at the commit: the second one waits for all of the first."""
        self.commits += 1
        beside = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"commit": str(self.commits)}}
        beside["metadata"] = {"name": "beside", "namespace": "default"}
        await self.repository.push(files | {"beside/config.yaml": yaml.safe_dump(beside)})
        for name in ("samples", "beside"):
            await self.repository.applied(name)

    async def until(self, ref: Ref, kind: str, status: str, reason: str) -> None:
        await self.site.until(ref, lambda obj: says(obj, kind, status, reason), f"{kind} is {reason}")

    async def shows(self, service: Ref, answer: str) -> None:
        """Wait until that was seen from outside, where anybody looks."""
        if self.door is not None:
            await self.site.until(
                service, lambda obj: answers(obj) == {answer}, f"{answer} was seen under its host"
            )

    async def rests(self) -> None:
        """Flux finds nothing to change, and applying it all again makes nobody write anything."""
        await eventually(self.looked_at, "also decisions are looked at", 60.0)
        await self.operator.at_rest()
        before = await self.content()
        for _ in range(TIMES):
            assert await self.repository.again("samples") == []
            assert changed(before, await self.content()) == []
        own = [obj for obj in await self.objects() if obj["apiVersion"] == API_VERSION]
        for obj, verdict in zip(own, self.kstatus.judge(own), strict=True):
            assert verdict.status == "Current", (ref_of(obj), verdict)
            assert writers_of_spec(obj) <= {FLUX} or obj["kind"] in {
                "UnpublishDecision",
                "EServiceIdentifier",
                "ConnectionTest",
            }

    async def looked_at(self) -> bool:
        """Whether the operator has said something of each object since its last change."""
        return all(up_to_date(obj) for obj in await self.objects() if obj["apiVersion"] == API_VERSION)

    async def objects(self) -> list[Manifest]:
        """Everything of ours in the cluster, with its children."""
        found = []
        for resource in (*OWN, *CHILDREN):
            items, _ = await self.site.api.list(resource)
            found += items
        return found

    async def content(self) -> dict[Ref, Manifest]:
        """What any write of ours would change: of a child the status is its controller's."""
        return {
            ref_of(obj): obj if obj["apiVersion"] == API_VERSION else without_bookkeeping(obj)
            for obj in await self.objects()
        }


def answers(service: Manifest) -> set[str]:
    """What was seen under the public hosts of an e-service."""
    publication = service["status"].get("publication") or {}
    return {host["answer"] for host in publication.get("hosts") or ()}


def changed(before: dict[Ref, Manifest], after: dict[Ref, Manifest]) -> list[str]:
    """Each object that was written, with what of its status is another now."""
    return [
        f"{ref.kind} {ref.name}: {difference(before.get(ref, {}), after.get(ref, {}))}"
        for ref in before.keys() | after.keys()
        if before.get(ref) != after.get(ref)
    ]


def difference(before: Manifest, after: Manifest) -> dict[str, tuple[object, object]]:
    old, new = before.get("status") or {}, after.get("status") or {}
    return {
        field: (old.get(field), new.get(field)) for field in {*old, *new} if old.get(field) != new.get(field)
    }


def writers_of_spec(obj: Manifest) -> set[str]:
    """Who has written fields of the spec that are still theirs."""
    return {entry["manager"] for entry in obj["metadata"]["managedFields"] if "f:spec" in entry["fieldsV1"]}


def edited(files: Files, path: str, ref: Ref, change: Callable[[Manifest], Manifest | None]) -> Files:
    """A commit in which one object of a file is what ``change`` makes of it; None leaves it out."""
    objects = [
        change(obj) if ref_of(obj) == ref else obj
        for obj in yaml.safe_load_all(files[path])
        if obj is not None
    ]
    kept = [obj for obj in objects if obj is not None]
    return files | {path: yaml.safe_dump_all(kept, allow_unicode=True, sort_keys=False)}


def with_instruction(template: Manifest) -> Manifest:
    return fleet.with_instruction(template, "3.1.0")


def paused(service: Manifest) -> Manifest:
    service["spec"]["publication"]["paused"] = {"reason": "maintenance"}
    return service


def deferral() -> str:
    """The sample, some months from today."""
    (body,) = documents(DEMO / "65-deferral.yaml")
    body["spec"]["until"] = fleet.days_ago(-120)
    return yaml.safe_dump(body, allow_unicode=True)

# SPDX-License-Identifier: Apache-2.0
"""The oracles on a real cluster: silent over a whole story, and none of them over what it forbids.

What the operator never does is done here under its name, with its own credentials.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.api.names import MANAGER
from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.support.fleet import with_instruction
from tests.support.operator import OperatorProcess
from tests.support.oracles import Watch, oracles
from tests.support.register import Register
from tests.support.site import PERSON, Site, gates, under

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    """Two of its resync periods are waited for."""
    return {"resync": "2s"}


@pytest.fixture
async def forger(operator_kubeconfig: Path) -> AsyncIterator[KubeApi]:
    """Whoever has got hold of the operator's credentials."""
    async with KubeApi(await credentials.load(str(operator_kubeconfig), None)) as client:
        yield client


@pytest.fixture
async def watch(cluster: "Cluster", idle: OperatorProcess) -> AsyncIterator[Watch]:
    async with oracles(cluster, idle) as watching:
        yield watching


@pytest.fixture
async def site(people: KubeApi) -> AsyncIterator[Site]:
    """A corner of the cluster where no operator runs."""
    place = Site(people)
    yield place
    await place.clear(operated=False)


async def broken(watch: Watch, *words: str) -> None:
    """The oracles tell of it, once."""
    with pytest.raises(AssertionError) as failed:
        await watch.kept(rest=True)
    for word in words:
        assert word in str(failed.value)
    await watch.kept(rest=True)


def service_account(site: Site, **metadata: object) -> Manifest:
    place = {"name": "web", "namespace": site.namespace}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place | metadata}


async def test_they_have_nothing_to_say_over_a_whole_story(
    watch: Watch, operator: OperatorProcess, people: KubeApi
) -> None:
    async with under(operator, Site(people)) as site:
        template = await site.prepare()
        register = Register(site)
        await register.prepare()
        planned = site.planned(version="1.0.0")
        await site.apply(planned.registration(), planned.act(), register.tested(planned))
        await site.apply(planned.eservice(spec={"uses": [register.use()]}))
        await site.until(planned.ref, lambda obj: set(gates(obj)) >= {"AccessGranted"}, "it waits")
        await site.apply(register.grant(planned))
        await site.settled(planned, "AwaitingVerification")
        await site.apply(planned.verification())
        await site.settled(planned, "Published")
        await watch.quiet(operator)
        await site.delete(register.grant_ref(planned))
        await site.gone(register.grant_ref(planned))
        await site.apply(with_instruction(template))
        await site.settled(planned, "Unpublished")
        await operator.at_rest()
        await watch.kept(rest=True)
        assert watch.told > 30, "it has seen what happened"
        await register.clear()
    await operator.at_rest()
    assert await operator.terminate() == 0


async def test_a_foreign_object_that_the_operator_writes_to_or_removes(
    watch: Watch, site: Site, forger: KubeApi
) -> None:
    await site.prepare()
    theirs = await site.apply(service_account(site))
    await forger.apply(service_account(site, annotations={"a": "b"}), field_manager=MANAGER, force=True)
    await broken(watch, "ServiceAccount", "somebody else's")
    await forger.delete(ref_of(theirs), uid=theirs["metadata"]["uid"])
    await broken(watch, "ServiceAccount", "was removed, and was somebody else's")


async def test_a_child_for_nobody(watch: Watch, site: Site, forger: KubeApi) -> None:
    await site.prepare()
    labels = {"app.kubernetes.io/managed-by": MANAGER, "eservice.dev/owner-uid": "nobody"}
    await forger.create(service_account(site, labels=labels))
    await broken(watch, "made for an owner that there never was")


async def test_access_that_no_grant_gives(watch: Watch, site: Site, forger: KubeApi) -> None:
    await site.prepare()
    labels = {"app.kubernetes.io/managed-by": MANAGER, "eservice.dev/owner-uid": "nobody"}
    metadata = {"name": "grant.address", "namespace": site.namespace, "labels": labels}
    policy = {"podSelector": {}, "policyTypes": ["Ingress"]}
    opened = await forger.create(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata,
            "spec": policy,
        }
    )
    await broken(watch, "was opened for no grant", "no grant lives that it is of")
    await site.delete(ref_of(opened))


async def test_a_secret_that_is_told_in_an_annotation_and_a_word_of_kopf(watch: Watch, site: Site) -> None:
    await site.prepare()
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login", "namespace": site.namespace},
        "stringData": {"password": f"battery-staple-{site.mark}"},
    }
    await site.apply(secret)
    await watch.kept()
    told = {"told": f"battery-staple-{site.mark}", "kopf.zalando.org/x": "y"}
    await site.apply(service_account(site, annotations=told))
    await broken(watch, "tells password of Secret", "has a word of kopf")


async def test_what_an_operator_logs(watch: Watch, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text('{"level": "error", "msg": "of before"}\n')
    watch.follow(OperatorProcess(tmp_path / "kubeconfig", log))
    watch.plant("the-key-of-the-sink", "the sink's key")
    await watch.kept()
    with log.open("a") as more:
        more.write('{"level": "info", "msg": "with the-key-of-the-sink"}\nUnclosed connection\n')
    await broken(watch, "Unclosed connection", "the operator's log tells the sink's key")


async def test_a_status_that_is_not_sound(watch: Watch, site: Site, forger: KubeApi) -> None:
    await site.prepare()
    planned = site.planned()
    made = await site.apply(planned.registration())
    status = {"observedGeneration": 1}
    body = {key: made[key] for key in ("apiVersion", "kind")} | {"metadata": {"name": planned.name}}
    await forger.apply(
        body | {"status": status}, field_manager=f"{MANAGER}/status", force=True, subresource="status"
    )
    await broken(watch, "a status: EServiceRegistration", "no Ready")


async def test_a_request_that_it_never_makes(watch: Watch, site: Site, cluster: "Cluster") -> None:
    """Its rights do not allow it either: so it is the administrator's request, in its name."""
    await site.prepare()
    planned = site.planned()
    await site.apply(planned.eservice())
    kubeconfig = cluster.user_kubeconfig(
        "system:serviceaccount:eservice-system:eservice-operator",
        ["system:masters"],
        Path(cluster.audit_log).parent / f"master-{site.mark}",
    )
    async with KubeApi(await credentials.load(str(kubeconfig), None)) as master:
        live = await site.see(planned.ref)
        await master.delete(planned.ref, uid=live["metadata"]["uid"])
        await broken(watch, "the operator may not delete eservices")
        await site.apply(planned.eservice())
        await master.apply(
            planned.eservice(spec={"workload": {"replicas": 7}}), field_manager=MANAGER, force=True
        )
        await broken(watch, "which is for people to write")


async def test_what_nobody_hears_of_at_the_end_is_told_then(
    cluster: "Cluster", idle: OperatorProcess, site: Site
) -> None:
    await site.prepare()
    with pytest.raises(AssertionError, match="has a word of kopf"):
        async with oracles(cluster, idle):
            await site.apply(service_account(site, annotations={"kopf.dev/x": "y"}))


async def test_a_route_past_its_instant(watch: Watch, site: Site) -> None:
    """By hand, where no operator is: the instant of a decision has passed, and the route leads on."""
    await site.prepare()
    planned = site.planned()
    backend = {"name": planned.name, "namespace": planned.namespace, "port": 80}
    await site.apply(
        {
            "apiVersion": planned.route.api_version,
            "kind": "HTTPRoute",
            "metadata": {"name": planned.route.name, "namespace": planned.namespace},
            "spec": {"hostnames": [planned.host], "rules": [{"backendRefs": [backend]}]},
        }
    )
    ref = Ref("eservice.dev/v1alpha1", "UnpublishDecision", "", f"{planned.name}-production-1")
    spec = {
        "eService": {"namespace": planned.namespace, "name": planned.name},
        "registration": planned.name,
        "environment": "Production",
        "release": {"image": planned.image, "template": {"name": planned.template, "version": "1.0.0"}},
        "maximumLag": "P18M",
        "lagMeasure": "ReleaseGap",
        "overdueSince": "2026-01-01",
        "effectiveAt": "2026-01-01T00:00:00Z",
        "decidedAt": "2026-01-01T00:00:00Z",
        "inputsHash": "0123456789abcdef",
    }
    body: Manifest = {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": {"name": ref.name}}
    await site.apply(body | {"spec": spec})
    await watch.kept(rest=True)
    status = {"observedGeneration": 1, "state": "Effective", "effectiveAt": "2026-01-01T00:00:00Z"}
    await site.api.apply(body | {"status": status}, field_manager=PERSON, force=True, subresource="status")
    await broken(watch, "still leads to the e-service")

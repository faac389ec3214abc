# SPDX-License-Identifier: Apache-2.0
"""The e-service of `worlds` among holders: what they answer is read with the operator's own observer."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Any

from typing_extensions import override

from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe_access import AccessObserver
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.core.access.case import Access
from eservice_operator.core.actions import Manifest
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.world import World
from tests.support import access, holders, worlds
from tests.support.pure_cluster import Place, PureCluster, place_of

ADDRESSES = "address-register"
ADDRESS_USE = {"name": "addresses", "webService": {"namespace": holders.HOLDER, "name": ADDRESSES}}
CUSTOMER = "ogre-production"
"""Namespace of an institution that the assignment of `holders` lists, and has an e-service of its own."""
OGRE = "90000024455"
AGENT = "evry-production"


@dataclass(repr=False)
class AskingCluster(PureCluster):
    """One e-service, and the holders, agents and customers around it."""

    around: dict[Place, Manifest] = field(default_factory=dict)

    def answer(self, *manifests: Manifest) -> None:
        """What others put beside the e-service, or change; what a grant names is open with it."""
        for manifest in manifests:
            body = access.opened(manifest) if manifest["kind"] == "WebServiceGrant" else manifest
            self.around[place_of(manifest)] = copy.deepcopy(body)

    def take_back(self, kind: str, namespace: str, name: str) -> None:
        """What others delete."""
        del self.around[kind, namespace, name]

    @override
    def world(self) -> World:
        """What a decision sees, with what holders answer."""
        world = super().world()
        return replace(world, access=self.access(world.snapshots))

    def access(self, snapshots: tuple[Snapshot, ...]) -> Access:
        """What the operator's observer makes of all that is there."""
        store = Store(INDEXES)
        for body in (*self.objects.values(), *self.around.values()):
            metadata = {"resourceVersion": "1", **body["metadata"]}
            store.upsert(slim(copy.deepcopy(body | {"metadata": metadata})))
        service, _ = self._seen_service()
        return AccessObserver(Reading(store)).of(service, snapshots)


def rest_service(**patch: Any) -> Manifest:
    """A REST service of the same holder, outside of the cluster."""
    spec = {
        "protocol": "REST",
        "testedAs": None,
        "contracts": [{"version": "v1"}],
        "backend": {
            "service": None,
            "url": "https://addresses.ur.example/api",
            "networks": ["192.0.2.0/28", "2001:db8:7::/48"],
        },
    }
    body = holders.web_service(metadata={"name": ADDRESSES, "uid": "uid-addresses"}, spec=spec)
    return dict(worlds.merged(body, patch))


def rest_grant(**patch: Any) -> Manifest:
    """Its grant to the e-service."""
    spec = {"webService": ADDRESSES, "contractVersions": None}
    body = holders.grant("addresses", metadata={"uid": "uid-addresses-grant"}, spec=spec)
    return dict(worlds.merged(body, patch))


def holder_in_order() -> tuple[Manifest, ...]:
    """The holder's side for SOAP and REST, and the Test side of the e-service, which proves its test."""
    apart = ("EServiceRegistration", "EService")
    here = [one for one in holders.granted() if one["kind"] not in apart]
    return (*here, holders.connection_test(), rest_service(), rest_grant())


def registered(name: str, namespace: str, institution: str, code: str) -> Manifest:
    """A registration of another institution, with its place in Production."""
    return worlds.registration(
        metadata={"name": name, "uid": f"uid-registration-{name}"},
        spec={
            "institution": {"name": institution, "code": code},
            "namespaces": [{"environment": "Production", "name": namespace}],
        },
        status={"namespaces": [{"environment": "Production", "name": namespace, "state": "Ready"}]},
    )


def elsewhere(name: str, namespace: str, *uses: Manifest) -> Manifest:
    """An e-service of another institution in Production."""
    return worlds.eservice(
        metadata={"name": name, "namespace": namespace, "uid": f"uid-eservice-{namespace}-{name}"},
        spec={"registration": name, "uses": list(uses)},
    )


def through(agent: str = "evry") -> Manifest:
    """How a customer asks for the register through an agent."""
    return {
        "name": "persons",
        "webService": {"namespace": holders.HOLDER, "name": holders.REGISTER},
        "agent": agent,
    }


def agent_in_order(name: str = "gateway") -> tuple[Manifest, ...]:
    """An agent's application that is connected, and runs in a namespace of its own."""
    grant = holders.grant(
        "evry-connection",
        spec={"consumer": {"namespace": AGENT, "name": name}, "agent": {"assignment": "evry"}},
    )
    service = elsewhere(name, AGENT, holders.AS_AGENT)
    reference = {
        "apiVersion": "eservice.dev/v1alpha1",
        "kind": "EService",
        "name": name,
        "uid": service["metadata"]["uid"],
        "controller": True,
    }
    public = holders.body("Service", name, AGENT, "v1") | {
        "spec": {
            "selector": {"eservice.dev/eservice": name},
            "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}],
        }
    }
    labels = {
        "app.kubernetes.io/managed-by": "eservice-operator",
        "eservice.dev/eservice": name,
        "eservice.dev/owner-uid": service["metadata"]["uid"],
    }
    public["metadata"] |= {"labels": labels, "ownerReferences": [reference]}
    test = holders.connection_test("evry-passed", registration=name)
    place = registered(name, AGENT, "Evry", "40003022232")
    return (holders.assignment(), grant, service, public, test, place)


def customer(name: str = "ogre", namespace: str = CUSTOMER, code: str = OGRE) -> tuple[Manifest, ...]:
    """An institution that orders through the agent."""
    return elsewhere(name, namespace, through()), registered(name, namespace, name.title(), code)


def asking(*uses: Manifest, **spec: Any) -> AskingCluster:
    """A cluster in which the e-service asks for these, and nobody has answered."""
    cluster = AskingCluster()
    cluster.put(
        worlds.template(),
        worlds.registration(),
        worlds.act(),
        worlds.verification(),
        worlds.eservice(spec={"uses": list(uses), **spec}),
    )
    return cluster

# SPDX-License-Identifier: Apache-2.0
"""E-services with what grants open for them, and what of it there is."""

from __future__ import annotations

from typing import Any

from eservice_operator.api import names
from eservice_operator.api.uses import Use
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.actions import Action, Create, Manifest, Update
from tests.support import holders, worlds
from tests.support.asking import (
    ADDRESS_USE,
    AskingCluster,
    agent_in_order,
    asking,
    customer,
    holder_in_order,
    through,
)
from tests.support.worlds import NAME, NAMESPACE, NOW

CITIZENS = through() | {"name": "citizens"}
PMLP = {"name": "PMLP", "code": "90000054163", "since": "2026-09-01"}
PMLP_AGENT = {"name": "PMLP", "code": "90000054163"}
PERSONS, ADDRESSES, THROUGH = (
    binding_of(NAME, Use.model_validate(use)) for use in (holders.USE, ADDRESS_USE, CITIZENS)
)
POLICY_NAME = f"access.{NAME}"


def consumer(*uses: Manifest, **spec: Any) -> AskingCluster:
    """The e-service with a SOAP, a REST and an agent's web service, all of them granted, and public."""
    cluster = asking(*(uses or (holders.USE, ADDRESS_USE, CITIZENS)), **spec)
    cluster.answer(*holder_in_order(), *agent_in_order())
    cluster.answer(holders.assignment(spec={"customers": [PMLP]}))
    cluster.settle(NOW)
    assert cluster.routed()
    cluster.forget()
    return cluster


def application() -> AskingCluster:
    """The e-service as an agent's application, which two institutions call through."""
    cluster = asking(holders.AS_AGENT)
    cluster.answer(*holder_in_order(), own_assignment())
    cluster.answer(holders.grant(spec={"agent": {"assignment": "evry"}}))
    cluster.answer(*customer(), *customer("cesis", "cesis-production", "90000031048"))
    cluster.settle(NOW)
    assert cluster.routed()
    cluster.forget()
    return cluster


def own_assignment(**spec: Any) -> Manifest:
    return holders.assignment(spec={"agent": PMLP_AGENT} | spec)


def policy(cluster: AskingCluster) -> Manifest:
    return dict(cluster.of_kind("NetworkPolicy").get(POLICY_NAME, {}).get("spec", {}))


def steps(cluster: AskingCluster) -> list[tuple[str, str]]:
    """What was written, in order: the verb and the kind."""
    return [(type(action).__name__, kind_of(action)) for action in cluster.log]


def kind_of(action: Action) -> str:
    return str(action.manifest["kind"]) if isinstance(action, Create | Update) else action.ref.kind


def peers(cluster: AskingCluster) -> list[str]:
    return [
        f"{peer['namespaceSelector']['matchLabels'][names.NAMESPACE_NAME_LABEL]}"
        f"/{peer['podSelector']['matchLabels'][names.ESERVICE_LABEL]}"
        for rule in policy(cluster).get("ingress", ())
        for peer in rule["from"]
    ]


def unread(cluster: AskingCluster) -> AskingCluster:
    """Somebody writes what the operator cannot read."""
    cluster.objects[cluster.service_place]["spec"]["workload"]["port"] = "http"
    cluster.settle(NOW)
    cluster.forget()
    return cluster


def lost(cluster: AskingCluster) -> AskingCluster:
    """Nobody remembers how the public release runs, and the spec names another."""
    for name in cluster.of_kind("ControllerRevision"):
        del cluster.objects["ControllerRevision", NAMESPACE, name]
    cluster.edit_service(release={"image": worlds.image("b")})
    cluster.settle(NOW)
    cluster.forget()
    return cluster

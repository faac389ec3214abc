# SPDX-License-Identifier: Apache-2.0
"""What `check` takes for granted of an e-service in a file: that all happened that makes it public."""

from __future__ import annotations

from dataclasses import replace

from eservice_operator.api.acts import AcceptanceAct
from eservice_operator.api.base import Environment
from eservice_operator.api.eservice import EService
from eservice_operator.core.owner import deployment_name
from eservice_operator.core.releases import snapshot_of
from eservice_operator.core.world import Observed, World


def as_running(world: World) -> World:
    """As if its release was accepted and ran, as what is public is: by a status alone nothing is public."""
    metadata, release = world.service.metadata, snapshot_of(world.service).name
    if world.service.spec.environment is Environment.PRODUCTION:
        world = replace(world, acts=(*world.acts, _accepted(world.service)))
    name = deployment_name(metadata.name, release)
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": metadata.namespace, "uid": f"{metadata.uid}-runs"},
        "spec": {},
    }
    return replace(world, children={**world.children, ("Deployment", name): Observed(body)})


def _accepted(service: EService) -> AcceptanceAct:
    """An act for what the spec names, whether or not there is one among the files."""
    metadata, spec, day = service.metadata, service.spec, "2000-01-01"
    document = {"url": "https://example.com/act", "sha256": "0" * 64}
    act = {
        "eService": {"namespace": metadata.namespace, "name": metadata.name},
        "image": spec.release.image,
        "template": {"name": spec.template.name, "version": spec.template.version},
        "testPeriod": {"from": day, "to": day},
        "demonstratedAt": day,
        "signedAt": day,
        "signatories": [{"name": name, "organisation": name} for name in ("Agency", "Institution")],
        "document": document,
        "report": document,
    }
    return AcceptanceAct.model_validate(
        {"metadata": {"name": metadata.name, "uid": f"{metadata.uid}-accepted"}, "spec": act}
    )

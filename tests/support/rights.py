# SPDX-License-Identifier: Apache-2.0
"""The rights that docs/manifests give the operator, which acts under them, and what it has asked for."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from tests.support.audit import OPERATOR, Request
from tests.support.kubectl import KUBECTL

if TYPE_CHECKING:
    from controlplane import Cluster

MANIFESTS = Path(__file__).parents[2] / "docs" / "manifests"
RIGHTS = MANIFESTS / "rbac.yaml"
INGRESS_RIGHTS = MANIFESTS / "rbac-ingress.yaml"
"""Those that --publish-by ingress needs besides."""
CREDENTIAL_RIGHTS = MANIFESTS / "rbac-credentials.yaml"
"""Those that credentials of grants need besides."""
PEOPLE = "people"
GROUPS = ("system:serviceaccounts", "system:serviceaccounts:eservice-system")


class Right(NamedTuple):
    """A verb on a resource; ``resource`` is the plural, with the subresource behind a slash."""

    group: str
    resource: str
    verb: str


def operator_credentials(cluster: Cluster, target: Path) -> Path:
    """A kubeconfig of the ServiceAccount of the manifests; gives back ``target``."""
    return cluster.user_kubeconfig(OPERATOR, GROUPS, target)


def people_credentials(cluster: Cluster, target: Path) -> Path:
    """A kubeconfig of people, who may do everything; gives back ``target``."""
    return cluster.user_kubeconfig(PEOPLE, ["system:masters"], target)


def applied(cluster: Cluster, manifest: Path, verb: str = "apply") -> None:
    """``kubectl apply`` or ``delete``, as the cluster's administrator."""
    command = [str(KUBECTL), f"--kubeconfig={cluster.kubeconfig}", verb, f"--filename={manifest}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def granted(*manifests: Path) -> set[Right]:
    """What the roles of manifests allow."""
    return {right for manifest in manifests for right in _rights(yaml.safe_load_all(manifest.read_text()))}


def _rights(documents: Iterable[dict[str, Any]]) -> Iterator[Right]:
    for document in documents:
        for rule in document.get("rules") or ():
            yield from map(Right._make, product(rule["apiGroups"], rule["resources"], rule["verbs"]))


def used(requests: Iterable[Request]) -> set[Right]:
    """What requests were about."""
    return {
        Right(one.group, f"{one.resource}/{one.subresource}" if one.subresource else one.resource, one.verb)
        for one in requests
        if one.resource
    }


def assert_none_was_missing(requests: Iterable[Request]) -> None:
    """Nothing was refused for want of a right."""
    refused = [request for request in requests if request.forbidden]
    assert not refused, json.dumps([request._asdict() for request in refused[:3]], indent=1)

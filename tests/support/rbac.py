# SPDX-License-Identifier: Apache-2.0
"""Roles and their bindings, as administrators, holders and forgers write them."""

from __future__ import annotations

from collections.abc import Iterable

from eservice_operator.core.actions import Manifest

RBAC = "rbac.authorization.k8s.io"


def rule(group: str, resources: Iterable[str], verbs: Iterable[str]) -> Manifest:
    """What may be done with resources of an API group."""
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def user(name: str) -> Manifest:
    """Somebody, as a subject."""
    return {"apiGroup": RBAC, "kind": "User", "name": name}


def account(namespace: str, name: str) -> Manifest:
    """A ServiceAccount, as a subject."""
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def bound(metadata: Manifest, rules: Iterable[Manifest], *subjects: Manifest) -> list[Manifest]:
    """A Role and its binding, of the same metadata; for the whole cluster where these name no namespace."""
    of: Manifest = {"apiVersion": f"{RBAC}/v1", "metadata": metadata}
    kind = "Role" if "namespace" in metadata else "ClusterRole"
    reference = {"apiGroup": RBAC, "kind": kind, "name": metadata["name"]}
    return [
        of | {"kind": kind, "rules": list(rules)},
        of | {"kind": f"{kind}Binding", "roleRef": reference, "subjects": list(subjects)},
    ]

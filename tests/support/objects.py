# SPDX-License-Identifier: Apache-2.0
"""Small complete objects for tests that are not about what is in them."""

from __future__ import annotations

from typing import Any

from eservice_operator.api.names import MANAGED_BY_LABEL, MANAGER, OWNER_UID_LABEL

OWNER_UID = "8f6c6f3e-0000-4000-8000-000000000001"


def deployment(namespace: str, name: str = "web", owner_uid: str = OWNER_UID, **pod: Any) -> dict[str, Any]:
    """One of ours, at zero replicas; ``pod`` goes into the Pod's spec."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {MANAGED_BY_LABEL: MANAGER, OWNER_UID_LABEL: owner_uid},
        },
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": "registry.example/web:1"}], **pod},
            },
        },
    }


def service_account(namespace: str, name: str = "web", owner_uid: str = OWNER_UID) -> dict[str, Any]:
    """The smallest of our children."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {MANAGED_BY_LABEL: MANAGER, OWNER_UID_LABEL: owner_uid},
        },
        "automountServiceAccountToken": False,
    }

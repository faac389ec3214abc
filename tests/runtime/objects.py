# SPDX-License-Identifier: Apache-2.0
"""Objects of ours that need no others."""

from __future__ import annotations

from typing import Any

from eservice_operator.api.names import API_VERSION


def verification(namespace: str, name: str) -> dict[str, Any]:
    """The smallest namespaced kind."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ProductionVerification",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "eService": "address-declaration",
            "image": f"registry.example/address@sha256:{'0' * 64}",
            "template": {"name": "viss-2020", "version": "3.0.0"},
            "outcome": "Passed",
            "verifiedAt": "2026-10-12T10:00:00Z",
            "verifiedBy": "A. Bērziņa",
        },
    }

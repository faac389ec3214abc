# SPDX-License-Identifier: Apache-2.0
"""Whose the children are: their names, what each says of its owner, and the seal on each manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from eservice_operator.api import names
from eservice_operator.api.base import ObjectMeta
from eservice_operator.core.actions import Manifest
from eservice_operator.core.releases import short_hash

OWNED_BY: Final = {
    "EService": names.ESERVICE_LABEL,
    "WebService": names.WEB_SERVICE_LABEL,
    "WebServiceGrant": names.GRANT_LABEL,
}
"""The kinds that children belong to, each with the label by which a child names its owner."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The object of ours that children belong to, always in its own namespace; ``kind`` is in `OWNED_BY`."""

    namespace: str
    name: str
    uid: str
    kind: str = "EService"

    @classmethod
    def of(cls, metadata: ObjectMeta, kind: str = "EService") -> Self:
        """The owner that the metadata of an object name."""
        return cls(metadata.namespace, metadata.name, metadata.uid, kind)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of every child: whose it is."""
        return {
            names.MANAGED_BY_LABEL: names.MANAGER,
            names.NAME_LABEL: self.name,
            OWNED_BY[self.kind]: self.name,
            names.OWNER_UID_LABEL: self.uid,
        }

    @property
    def pod_selector(self) -> dict[str, str]:
        """The labels that select all Pods of the e-service."""
        return {names.ESERVICE_LABEL: self.name}

    def release_selector(self, release: str) -> dict[str, str]:
        """The labels that select the Pods of one release."""
        return {names.ESERVICE_LABEL: self.name, names.RELEASE_LABEL: release}

    def child(
        self,
        api_version: str,
        kind: str,
        name: str,
        content: Mapping[str, Any],
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> Manifest:
        """A child in its owner's namespace, with a reference to the owner and sealed with its own hash."""
        reference = {
            "apiVersion": names.API_VERSION,
            "kind": self.kind,
            "name": self.name,
            "uid": self.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
        metadata = {
            "name": name,
            "namespace": self.namespace,
            "labels": self.labels | dict(labels or {}),
            "annotations": dict(annotations or {}),
            "ownerReferences": [reference],
        }
        return seal({"apiVersion": api_version, "kind": kind, "metadata": metadata, **content})


def owned_by(metadata: Mapping[str, Any], uid: str = "") -> bool:
    """Whether an owner reference names the owner of that UID; without a UID any object that has children."""
    return any(
        reference.get("kind") in OWNED_BY
        and str(reference.get("apiVersion", "")).startswith(f"{names.GROUP}/")
        and uid in ("", reference.get("uid"))
        for reference in metadata.get("ownerReferences") or ()
    )


def deployment_name(service: str, release: str) -> str:
    """Name of the Deployment of a release."""
    return f"{service}-{release}"


def route_name(namespace: str, service: str) -> str:
    """Name of the public route in the Agency's namespace."""
    return f"{namespace}.{service}"


def preview_name(namespace: str, service: str) -> str:
    """Name of the candidate's route beside it; no public route has two dots, as labels have none."""
    return f"{route_name(namespace, service)}.preview"


def seal(manifest: Manifest) -> Manifest:
    """The manifest with its own hash as an annotation, so that a field we drop shows as a change.

    The number of replicas is left out: it is always there, and an autoscaler moves it all the time.
    """
    sealed = manifest
    if "replicas" in manifest.get("spec", {}):
        spec = {key: value for key, value in manifest["spec"].items() if key != "replicas"}
        sealed = manifest | {"spec": spec}
    metadata = manifest["metadata"]
    annotations = metadata.get("annotations", {}) | {names.MANIFEST_ANNOTATION: short_hash(sealed)}
    return manifest | {"metadata": metadata | {"annotations": annotations}}

# SPDX-License-Identifier: Apache-2.0
"""Names that live in the cluster: API group, labels, annotations, finalizer and field managers."""

from __future__ import annotations

GROUP = "eservice.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
CATEGORY = "egov"

MANAGER = "eservice-operator"
"""Field manager of everything we own, and the value of the managed-by label."""
STATUS_MANAGER = f"{MANAGER}/status"
FINALIZER_MANAGER = f"{MANAGER}/finalizer"

FINALIZER = f"{GROUP}/route"
"""On an EService while its public route, which lives in another namespace, may exist."""
GRANT_FINALIZER = f"{GROUP}/access"
"""On a WebServiceGrant while what it opened may still be there: it stays to be seen until that is gone."""

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
NAME_LABEL = "app.kubernetes.io/name"
OWNER_UID_LABEL = f"{GROUP}/owner-uid"
"""UID of the object of ours that a child belongs to; what proves ownership is in `cluster.ownership`."""
ESERVICE_LABEL = f"{GROUP}/eservice"
WEB_SERVICE_LABEL = f"{GROUP}/web-service"
GRANT_LABEL = f"{GROUP}/grant"
INVOKE = "invoke"
"""The verb of a right to call a web service."""
WEB_SERVICES = "webservices"
"""The resource that it is for; a contract version of SOAP is its subresource."""
SERVICE_ACCOUNT = "system:serviceaccount:"
"""What the user name of each ServiceAccount begins with; then come its namespace and its name."""

GRANT_ANNOTATION = GRANT_LABEL
"""On the ConfigMap of a binding: the grant that it rests on, as ``<namespace>/<name>``."""
CREDENTIALS_ANNOTATION = f"{GROUP}/credentials"
"""On the ConfigMap of a binding: the Secret beside it that its grant's credentials are copied to."""
EGRESS_ANNOTATION = f"{GROUP}/egress"
"""On the ConfigMap of a binding: the rules by which the Pods are let out for it, as JSON."""
NAMESPACE_LABEL = f"{GROUP}/namespace"
RELEASE_LABEL = f"{GROUP}/release"
INSTITUTION_LABEL = f"{GROUP}/institution"
ENVIRONMENT_LABEL = f"{GROUP}/environment"
REGISTRATION_LABEL = f"{GROUP}/registration"
FALLBACK_LABEL = f"{GROUP}/fallback"
"""``true`` on a route of the Agency's namespace that names no exact host: it makes way for e-services."""
SHOWS_LABEL = f"{GROUP}/shows"
"""On a public route: what it shows, ``Live`` or ``Notice``; on the route of a candidate ``Preview``."""
PREVIEW = "Preview"

SWITCHED_AT_ANNOTATION = f"{GROUP}/switched-at"
"""On the public Service: when its selector last moved to another release (written in that same write)."""
PREVIOUS_RELEASE_ANNOTATION = f"{GROUP}/previous-release"
"""On the public Service: the release it served before, kept at zero replicas as the way back."""
PUBLIC_RELEASE_ANNOTATION = f"{GROUP}/public-release"
"""On a public route in the Agency's namespace: the public release, as ``<template> <version> <digest>``."""
DECISION_ANNOTATION = f"{GROUP}/unpublish-decision"
"""On the same route: the last UnpublishDecision about the e-service; no other is believed to be deleted."""
MANIFEST_ANNOTATION = f"{GROUP}/manifest"
"""On every child: hash of the manifest we last meant, so that a field we drop is noticed as a change."""

NOTICE_HEADER = "EService-Notice"
"""On a request that the gateway leads to the notice page: what the page is to say."""
ROUTE_HEADER = "EService-Route"
"""On an answer: which e-service's public route gave it (``<namespace>.<name>``), or ``notice``."""

NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"
POD_SECURITY_LABELS = {
    f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")
}
SYSTEM_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})

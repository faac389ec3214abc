# SPDX-License-Identifier: Apache-2.0
"""What makes an object ours: the only place where that is judged.

In the namespace of an EService, a WebService or a WebServiceGrant either of two marks will do: our two
labels, or an owner reference to one of these. Whoever may write there may forge either and gains nothing: an
object by the name of a child becomes that child. With both gone it is somebody else's, and is left alone. All
but routes, Ingresses, Services, Roles and RoleBindings are watched by their label: one that lost it while it
is not wanted is not seen, and stays until its owner goes.

An HTTPRoute lies in the Agency's namespace, where an owner reference cannot reach and nobody else is meant to
write. One by the name of a route of ours is ours if its label says so, if we have written to it, or if it
leads to the very e-service that its name says: nobody keeps one on the public route by taking labels off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from eservice_operator.api import names
from eservice_operator.api.eservice import EService
from eservice_operator.cluster.managed_fields import written_at
from eservice_operator.core.actions import Manifest
from eservice_operator.core.gateway_driver import ROUTE_KIND
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.manifests import CANDIDATE_SUFFIX
from eservice_operator.core.owner import owned_by

MARKS: Final = (names.MANAGED_BY_LABEL, names.OWNER_UID_LABEL)
"""The labels by which children are listed, watched and found."""
SERVICE: Final = EService.__name__


def is_labelled(obj: Manifest) -> bool:
    """Whether its label says that we manage it."""
    return _labels(obj).get(names.MANAGED_BY_LABEL) == names.MANAGER


def is_managed(live: Manifest) -> bool:
    """Whether the object is one of ours, whoever its owner is."""
    return is_labelled(live) or owned_by(live["metadata"]) or is_our_route(live)


def is_ours(live: Manifest, desired: Manifest) -> bool:
    """The proof of ownership: managed by us, and for the owner that the manifest is written for."""
    owner = _labels(desired).get(names.OWNER_UID_LABEL)
    if live["kind"] == ROUTE_KIND:
        return is_our_route(live) and _labels(live).get(names.OWNER_UID_LABEL, owner) == owner
    return is_owned(live, owner)


def is_owned(live: Manifest, owner: str | None) -> bool:
    """Whether an object in its owner's namespace is that owner's (a UID), by either mark."""
    if owner and owned_by(live["metadata"], owner):
        return True
    return is_labelled(live) and _labels(live).get(names.OWNER_UID_LABEL) == owner


def marking(live: Manifest, desired: Manifest) -> list[dict[str, Any]]:
    """The patch that gives a child back the labels by which it is found; empty where it has them."""
    wanted, have = _labels(desired), _labels(live)
    lacking = {mark: wanted[mark] for mark in MARKS if mark in wanted and have.get(mark) != wanted[mark]}
    if not lacking:
        return []
    return [
        {"op": "add", "path": "/metadata/labels", "value": {**have, **lacking}},
        {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": live["metadata"]["resourceVersion"],
        },
    ]


def owners_of(obj: Manifest) -> Iterable[str]:
    """The UIDs of what a child names as its owner."""
    references = obj["metadata"].get("ownerReferences") or ()
    named = {reference.get("uid") for reference in references if owned_by({"ownerReferences": [reference]})}
    return {uid for uid in (*named, _labels(obj).get(names.OWNER_UID_LABEL)) if isinstance(uid, str)}


def is_our_route(obj: Manifest) -> bool:
    """Whether an HTTPRoute of the Agency's namespace is one of ours; the caller sees to the namespace.

    One that the store keeps is as good as a live one.
    """
    if obj["kind"] != ROUTE_KIND:
        return False
    written = "writtenAt" in obj or written_at(obj["metadata"].get("managedFields") or [])
    return is_labelled(obj) or (service_of(obj) is not None and (bool(written) or _leads_home(obj)))


def is_route_of(route: Manifest, uid: str) -> bool:
    """Whether one of our routes by the name of an EService's is that EService's, and no earlier one's."""
    return is_our_route(route) and _labels(route).get(names.OWNER_UID_LABEL, uid) == uid


def service_of(route: Manifest) -> ObjectKey | None:
    """The EService that a route of ours is for: by its labels, and where those are gone by its name."""
    name = _labels(route).get(names.ESERVICE_LABEL)
    namespace = _labels(route).get(names.NAMESPACE_LABEL)
    if name and namespace:
        return ObjectKey(SERVICE, namespace, name)
    parts = route["metadata"]["name"].split(".")
    named = len(parts) == len(("namespace", "name")) or _is_previews(parts)
    return ObjectKey(SERVICE, parts[0], parts[1]) if named and all(parts) else None


def is_preview(route: Manifest) -> bool:
    """Whether a route of ours is that of a candidate."""
    shows = _labels(route).get(names.SHOWS_LABEL)
    return shows == names.PREVIEW if shows else _is_previews(route["metadata"]["name"].split("."))


def _is_previews(parts: list[str]) -> bool:
    return len(parts) == len(("namespace", "name", "preview")) and parts[-1] == names.PREVIEW.lower()


def _leads_home(route: Manifest) -> bool:
    """Whether it leads to a Service of the e-service that its name says."""
    home = service_of(route)
    if home is None:
        return False
    services = {(home.namespace, home.name), (home.namespace, home.name + CANDIDATE_SUFFIX)}
    backends = [ref for rule in _rules(route) for ref in rule.get("backendRefs") or ()]
    return any((ref.get("namespace"), ref.get("name")) in services for ref in backends)


def _rules(route: Manifest) -> Iterable[Mapping[str, Any]]:
    return (route.get("spec") or {}).get("rules") or ()


def _labels(obj: Manifest) -> Mapping[str, str]:
    labels: Mapping[str, str] = obj["metadata"].get("labels") or {}
    return labels

# SPDX-License-Identifier: Apache-2.0
"""What of a change others can be concerned by, of those things that access to web services rests on.

Access is judged from specs, so that statuses and bookkeeping of others wake nobody, but for what a grant or
an assignment has come to: that is news to those who asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from eservice_operator.api.reasons import ConditionType
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.roles import invoke_rules
from eservice_operator.core.actions import Manifest
from eservice_operator.runtime.eservice_triggers import reads_alike


def is_news(before: Manifest, after: Manifest) -> bool:
    """Whether others can be concerned: it means something else, goes away, or has come to something."""
    says = NEWS.get(after["kind"], _meaning)
    if leaves(before, after) or says(before) != says(after):
        return True
    return after["kind"] == "EService" and not reads_alike(before, after)


def leaves(before: Manifest, after: Manifest) -> bool:
    """Whether it is being deleted now, and was not before."""
    leaving = [part(obj, "metadata", "deletionTimestamp") is None for obj in (before, after)]
    return leaving[0] != leaving[1]


def _meaning(obj: Manifest) -> Any:
    return obj.get("spec")


def _granted(grant: Manifest) -> Any:
    """What is granted, and what that has come to in each contract version, and of its credentials."""
    status = grant.get("status") or {}
    came_to = ("state", "reason", "contractVersions")
    copied = [
        (one.get("status"), one.get("message"))
        for one in status.get("conditions") or ()
        if one.get("type") == ConditionType.CREDENTIALS_COPIED
    ]
    return grant.get("spec"), [status.get(field) for field in came_to], copied


def _assigned(assignment: Manifest) -> Any:
    """What is assigned, and whether it stands.

    Not who of its customers is active: each of them would wake all the others, and these judge by its spec.
    """
    status = assignment.get("status") or {}
    return assignment.get("spec"), [status.get(field) for field in ("state", "reason", "application")]


def listed_anew(before: Manifest, after: Manifest) -> frozenset[str] | None:
    """The codes of whom an assignment lists differently; None where anything else of it is news, too."""
    if _assigned(_without_customers(before)) != _assigned(_without_customers(after)):
        return None
    was, now = (_entries(assignment) for assignment in (before, after))
    return frozenset(code for code, _ in was ^ now)


def _without_customers(assignment: Manifest) -> Manifest:
    spec = {field: value for field, value in (assignment.get("spec") or {}).items() if field != "customers"}
    return assignment | {"spec": spec}


def _entries(assignment: Manifest) -> set[tuple[str, str]]:
    listed = part(assignment, "spec", "customers") or ()
    return {(str(part(entry, "code")), repr(entry)) for entry in listed}


def _asking(service: Manifest) -> Any:
    """What an EService asks for, and as whom: how it runs is nobody else's concern."""
    spec = service.get("spec") or {}
    who = part(service, "metadata", "uid"), spec.get("registration"), spec.get("environment")
    return who, spec.get("uses")


def asks_otherwise_only(before: Manifest, after: Manifest) -> bool:
    """Whether an EService that stays, and can be read as before, asks for something else: that is all."""
    same = not leaves(before, after) and _asking(before)[0] == _asking(after)[0]
    return same and reads_alike(before, after)


def differing_uses(before: Manifest, after: Manifest) -> frozenset[str]:
    """The uses that only one of two versions of an EService has, each as it is written."""
    was, now = ({repr(use) for use in part(obj, "spec", "uses") or ()} for obj in (before, after))
    return frozenset(was ^ now)


def _placed(obj: Manifest) -> Any:
    """The spec of a registration, and whether its namespaces are in place."""
    conditions = part(obj, "status", "conditions") or ()
    registered = [one.get("status") for one in conditions if one.get("type") == ConditionType.REGISTERED]
    return obj.get("spec"), part(obj, "status", "namespaces"), registered


def _labels(obj: Manifest) -> Any:
    return part(obj, "metadata", "labels")


NEWS: Final[dict[str, Callable[[Manifest], Any]]] = {
    "WebServiceGrant": _granted,
    "AgentAssignment": _assigned,
    "EService": _asking,
    "EServiceRegistration": _placed,
    "Namespace": _labels,
    "Role": invoke_rules,
    "ControllerRevision": lambda obj: obj.get("data"),
    "ConfigMap": lambda obj: part(obj, "metadata", "annotations"),
}
"""What of an object is news to others, where it is not its spec alone."""

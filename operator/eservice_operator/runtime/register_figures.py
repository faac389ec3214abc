# SPDX-License-Identifier: Apache-2.0
"""What there is to tell of templates, decisions and registrations, and of the notices in any ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.notices import NoticeState
from eservice_operator.api.reasons import Reason
from eservice_operator.cluster.indexes import part
from eservice_operator.core.dates import parse_instant
from eservice_operator.runtime.exposition import Family
from eservice_operator.runtime.service_figures import WHO, Instant, Sample

CURRENT: Final = Family(
    "eservice_template_current_info", "The version that services are compared with.", ("template", "version")
)
IN_USE: Final = Family(
    "eservice_template_version_services",
    "E-services that serve the public on a version, in Production.",
    ("template", "version", "stage"),
)
TRANSITION: Final = Family(
    "eservice_template_next_transition_timestamp_seconds",
    "When the next version of the template changes its stage.",
    ("template",),
)
TEMPLATE_PROBLEM: Final = Family(
    "eservice_template_problem", "1 while a template is not as it should be.", ("template", "reason")
)
BRAKE: Final = Family(
    "eservice_template_brake_engaged", "1 while the brake holds decisions of the template.", ("template",)
)
HELD: Final = Family(
    "eservice_template_held_decisions",
    "Decisions that the brake holds together, by the token that releases them.",
    ("template", "token"),
)
DECISION: Final = Family(
    "eservice_unpublish_decision",
    "1 for each decision that is not closed and whose e-service is there, by its state.",
    (*WHO, "decision", "template", "version", "state", "reason"),
)
REGISTRATION_PROBLEM: Final = Family(
    "eservice_registration_problem",
    "1 while somebody has to mend a registration.",
    ("registration", "reason"),
)
PENDING: Final = Family(
    "eservice_notices_pending", "Notices in the ledger that are on their way.", ("object", *WHO)
)
FAILED: Final = Family(
    "eservice_notices_failed", "Notices in the ledger that were given up.", ("object", *WHO)
)
FAILED_AT: Final = Family(
    "eservice_notice_failed_timestamp_seconds",
    "When a notice of the ledger was last given up.",
    ("object", *WHO),
)
REGISTER_FAMILIES: Final = (
    CURRENT,
    IN_USE,
    TRANSITION,
    TEMPLATE_PROBLEM,
    BRAKE,
    HELD,
    DECISION,
    REGISTRATION_PROBLEM,
    PENDING,
    FAILED,
    FAILED_AT,
)

_WELL: Final = frozenset({Reason.SUCCEEDED, Reason.PROGRESSING, Reason.REGISTRATION_SUSPENDED})
"""Reasons of Ready with which nobody has to do anything."""
_ON_ITS_WAY: Final = frozenset({NoticeState.SENDING, NoticeState.RETRYING})


def samples_of_template(template: Mapping[str, Any], instant: Instant) -> Iterator[Sample]:
    """All samples about an EServiceTemplate."""
    name, status = template["metadata"]["name"], template.get("status") or {}
    if "currentVersion" in status:
        yield CURRENT, (name, status["currentVersion"]), 1
    for version in status.get("versions") or ():
        yield IN_USE, (name, version["version"], version["stage"]), version.get("eServices", 0)
    following = part(status, "nextTransition", "at")
    if following is not None:
        yield TRANSITION, (name,), instant(following, False)  # noqa: FBT003 - the start of the day
    for reason in _problems(status):
        yield TEMPLATE_PROBLEM, (name, reason), 1
    yield BRAKE, (name,), _condition(status, "BrakeEngaged").get("status") == "True"
    for held in status.get("held") or ():
        yield HELD, (name, held["token"]), held.get("count", 0)


def samples_of_decision(decision: Mapping[str, Any]) -> Iterator[Sample]:
    """The sample about an UnpublishDecision; a closed one is history, and has none."""
    if _closed(decision):
        return
    spec, status = decision["spec"], decision.get("status") or {}
    state = status.get("state", DecisionState.SCHEDULED.value)
    service, template = spec["eService"], spec["release"]["template"]
    who = (service["namespace"], service["name"], decision["metadata"]["name"])
    labels = (*who, template["name"], template["version"], state, status.get("reason") or "")
    yield DECISION, labels, 1


def samples_of_registration(registration: Mapping[str, Any]) -> Iterator[Sample]:
    """All samples about an EServiceRegistration."""
    for reason in _problems(registration.get("status") or {}):
        yield REGISTRATION_PROBLEM, (registration["metadata"]["name"], reason), 1


def samples_of_notices(obj: Mapping[str, Any]) -> Iterator[Sample]:
    """What became of the notices in an object's ledger; nothing where all were accepted.

    A closed decision has none on their way: nothing of it is sent any more.
    """
    notices = part(obj, "status", "notices") or ()
    if not notices:
        return
    whose = (obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
    pending = sum(notice["state"] in _ON_ITS_WAY for notice in notices)
    if pending and not _closed(obj):
        yield PENDING, whose, pending
    failed = [notice for notice in notices if notice["state"] == NoticeState.FAILED]
    if failed:
        yield FAILED, whose, len(failed)
        known = [at for notice in failed if (at := parse_instant(notice["at"])) is not None]
        yield FAILED_AT, whose, max(at.timestamp() for at in known)


def _closed(obj: Mapping[str, Any]) -> bool:
    return bool(part(obj, "status", "state") == DecisionState.CLOSED)


def _problems(status: Mapping[str, Any]) -> Iterator[str]:
    """The reason of Ready, where it asks for somebody's hand."""
    reason = _condition(status, "Ready").get("reason")
    if reason is not None and reason not in _WELL:
        yield reason


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((entry for entry in status.get("conditions") or () if entry["type"] == kind), {})

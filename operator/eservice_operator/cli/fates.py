# SPDX-License-Identifier: Apache-2.0
"""R8: what the release of a held set comes to for each decision in it, as things stand now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from eservice_operator.api.decisions import DecisionState, UnpublishDecision
from eservice_operator.api.lifecycle import Enforcement
from eservice_operator.api.parse import parse
from eservice_operator.api.reasons import Reason
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import Body, place_of
from eservice_operator.cli.plain import condition, part
from eservice_operator.core.dates import local_day
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.promise import LOST_GROUND, ground_day
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.tidings import SERVED

Standing = tuple[str, str]
"""Registration and environment: whom a decision is about."""


class Fate(StrEnum):
    """What the release of its set comes to for an e-service."""

    NOW = "Now"
    LATER = "Later"
    """It is deferred, or its instant has not come."""
    WAITS = "Waits"
    """Something beside the brake holds it."""
    NO_GROUND = "NoGround"
    """By the template as it is now it is not overdue, or not enforced: it stays held."""
    NOT_PUBLIC = "NotPublic"
    """It is not published now: nothing changes for the public."""


WORDS: Final = {
    Fate.NOW: "now",
    Fate.LATER: "later",
    Fate.WAITS: "held for another reason",
    Fate.NO_GROUND: "without ground any more",
    Fate.NOT_PUBLIC: "not public",
}
ALWAYS_TOLD: Final = (Fate.NOW, Fate.LATER, Fate.NOT_PUBLIC)


class Member(NamedTuple):
    """A decision that the brake holds."""

    decision: UnpublishDecision
    fate: Fate
    why: str
    """What delays it, or keeps it from the public."""
    at: datetime | None
    """The instant to come at which it takes effect once released; None at once, or where no day is known."""
    gone: bool
    """Whether no e-service is left that it is about, so that the operator notes no release of it."""


class Fates:
    """One template, and the e-services that its decisions are about."""

    def __init__(self, template: Body, services: Sequence[Body] | None, days: Days) -> None:
        """``services`` is None where they may not be listed: then nothing is known of who is public."""
        read = parse(EServiceTemplate.__name__, dict(template))
        self._template = (
            KnownTemplate(read, catalogue_of(read)) if isinstance(read, EServiceTemplate) else None
        )
        self._services = None if services is None else _by_standing(services)
        self._days = days

    def of(self, decision: UnpublishDecision) -> Member:
        """What its release comes to."""
        apart = self._not_public(decision)
        if apart is not None:
            return apart
        status, days = decision.status, self._days
        at = status.effective_at or decision.spec.effective_at
        lost = self._lost(decision, at)
        if lost:
            return Member(decision, Fate.NO_GROUND, lost, None, gone=False)
        if at > days.now:
            text = "" if status.deferred_until is None else f"deferred until {status.deferred_until}"
            return Member(decision, Fate.LATER, text, at, gone=False)
        if status.state is DecisionState.HELD and status.reason not in {Reason.BRAKE, *LOST_GROUND}:
            return Member(decision, Fate.WAITS, status.message or status.reason or "", None, gone=False)
        return Member(decision, Fate.NOW, "", None, gone=False)

    def _not_public(self, decision: UnpublishDecision) -> Member | None:
        """The decision where nobody is served by what it is about."""
        if self._services is None:
            return None
        spec = decision.spec
        rivals = self._services.get((spec.registration, spec.environment.value), ())
        place = spec.e_service.namespace, spec.e_service.name
        service = next((one for one in rivals if place_of(one) == place), next(iter(rivals), None))
        if service is None:
            return Member(decision, Fate.NOT_PUBLIC, "the e-service is gone", None, gone=True)
        phase = str(part(service, "status", "phase") or "no phase yet")
        said = condition(service, "Published").get("status")
        if said != "True" and not (said == "Unknown" and phase in SERVED):
            return Member(decision, Fate.NOT_PUBLIC, phase, None, gone=False)
        return None

    def _lost(self, decision: UnpublishDecision, at: datetime) -> str:
        """Why it would not take effect at its instant, by the template as it is now; empty where it would."""
        known, status = self._template, decision.status
        if known is None:
            held = status.state is DecisionState.HELD and status.reason in LOST_GROUND
            return str(status.message or status.reason) if held else ""
        lifecycle, day = known.template.spec.lifecycle, local_day(max(at, self._days.now), self._days.zone)
        lag = known.lag(decision.spec.release.template.version, day)
        ground = ground_day(lifecycle, lag)
        if ground is not None and ground <= day:
            return ""
        if lag is None:
            return "the template does not have its version any more"
        if lag.overdue(day):
            from_day = lifecycle.enforce_from if lifecycle.enforcement is Enforcement.ENFORCE else None
            return f"enforced from {from_day} only" if from_day else "the template's policy does not enforce"
        return "not overdue by the template's present dates"


def _by_standing(services: Sequence[Body]) -> Mapping[Standing, list[Body]]:
    found: dict[Standing, list[Body]] = {}
    for service in services:
        standing = str(part(service, "spec", "registration")), str(part(service, "spec", "environment"))
        found.setdefault(standing, []).append(service)
    return found

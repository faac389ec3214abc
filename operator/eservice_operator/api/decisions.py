# SPDX-License-Identifier: Apache-2.0
"""R8: UnpublishDeferral, the Agency's exception, and UnpublishDecision, the operator's record."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, model_validator

from eservice_operator.api.base import (
    Environment,
    EServiceRef,
    Model,
    ObjectMeta,
    SetOnceRevocation,
    Status,
    TemplateRef,
)
from eservice_operator.api.fields import (
    Date,
    DateTime,
    Day,
    Duration,
    Image,
    Message,
    ObjectName,
    SemVer,
    Short,
    Text,
    immutable_but_revoked,
    rules,
    text,
)
from eservice_operator.api.ground import DecisionInputs, Fairness, Ground
from eservice_operator.api.lifecycle import LagMeasure
from eservice_operator.api.notices import Notices
from eservice_operator.api.reasons import Reason
from eservice_operator.api.remembered import RememberedDecision


class UnpublishDeferralSpec(Model):
    """A time-limited, reasoned exception to R8."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *immutable_but_revoked("a deferral", "eService", "until", "reason", "ticket", "approvedBy")
        )
    )

    e_service: EServiceRef
    """The EService whose unpublication is deferred."""
    until: Day
    """The last day with the public route; the template's maximumDeferral is the most."""
    reason: Text
    """Why the exception is made."""
    ticket: Short | None = None
    """Where the exception is recorded."""
    approved_by: Short
    """Who at the Agency approved it."""
    revoked: SetOnceRevocation | None = None
    """Ends the deferral before its day; set once."""


class UnpublishDeferral(Model):
    """Defers the unpublication of one e-service until a day (R8)."""

    metadata: ObjectMeta
    spec: UnpublishDeferralSpec
    status: Status = Status()


class DecidedRelease(Model):
    """The release that the decision is about."""

    image: Image
    """The image of the release."""
    template: TemplateRef
    """The template version of the release."""


class DecisionState(StrEnum):
    """How far a decision has got."""

    SCHEDULED = "Scheduled"
    HELD = "Held"
    EFFECTIVE = "Effective"
    CLOSED = "Closed"


class UnpublishDecisionSpec(Model):
    """The facts of one decision under R8; only ``revoked`` may be set, by the Agency."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *immutable_but_revoked(
                "a decision",
                "eService",
                "registration",
                "environment",
                "release",
                "currentVersion",
                "causedBy",
                "maximumLag",
                "lagMeasure",
                "overdueSince",
                "effectiveAt",
                "decidedAt",
                "inputs",
                "inputsHash",
                "replaces",
            )
        )
    )

    e_service: EServiceRef
    """The EService that was public."""
    registration: ObjectName
    """With the environment the key of the decision: re-creating the EService escapes nothing."""
    environment: Environment
    """The environment; today it is always Production, never Test or Acceptance."""
    release: DecidedRelease
    """The release that was public."""
    current_version: SemVer | None = None
    """The template version that was the current one when it was decided."""
    caused_by: SemVer | None = None
    """The template version that made the release overdue; absent when its own recall did."""
    maximum_lag: Duration
    """The template's maximumLag when it was decided."""
    lag_measure: LagMeasure
    """The template's lagMeasure when it was decided: ReleaseGap or SinceSuperseded."""
    overdue_since: Date
    """The first day on which the release is overdue."""
    effective_at: DateTime
    """The promise: the instant of the unpublication, which is never moved earlier."""
    decided_at: DateTime
    """When the operator decided."""
    inputs: DecisionInputs | None = None
    """What the dates follow from: kubectl eservice replay computes them again."""
    inputs_hash: Annotated[str, text(r"^[0-9a-f]{16}$", "write 16 hexadecimal digits", most=16)]
    """Hash of the facts that led to the decision, its inputs included."""
    replaces: RememberedDecision | None = None
    """The open decision that this one takes the place of, because somebody deleted it: what was announced or
    in effect by it goes on. One that was in effect is so from the first by this one. Or the one that a
    renewal closed, when the e-service went back and that one had announced a later instant."""
    revoked: SetOnceRevocation | None = None
    """The Agency takes the decision back; set once."""


class UnpublishDecisionStatus(Status):
    """What became of a decision."""

    state: DecisionState = DecisionState.SCHEDULED
    """Scheduled: it takes effect at effectiveAt. Held: something holds it up, see reason. Effective: the
    e-service is off the public route. Closed: renewed or revoked."""
    reason: Short | None = None
    """Why it is in this state, in one word."""
    message: Message = ""
    """Why it is in this state, for people."""
    effective_at: DateTime | None = None
    """When it takes effect or took effect, deferrals included."""
    deferred_until: Date | None = None
    """The last day of a deferral that is honoured."""
    deferral: ObjectName | None = None
    """Name of that deferral."""
    undeferred_at: DateTime | None = None
    """When it would take effect without a deferral, as announced last; it never moves earlier."""
    effective_since: DateTime | None = None
    """When it took effect."""
    closed_at: DateTime | None = None
    """When it was closed."""
    hold_token: Short | None = None
    """The token that releases the set of decisions held by the brake."""
    held_since: DateTime | None = None
    """When the brake took the decision into that set."""
    released_at: DateTime | None = None
    """When the operator saw that the Agency released the set; from then on the brake lets it pass."""
    ground: Ground | None = None
    """Why it is overdue, once that is not what the spec says: recorded when the decision was announced anew,
    when another version came to cause it, and at the latest when it took effect. From then on it stays."""
    fairness: Fairness | None = None
    """The wait for an act of the Agency or a holder, once it has begun; it is granted once."""
    announced_at: DateTime | None = None
    """When it was last announced anew, because there had been no ground for it on its day; what was told
    before that counts no more."""
    informed_at: DateTime | None = None
    """When a channel first accepted a notice of it to a contact of the institution."""
    warned_at: DateTime | None = None
    """Up to when the institution was warned: steps of warnBefore before that are done."""
    notices: Notices = ()
    """Whom the operator told: all that is on its way, the last 20 that are done, the last of each kind, and
    the last announcement to each recipient."""


class UnpublishDecision(Model):
    """The record of one decision to unpublish an e-service (R8); the Agency may revoke it."""

    metadata: ObjectMeta
    spec: UnpublishDecisionSpec
    status: UnpublishDecisionStatus = UnpublishDecisionStatus()

    @model_validator(mode="after")
    def _goes_on_from_the_first(self) -> Self:
        """In the place of one in effect, deferred, or held by the brake, it is so from the first."""
        replaced, status = self.spec.replaces, self.status
        if status.reason is not None or replaced is None:
            return self
        change: dict[str, object] = {"hold_token": replaced.hold_token, "held_since": replaced.held_since}
        if replaced.deferred_until is not None and replaced.lapsed is None:
            change |= {"deferred_until": replaced.deferred_until, "deferral": replaced.deferral}
            change |= {"reason": Reason.DEFERRED.value}
        if replaced.effective_since is not None:
            change = {"state": DecisionState.EFFECTIVE, "effective_since": replaced.effective_since}
        object.__setattr__(self, "status", status.model_copy(update=change))
        return self

# SPDX-License-Identifier: Apache-2.0
"""The acts: AcceptanceAct (R2), ProductionVerification (R6), UnpublishDeferral and UnpublishDecision (R8)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from eservice_operator.api.base import (
    LIST_ATOMIC,
    Date,
    DateTime,
    DigestImage,
    Duration,
    Environment,
    EServiceRef,
    Image,
    Line,
    Message,
    Model,
    Name,
    ObjectMeta,
    ObjectName,
    SemVer,
    SetOnceRevocation,
    Short,
    SignedDocument,
    Status,
    TemplateRef,
    Text,
    cel,
    rules,
)
from eservice_operator.api.template import LagMeasure


def immutable_but_revoked(*fields: str) -> list[dict[str, object]]:
    """CEL rules for an act of which only ``revoked`` may be set, once."""
    same = " && ".join(
        f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"
        for field in fields
    )
    return [
        cel(same, "an act never changes but for revoked: revoke this one and make a new one instead"),
        cel(
            "!has(oldSelf.revoked) || (has(self.revoked) && self.revoked == oldSelf.revoked)",
            "revoked is set once and stays: make a new act instead",
            fieldPath=".revoked",
        ),
    ]


class Notice(Model):
    """An entry of the ledger of notices: written before sending."""

    id: Line
    """Derived from the object, the transition, the channel and the recipient."""
    kind: Short
    """What was told, such as UnpublishScheduled."""
    channel: Short
    """How, such as Email."""
    recipient: Line
    """To whom."""
    state: Short
    """Sending, Sent or Failed."""
    at: DateTime
    """When it was last tried."""
    attempts: Annotated[int, Field(ge=0)] = 0
    """How often it was tried."""


Notices = Annotated[tuple[Notice, ...], Field(max_length=20, json_schema_extra=LIST_ATOMIC)]


class TestPeriod(Model):
    """The period of the acceptance test, both days included."""

    __test__ = False
    model_config = ConfigDict(
        json_schema_extra=rules(
            cel("self.from <= self.to", "testPeriod.from must not be after testPeriod.to")
        )
    )

    from_: Annotated[Date, Field(alias="from")]
    """First day."""
    to: Date
    """Last day."""


class Signatory(Model):
    """Who signed, and for whom."""

    organisation: Short
    """Agency, or the institution."""
    name: Short
    """Name of the person."""


class AcceptanceActSpec(Model):
    """The acceptance act of a release (R2)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *immutable_but_revoked(
                "eService",
                "template",
                "image",
                "testPeriod",
                "demonstratedAt",
                "report",
                "document",
                "signedAt",
                "signatories",
            ),
            cel(
                "self.testPeriod.to <= self.signedAt",
                "signedAt must not be before the end of testPeriod: an act is signed after the test",
                fieldPath=".signedAt",
            ),
            cel(
                "self.signatories.exists(s, self.signatories.exists(t, s.organisation != t.organisation))",
                "both sides sign: name a signatory of the Agency and one of the institution",
                fieldPath=".signatories",
            ),
        )
    )

    e_service: EServiceRef
    """The EService in Production that is accepted."""
    template: TemplateRef
    """The template version of the accepted release."""
    image: DigestImage
    """The image of the accepted release; compared by digest."""
    test_period: TestPeriod
    """When the institution tested."""
    demonstrated_at: Date | None = None
    """When it was shown to the Agency's support staff."""
    report: SignedDocument
    """The Agency's report on compliance."""
    document: SignedDocument
    """The signed act."""
    signed_at: Date
    """The day of the last signature."""
    signatories: Annotated[
        tuple[Signatory, ...], Field(min_length=2, max_length=16, json_schema_extra=LIST_ATOMIC)
    ]
    """At least one of each side."""
    revoked: SetOnceRevocation | None = None
    """Ends the act; set once."""


class AcceptanceAct(Model):
    """The signed acceptance of one release of an e-service (R2); immutable but for its revocation."""

    metadata: ObjectMeta
    spec: AcceptanceActSpec
    status: Status = Status()


class VerificationOutcome(StrEnum):
    """Result of the verification in production."""

    PASSED = "Passed"
    FAILED = "Failed"


class ProductionVerificationSpec(Model):
    """The institution's verification of an installed release (R6)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel("self == oldSelf", "a verification never changes: make a new one instead, the newest counts")
        )
    )

    e_service: Name
    """The EService in the same namespace."""
    image: DigestImage
    """The image that was verified; compared by digest."""
    template: TemplateRef
    """The template version that was verified."""
    outcome: VerificationOutcome
    """Passed or Failed."""
    verified_at: DateTime
    """When the verification was done."""
    verified_by: Short
    """Who did it."""
    notes: Text | None = None
    """What was found."""


class ProductionVerification(Model):
    """The verification of one release in production, before the public sees it (R6); immutable."""

    metadata: ObjectMeta
    spec: ProductionVerificationSpec
    status: Status = Status()


class UnpublishDeferralSpec(Model):
    """A time-limited, reasoned exception to R8."""

    model_config = ConfigDict(
        json_schema_extra=rules(*immutable_but_revoked("eService", "until", "reason", "ticket", "approvedBy"))
    )

    e_service: EServiceRef
    """The EService whose unpublication is deferred."""
    until: Date
    """The last day of the deferral; capped by the template's maximumDeferral."""
    reason: Text
    """Why the exception is made."""
    ticket: Short | None = None
    """Where the decision is recorded."""
    approved_by: Short
    """Who approved it."""
    revoked: SetOnceRevocation | None = None
    """Ends the deferral; set once."""


class UnpublishDeferral(Model):
    """Defers the unpublication of one e-service until a day (R8)."""

    metadata: ObjectMeta
    spec: UnpublishDeferralSpec
    status: Status = Status()


class DecidedRelease(Model):
    """The release that the decision is about."""

    image: Image
    """Its image."""
    template: TemplateRef
    """Its template version."""


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
                "inputsHash",
            )
        )
    )

    e_service: EServiceRef
    """The EService that was public."""
    registration: ObjectName
    """With the environment the key of the decision: re-creating the EService escapes nothing."""
    environment: Environment
    """Always Production today."""
    release: DecidedRelease
    """The public release."""
    current_version: SemVer | None = None
    """The current template version when it was decided."""
    caused_by: SemVer | None = None
    """The template version that made the release overdue; absent when its own recall did."""
    maximum_lag: Duration
    """The policy then in force."""
    lag_measure: LagMeasure
    """The measure then in force."""
    overdue_since: Date
    """The first day on which the release is overdue."""
    effective_at: DateTime
    """The promise: never moved earlier."""
    decided_at: DateTime
    """When the operator decided."""
    inputs_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$", max_length=16)]
    """Hash of the facts that led to the decision."""
    revoked: SetOnceRevocation | None = None
    """The Agency takes the decision back; set once."""


class UnpublishDecisionStatus(Status):
    """What became of a decision."""

    state: DecisionState = DecisionState.SCHEDULED
    """Scheduled, Held, Effective or Closed."""
    reason: Short | None = None
    """Why it is in this state."""
    message: Message = ""
    """The same for people."""
    effective_at: DateTime | None = None
    """When it takes effect, deferrals included."""
    deferred_until: Date | None = None
    """The last day of a deferral that is honoured."""
    effective_since: DateTime | None = None
    """When it took effect."""
    closed_at: DateTime | None = None
    """When it was closed."""
    hold_token: Short | None = None
    """The token that releases a set held by the brake."""
    notices: Notices = ()
    """Whom it told."""


class UnpublishDecision(Model):
    """The record of one decision to unpublish an e-service (R8): facts, dates, whom it told, its state."""

    metadata: ObjectMeta
    spec: UnpublishDecisionSpec
    status: UnpublishDecisionStatus = UnpublishDecisionStatus()

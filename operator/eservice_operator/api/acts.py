# SPDX-License-Identifier: Apache-2.0
"""The acts: AcceptanceAct (R2) and ProductionVerification (R6)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from eservice_operator.api.base import (
    EServiceRef,
    Model,
    ObjectMeta,
    SetOnceRevocation,
    SignedDocument,
    Status,
    TemplateRef,
)
from eservice_operator.api.fields import (
    LIST_ATOMIC,
    Day,
    DigestImage,
    Instant,
    Name,
    Short,
    Text,
    cel,
    immutable_but_revoked,
    rules,
)


class TestPeriod(Model):
    """The period of the acceptance test, both days included."""

    __test__ = False
    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.from <= self.to",
                "testPeriod.to must not be before testPeriod.from: write a later day",
                fieldPath=".to",
            )
        )
    )

    from_: Annotated[Day, Field(alias="from")]
    """The first day of the test."""
    to: Day
    """The last day of the test."""


class Signatory(Model):
    """Who signed, and for whom."""

    organisation: Short
    """For whom the person signed: Agency, or the institution."""
    name: Short
    """Name of the person."""


class AcceptanceActSpec(Model):
    """The acceptance act of a release (R2)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *immutable_but_revoked(
                "an acceptance act",
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
                "signedAt must not be before testPeriod.to: an act is signed after the test",
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
    """When the institution did its acceptance test."""
    demonstrated_at: Day | None = None
    """The day on which it was shown to the Agency's support staff."""
    report: SignedDocument
    """The Agency's report on compliance."""
    document: SignedDocument
    """The signed act."""
    signed_at: Day
    """The day of the last signature."""
    signatories: Annotated[
        tuple[Signatory, ...], Field(min_length=2, max_length=16, json_schema_extra=LIST_ATOMIC)
    ]
    """Who signed: at least one of each side."""
    revoked: SetOnceRevocation | None = None
    """Ends the act; set once. It takes nothing down, and blocks the next publication."""


class AcceptanceAct(Model):
    """The signed acceptance of one release of an e-service (R2); immutable but for its revocation."""

    metadata: ObjectMeta
    spec: AcceptanceActSpec
    status: Status = Status()


class VerificationOutcome(StrEnum):
    """Result of a verification in production."""

    PASSED = "Passed"
    FAILED = "Failed"


class ProductionVerificationSpec(Model):
    """The institution's verification of an installed release (R6)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self == oldSelf",
                "a verification never changes: write a new one instead, the newest one counts",
            )
        )
    )

    e_service: Name
    """Name of the EService, in the same namespace."""
    image: DigestImage
    """The image that was verified; compared by digest."""
    template: TemplateRef
    """The template version that was verified."""
    outcome: VerificationOutcome
    """Passed: the public may be served. Failed: it may not; the release in public use stays."""
    verified_at: Instant
    """When it was done; not before the request for production."""
    verified_by: Short
    """Who of the institution did it."""
    notes: Text | None = None
    """What was found, for people."""


class ProductionVerification(Model):
    """The verification of one release in production, before the public sees it (R6); immutable."""

    metadata: ObjectMeta
    spec: ProductionVerificationSpec
    status: Status = Status()

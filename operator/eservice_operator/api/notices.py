# SPDX-License-Identifier: Apache-2.0
"""The ledger of notices: whom the operator told what, by which channel, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from eservice_operator.api.base import Model
from eservice_operator.api.fields import LIST_ATOMIC, Date, DateTime, Line, Message


class NoticeKind(StrEnum):
    """What people are told; each has a line in the reference."""

    IDENTIFIER_ASSIGNED = "IdentifierAssigned"
    INSTALLATION_DUE = "InstallationDue"
    INSTALLATION_OVERDUE = "InstallationOverdue"
    VERIFICATION_WANTED = "VerificationWanted"
    MIGRATION_DUE = "MigrationDue"
    MIGRATION_OVERDUE = "MigrationOverdue"
    VERSION_WITHDRAWN = "VersionWithdrawn"
    OVERDUE_EXPECTED = "OverdueExpected"
    UNPUBLISH_SCHEDULED = "UnpublishScheduled"
    UNPUBLISH_WARNING = "UnpublishWarning"
    UNPUBLISH_MOVED = "UnpublishMoved"
    UNPUBLISH_HELD = "UnpublishHeld"
    UNPUBLISH_CANCELLED = "UnpublishCancelled"
    UNPUBLISHED = "Unpublished"
    REPUBLISHED = "Republished"
    BRAKE_ENGAGED = "BrakeEngaged"
    ACCESS_REQUESTED = "AccessRequested"
    ACCESS_GRANTED = "AccessGranted"
    ACCESS_REFUSED = "AccessRefused"
    ACCESS_ENDING = "AccessEnding"
    ACCESS_ENDED = "AccessEnded"
    CONTRACT_RETIRING = "ContractRetiring"


EndingKind = Literal[NoticeKind.ACCESS_ENDING, NoticeKind.CONTRACT_RETIRING]
"""What is told of a last day to come."""


class Channel(StrEnum):
    """A way of telling people beside Kubernetes Events."""

    EMAIL = "Email"
    CLOUD_EVENTS = "CloudEvents"


class Audience(StrEnum):
    """On whose behalf a recipient is told."""

    INSTITUTION = "Institution"
    AGENCY = "Agency"
    HOLDER = "Holder"


class NoticeState(StrEnum):
    """How far a notice to one recipient has got."""

    SENDING = "Sending"
    RETRYING = "Retrying"
    SENT = "Sent"
    FAILED = "Failed"
    SUPERSEDED = "Superseded"


class Notice(Model):
    """One notice to one recipient by one channel: written before sending."""

    id: Line
    """Derived from the object, the change, the channel and the recipient, so that nothing is told twice; the
    Message-ID of an e-mail and the id of a CloudEvent follow from it."""
    kind: NoticeKind
    """What was told, such as UnpublishScheduled."""
    channel: Channel
    """How it was told: Email or CloudEvents."""
    audience: Audience = Audience.INSTITUTION
    """For whom the recipient stands: Institution, Agency, or Holder of a web service."""
    recipient: Line
    """The address of a person, or the host of the CloudEvents sink."""
    state: NoticeState
    """Sending: about to be handed over. Retrying: it was not accepted, and is tried again. Sent: the channel
    accepted it. Failed: it was refused for good, too often, or until it was too late. Superseded: what it
    tells of does not come any more, or its channel is not set up any more."""
    entered: DateTime
    """When it was entered: date of the mail and of the event, the same however often they are sent."""
    at: DateTime
    """When it was entered, or last tried."""
    attempts: Annotated[int, Field(ge=0)] = 0
    """How often it was tried without success."""
    due: Date | None = None
    """The day that the notice is about, such as that of the unpublication."""
    about: Line | None = None
    """Which part of the object it is about, such as a contract version."""
    held: bool | None = None
    """True: it announced an unpublication that the brake holds, and said so."""
    error: Message = ""
    """What the channel said when it did not accept the notice."""


class Warned(Model):
    """A day to come that people were warned of, and up to which step."""

    kind: EndingKind
    """AccessEnding: what was granted ends. ContractRetiring: the contract version does."""
    version: Line
    """The contract version; * for a grant as a whole."""
    day: Date
    """Its last day; of another one people are warned anew."""
    at: DateTime
    """When they were last warned."""


MOST_NOTICES = 64
MOST_WARNED = 64
Notices = Annotated[tuple[Notice, ...], Field(max_length=MOST_NOTICES, json_schema_extra=LIST_ATOMIC)]
WarnedDays = Annotated[tuple[Warned, ...], Field(max_length=MOST_WARNED, json_schema_extra=LIST_ATOMIC)]

# SPDX-License-Identifier: Apache-2.0
"""WebServiceGrant: the holder's answer to one consumer (R3, R9, R10)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from eservice_operator.api.base import (
    NAMED_AS_A_LABEL,
    Environment,
    EServiceRef,
    Model,
    ObjectMeta,
    SignedDocument,
    Status,
)
from eservice_operator.api.fields import (
    Date,
    DateTime,
    Day,
    Message,
    Name,
    ObjectName,
    Short,
    Told,
    cel,
    list_map,
    rules,
    text,
)
from eservice_operator.api.people import InstitutionCode
from eservice_operator.api.uses import ContractVersion, WebServiceRef

ALL_VERSIONS = "*"
"""What stands for the contract versions of REST, which are granted together."""
CREDENTIALS_TYPE = "eservice.dev/credentials"
"""The type of a Secret that may be copied to a consumer."""
MOST_GRANTED = 16


class GrantedConsumer(EServiceRef):
    """The EService that is let in."""

    registration: ObjectName | None = None
    """Its registration: an EService of this name that has another one is not let in, so that nobody inherits
    the grant with the name. Without it, whichever has the name is. Once given it stays."""


class Evidence(Model):
    """What shows that the consumer is ready for a contract version (R10)."""

    self_declaration: SignedDocument | None = None
    """The consumer's declaration that it meets the terms."""
    end_to_end: SignedDocument | None = None
    """The record of an end-to-end test in the test environment."""


class GrantedVersion(Model):
    """A contract version that is granted, for SOAP."""

    version: ContractVersion
    """The contract version."""
    evidence: Evidence | None = None
    """In Production both documents are needed; once given each stays as it was while the version is
    named."""


class GrantAgent(Model):
    """That the consumer is an agent's application (R9)."""

    assignment: Name
    """The AgentAssignment beside the grant."""


class Credentials(Model):
    """What the consumer needs beside its token."""

    secret_name: ObjectName
    """A Secret of type eservice.dev/credentials beside the grant: it is copied to the consumer."""


class Refusal(Model):
    """The holder says no."""

    reason: Told
    """Why: the consumer reads it."""


def _stays(document: str) -> dict[str, object]:
    given = f"has(o.evidence) && has(o.evidence.{document})"
    kept = f"has(n.evidence) && has(n.evidence.{document})"
    same = f"{kept} && n.evidence.{document} == o.evidence.{document}"
    rule = (
        "!has(oldSelf.contractVersions) || !has(self.contractVersions) || oldSelf.contractVersions.all(o,"
        f" !({given}) || self.contractVersions.all(n, n.version != o.version || ({same})))"
    )
    text = f"evidence once given stays as it was: put {document} back, or write another grant"
    return cel(rule, text, fieldPath=".contractVersions")


class WebServiceGrantSpec(Model):
    """Whom the holder lets in, and to what."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.webService == oldSelf.webService"
                " && self.consumer.__namespace__ == oldSelf.consumer.__namespace__"
                " && self.consumer.name == oldSelf.consumer.name",
                "webService and consumer never change: write another grant instead",
            ),
            cel(
                "!has(oldSelf.consumer.registration) || (has(self.consumer.registration)"
                " && self.consumer.registration == oldSelf.consumer.registration)",
                "consumer.registration once given stays: write another grant instead",
                fieldPath=".consumer",
            ),
            cel(
                "has(self.agent) == has(oldSelf.agent) && (!has(self.agent) || self.agent == oldSelf.agent)",
                "agent never changes: write another grant instead",
                fieldPath=".agent",
            ),
            _stays("selfDeclaration"),
            _stays("endToEnd"),
        )
    )

    web_service: Name
    """The WebService, in the same namespace."""
    consumer: GrantedConsumer
    """The EService that is let in."""
    contract_versions: Annotated[
        tuple[GrantedVersion, ...], Field(max_length=MOST_GRANTED, json_schema_extra=list_map("version"))
    ] = ()
    """For SOAP the contract versions that are granted; absent for REST, where all are."""
    valid_until: Day | None = None
    """The last day of the grant; none while it has no end."""
    agent: GrantAgent | None = None
    """The consumer is an agent's application, and calls for the agent's customers."""
    credentials: Credentials | None = None
    """What the consumer needs beside its token."""
    refused: Refusal | None = None
    """The answer is no; what was granted ends."""


class GrantState(StrEnum):
    """State of a grant, or of one of its contract versions."""

    PENDING = "Pending"
    ACTIVE = "Active"
    REVOKING = "Revoking"
    REVOKED = "Revoked"
    EXPIRED = "Expired"
    REFUSED = "Refused"


GrantedName = Annotated[str, text(r"^(\*|[a-z0-9]([-a-z0-9.]*[a-z0-9])?)$", "left to the operator", most=32)]


class GrantedVersionStatus(Model):
    """How one contract version stands."""

    version: GrantedName
    """The contract version; * for REST, where all are granted together."""
    state: GrantState
    """Pending: something is missing. Active: the consumer may call. Revoking: it may not any more, and what
    let it in is being removed. Revoked: it is gone. Expired: it ended on its day. Refused: the holder said
    no."""
    reason: Short
    """Why, in one word."""
    message: Message = ""
    """Why, in a sentence; the consumer reads the same."""
    active_since: DateTime | None = None
    """Since when it is Active, or was last."""
    ends_on: Date | None = None
    """The last day on which it is Active, where that is known."""


class GrantConsumer(Model):
    """Who is let in, as observed."""

    institution: Short
    """The institution that the EService is registered for."""
    code: InstitutionCode
    """Its code in the national register."""
    environment: Environment
    """The environment of the EService: Test, Acceptance or Production."""


class WebServiceGrantStatus(Status):
    """The computed side of a grant."""

    state: GrantState | None = None
    """The best of the states of its contract versions: Active, Pending, Revoking, Revoked, Expired or
    Refused."""
    reason: Short | None = None
    """Why, in one word."""
    contract_versions: Annotated[
        tuple[GrantedVersionStatus, ...],
        Field(max_length=2 * MOST_GRANTED, json_schema_extra=list_map("version")),
    ] = ()
    """How each contract version stands."""
    consumer: GrantConsumer | None = None
    """Who is let in."""
    ends_on: Date | None = None
    """The last day on which any of it is Active, where that is known."""


class WebServiceGrant(Model):
    """The holder's answer to one consumer: what it may call, until when, or that it may not (R3)."""

    model_config = ConfigDict(json_schema_extra=rules(NAMED_AS_A_LABEL))

    metadata: ObjectMeta
    spec: WebServiceGrantSpec
    status: WebServiceGrantStatus = WebServiceGrantStatus()

    @property
    def web_service(self) -> WebServiceRef:
        """The WebService that it is of, which is beside it."""
        return WebServiceRef(namespace=self.metadata.namespace, name=self.spec.web_service)

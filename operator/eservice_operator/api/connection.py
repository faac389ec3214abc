# SPDX-License-Identifier: Apache-2.0
"""ConnectionTest: proof that a consumer's connection to a contract version passed its test (R10)."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict

from eservice_operator.api.base import Model, ObjectMeta, SetOnceRevocation, SignedDocument, Status
from eservice_operator.api.fields import Instant, Name, ObjectName, cel, immutable_but_revoked, rules
from eservice_operator.api.uses import ContractVersion, WebServiceRef


class ObservedConnection(Model):
    """The connection in Production that was opened, and by that shows that its test was passed."""

    namespace: Name
    """Namespace of the WebServiceGrant."""
    grant: Name
    """Name of the WebServiceGrant."""


class ConnectionTestSpec(Model):
    """Who passed which test."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *immutable_but_revoked(
                "a connection test",
                "webService",
                "registration",
                "contractVersion",
                "passedAt",
                "report",
                "observed",
            ),
            cel(
                "has(self.report) != has(self.observed)",
                "name the report of the test; observed is the operator's own way of recording one",
            ),
        )
    )

    web_service: WebServiceRef
    """The WebService in Production that the consumer may then be let in to."""
    registration: ObjectName
    """The registration of the e-service that was tested."""
    contract_version: ContractVersion
    """The contract version that was tested."""
    passed_at: Instant
    """When it was passed."""
    report: SignedDocument | None = None
    """The report, where the test environment is another cluster."""
    observed: ObservedConnection | None = None
    """Written by the operator: what it opened once, it need not see the test of again."""
    revoked: SetOnceRevocation | None = None
    """It proves nothing from that day; set once."""

    def passed_by(self, now: datetime) -> bool:
        """Whether the test is passed. What was opened is, whichever node's clock dated it."""
        return self.observed is not None or self.passed_at <= now


class ConnectionTest(Model):
    """Proof of a passed connection test, where the test environment is another cluster (R10)."""

    metadata: ObjectMeta
    spec: ConnectionTestSpec
    status: Status = Status()

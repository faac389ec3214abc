# SPDX-License-Identifier: Apache-2.0
"""The web services that an e-service asks to call (R3, R9), and how they and their contracts are named."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict

from eservice_operator.api.base import Model
from eservice_operator.api.fields import Name, cel, rules, text

ContractVersion = Annotated[
    str,
    text(
        r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        "write a contract version of a-z, 0-9, - and ., such as v5",
        most=32,
    ),
]
"""A contract version of a web service, such as ``v5``; also the subresource that may be invoked."""
UseName = Annotated[
    str,
    text(
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        "write a name of at most 48 of a-z, 0-9 and -, with a letter or a digit at both ends",
        most=48,
    ),
]
"""A DNS label that, behind a word, is the name of a volume."""


class WebServiceRef(Model):
    """A WebService of a holder."""

    namespace: Name
    """Namespace of the holder's WebService."""
    name: Name
    """Name of the WebService."""


class Use(Model):
    """A web service that the e-service asks to call (R3): the holder grants it, or does not."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "!has(self.agent) || !has(self.contractVersion)",
                "leave contractVersion out: through an agent it is the agent's connection that has a version",
                fieldPath=".contractVersion",
            ),
            cel(
                "!has(self.agent) || !has(self.asAgent)",
                "name agent or asAgent: an e-service is a customer of an agent, or an agent's application",
                fieldPath=".asAgent",
            ),
        )
    )

    name: UseName
    """What the e-service calls it, and the folder of its binding."""
    web_service: WebServiceRef
    """The holder's WebService."""
    contract_version: ContractVersion | None = None
    """The contract version, for SOAP; absent for REST, where a grant covers all of them, and with an
    agent."""
    agent: Name | None = None
    """The AgentAssignment, beside the WebService, through whose connection the call goes (R9)."""
    as_agent: Name | None = None
    """The AgentAssignment, beside the WebService, whose agent's application the e-service is (R9): it
    calls for the customers that the holder lists there, and lets them in."""

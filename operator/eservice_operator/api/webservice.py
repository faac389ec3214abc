# SPDX-License-Identifier: Apache-2.0
"""WebService: an API of its holder in one environment, with its contract versions (R3, R10)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from eservice_operator.api.base import NAMED_AS_A_LABEL, Environment, LocalizedTitle, Model, ObjectMeta
from eservice_operator.api.container import Port
from eservice_operator.api.fields import (
    LIST_ATOMIC,
    Day,
    Email,
    Name,
    Short,
    cel,
    list_map,
    rules,
    text,
)
from eservice_operator.api.outside import OutsideNetwork, OutsideUrl
from eservice_operator.api.people import InstitutionCode
from eservice_operator.api.uses import ContractVersion, WebServiceRef
from eservice_operator.api.webservice_status import MOST_CONTRACTS, WebServiceStatus


class Protocol(StrEnum):
    """How the web service is called, which says how its contract versions are granted (R10)."""

    SOAP = "SOAP"
    REST = "REST"


class Isolation(StrEnum):
    """Whether callers without a grant are cut off."""

    ENFORCE = "Enforce"
    OBSERVE = "Observe"


class Visibility(StrEnum):
    """Whether those who have no grant may know that there is such a web service."""

    LISTED = "Listed"
    UNLISTED = "Unlisted"


class Scheme(StrEnum):
    """How the backend is spoken to."""

    HTTP = "http"
    HTTPS = "https"


class Holder(Model):
    """Who the web service belongs to, and alone opens it (R3)."""

    institution: Short
    """Name or abbreviation of the institution."""
    code: InstitutionCode
    """Its code in the national register; the namespace has to be labelled with it."""
    email: Email
    """Who answers requests for access."""


class Contract(Model):
    """A version of the contract between the web service and its callers (R10)."""

    version: ContractVersion
    """What the version is called, such as v5."""
    end_of_life: Day | None = None
    """The last day on which it is served; none while nobody plans to retire it."""


class BackendService(Model):
    """A Service beside the WebService."""

    name: Name
    """Name of the Service."""
    port: Port
    """One of its ports."""
    scheme: Scheme = Scheme.HTTPS
    """How it is spoken to: http or https."""


class Backend(Model):
    """Where the web service answers: a Service in its namespace, or an address outside of the cluster."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "has(self.service) != has(self.url)",
                "name either service, a Service in this namespace, or url, an address outside of the cluster",
            ),
            cel(
                "!has(self.networks) || has(self.url)",
                "networks are those of an address outside of the cluster: leave them out beside service",
                fieldPath=".networks",
            ),
            cel(
                "!has(self.url) || self.path == '/'",
                "the path of an address outside of the cluster is part of url: leave path out",
                fieldPath=".path",
            ),
        )
    )

    service: BackendService | None = None
    """The Service in the same namespace, whose Pods are then closed to everybody without a grant."""
    url: OutsideUrl | None = None
    """The address outside of the cluster; who may call it there is not enforced by the operator."""
    networks: Annotated[tuple[OutsideNetwork, ...], Field(max_length=16, json_schema_extra=LIST_ATOMIC)] = ()
    """The networks that the address of url lies in: consumers' Pods may reach them on its port."""
    path: Annotated[
        str, text(r"^/[!-~]*$", "write a path that begins with /, such as /services/persons", most=512)
    ] = "/"
    """The path that calls begin with, behind a service."""


class WebServiceSpec(Model):
    """An API of a holder in one environment."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *(
                cel(
                    f"self.{field} == oldSelf.{field}",
                    f"{field} never changes: create another WebService instead",
                    fieldPath=f".{field}",
                )
                for field in ("environment", "protocol")
            ),
            cel(
                "!has(self.testedAs) || (self.protocol == 'SOAP' && self.environment == 'Production')",
                "testedAs is for SOAP in Production: leave it out",
                fieldPath=".testedAs",
            ),
        )
    )

    title: LocalizedTitle | None = None
    """What the web service is called, for people."""
    holder: Holder
    """Who it belongs to."""
    environment: Environment
    """Test, Acceptance or Production; e-services of the same environment call it. It never changes."""
    protocol: Protocol
    """SOAP: each contract version is granted, and tested, for itself. REST: a grant covers all of them, also
    those to come. It never changes."""
    contracts: Annotated[
        tuple[Contract, ...],
        Field(min_length=1, max_length=MOST_CONTRACTS, json_schema_extra=list_map("version")),
    ]
    """Its contract versions."""
    backend: Backend
    """Where it answers."""
    tested_as: WebServiceRef | None = None
    """For SOAP in Production: the WebService at which consumers test before they are let in here (R10)."""
    isolation: Isolation = Isolation.ENFORCE
    """Enforce: who has no grant is cut off. Observe: nobody is, and the authorizer counts who would be."""
    visibility: Visibility = Visibility.UNLISTED
    """Listed: who asks for it is told whom to turn to. Unlisted: who asks and has no grant learns no more
    than of one that does not exist."""


class WebService(Model):
    """An API of a holder in one environment: protocol, contract versions and where it answers (R3)."""

    model_config = ConfigDict(json_schema_extra=rules(NAMED_AS_A_LABEL))

    metadata: ObjectMeta
    spec: WebServiceSpec
    status: WebServiceStatus = WebServiceStatus()

    @property
    def reference(self) -> WebServiceRef:
        """How others name it."""
        return WebServiceRef(namespace=self.metadata.namespace, name=self.metadata.name)

    def contract(self, version: str) -> Contract | None:
        """The contract version of that name."""
        for one in self.spec.contracts:
            if one.version == version:
                return one
        return None

# SPDX-License-Identifier: Apache-2.0
"""The computed side of a web service: who asks for it, and who still uses each contract version (R3, R10)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from eservice_operator.api.base import Model, Status
from eservice_operator.api.fields import (
    LIST_ATOMIC,
    Date,
    DateTime,
    Line,
    Message,
    Name,
    ObjectName,
    Short,
    list_map,
    text,
)
from eservice_operator.api.notices import Notices, WarnedDays
from eservice_operator.api.uses import ContractVersion

MOST_LISTED = 100
"""How many requests, consumers or customers a status lists; the rest is counted."""
MOST_CONTRACTS = 16


class RequestState(StrEnum):
    """How far a request for access has got."""

    WAITING = "Waiting"
    PENDING = "Pending"
    GRANTED = "Granted"
    REFUSED = "Refused"
    ENDED = "Ended"


class AccessRequest(Model):
    """An e-service that asks for the web service: its ``uses`` is the request (R3)."""

    namespace: Name
    """Namespace of the EService."""
    e_service: Name
    """Name of the EService."""
    registration: ObjectName
    """Its registration."""
    institution: Short
    """The institution that asks."""
    contract_version: ContractVersion | None = None
    """The contract version that is asked for, for SOAP."""
    agent: Name | None = None
    """The agent through whose connection it wants to call."""
    as_agent: Name | None = None
    """The assignment whose agent's application it is, where it asks as one."""
    state: RequestState
    """Waiting: nobody has answered. Pending: a grant is there, and something is missing. Granted. Refused.
    Ended: what was granted is over."""
    since: DateTime | None = None
    """Since when it has that state, as far as the operator saw."""
    grant: Short | None = None
    """The WebServiceGrant that answers it."""
    message: Message = ""
    """What is missing, or why it was refused or is over: the words that the consumer reads, too."""


class ContractState(StrEnum):
    """Where a contract version is in its life."""

    OPEN = "Open"
    RETIRING = "Retiring"
    RETIRED = "Retired"


class WebServiceConsumer(Model):
    """An e-service that may call."""

    namespace: Name
    """Namespace of the EService."""
    e_service: Name
    """Name of the EService."""
    institution: Short
    """Whose it is."""
    agent: Name | None = None
    """The assignment that it calls for, where it is an agent's application."""
    customer_count: Annotated[int | None, Field(ge=0)] = None
    """How many e-services call through it, where it is an agent's application."""
    through: Name | None = None
    """The assignment whose agent calls for it, where it is a customer."""


class ContractStatus(Model):
    """A contract version and who still uses it."""

    version: ContractVersion
    """The contract version."""
    state: ContractState
    """Open: it has no end. Retiring: its last day is known. Retired: that day is over, nobody is let in."""
    end_of_life: Date | None = None
    """Its last day."""
    consumer_count: Annotated[int, Field(ge=0)] = 0
    """How many e-services may call it; of an agent's the application."""
    customer_count: Annotated[int, Field(ge=0)] = 0
    """How many e-services may call it through agents."""
    consumers: Annotated[
        tuple[WebServiceConsumer, ...], Field(max_length=MOST_LISTED, json_schema_extra=LIST_ATOMIC)
    ] = ()
    """Which ones: those that call it, then those that do so through an agent; of many the first 100."""


class WebServiceStatus(Status):
    """The computed side of a web service."""

    audience: Line | None = None
    """The audience of the tokens that callers present."""
    request_count: Annotated[int, Field(ge=0)] = 0
    """How many requests there are."""
    waiting_count: Annotated[int, Field(ge=0)] = 0
    """How many of them nobody has answered."""
    requests: Annotated[
        tuple[AccessRequest, ...], Field(max_length=MOST_LISTED, json_schema_extra=LIST_ATOMIC)
    ] = ()
    """Who asks; those that wait come first, and of many the first 100 are here."""
    requests_hash: Annotated[str, text(r"^[0-9a-f]+$", "left to the operator", most=16)] | None = None
    """Hash of all requests, also those that are only counted."""
    consumer_count: Annotated[int, Field(ge=0)] = 0
    """How many e-services may call it now."""
    contracts: Annotated[
        tuple[ContractStatus, ...], Field(max_length=MOST_CONTRACTS, json_schema_extra=list_map("version"))
    ] = ()
    """Each contract version, and who still uses it."""
    next_end: Date | None = None
    """The last day of the contract version that ends next."""
    warned: WarnedDays = ()
    """Which ends of contract versions the holder was warned of."""
    notices: Notices = ()
    """Whom the operator told: all that is on its way, the last 20 that are done, and the last of
    each kind."""

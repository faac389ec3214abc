# SPDX-License-Identifier: Apache-2.0
"""Who an e-service belongs to, who is told about it, and who works on it (R1)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from eservice_operator.api.base import Model
from eservice_operator.api.fields import Email, Line, Phone, Short, list_map, text

InstitutionCode = Annotated[
    str,
    text(
        r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
        "write the code with letters, digits, -, _ and . only, such as 90000054163",
        most=63,
    ),
]
"""The institution's code in the national register; also the value of a label."""


class Contact(Model):
    """A person of the institution."""

    name: Short
    """Name of the person."""
    email: Email
    """Where notices go."""
    phone: Phone | None = None
    """Telephone number."""
    role: Short | None = None
    """What the person does for the e-service, such as Owner."""


class Institution(Model):
    """The institution that is responsible for the e-service."""

    name: Short
    """Name or abbreviation of the institution."""
    code: InstitutionCode
    """Its code in the national register."""
    contacts: Annotated[
        tuple[Contact, ...], Field(min_length=1, max_length=16, json_schema_extra=list_map("email"))
    ]
    """Who is told what happens to the e-service; at least one person."""


class AgencyContact(Model):
    """The contact person at the Agency."""

    name: Short
    """Name of the person."""
    email: Email
    """Address of the person."""


class SubjectKind(StrEnum):
    """Kind of an RBAC subject."""

    USER = "User"
    GROUP = "Group"


class Subject(Model):
    """A person or a group."""

    kind: SubjectKind
    """Whether it is a User or a Group."""
    name: Line
    """Name of the user or the group as the cluster knows it."""


Subjects = Annotated[tuple[Subject, ...], Field(max_length=64, json_schema_extra=list_map("kind", "name"))]


class Access(Model):
    """Who of the institution works on the e-service."""

    developers: Subjects = ()
    """They maintain the EService objects."""
    testers: Subjects = ()
    """They test; they have no rights in Production."""
    verifiers: Subjects = ()
    """They verify an installation in Production before the public sees it (R6), and may do nothing else
    there."""
    api_publishers: Subjects = ()
    """They publish web services."""


def mail_domain(address: str) -> str:
    """What is behind the ``@`` of an e-mail address, in lower case."""
    return address.rpartition("@")[2].lower()

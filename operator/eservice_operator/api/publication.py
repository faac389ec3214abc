# SPDX-License-Identifier: Apache-2.0
"""How the public reaches an e-service: hosts, catalogue, support, pauses (R4)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from eservice_operator.api.base import LocalizedText, LocalizedTitle, Model
from eservice_operator.api.fields import (
    LIST_SET,
    Email,
    Host,
    Instant,
    Name,
    ObjectName,
    Phone,
    Short,
    Told,
    Url,
    text,
)


class Catalogue(Model):
    """The description in the public service catalogue (R4)."""

    url: Url | None = None
    """Where the catalogue shows the e-service."""
    title: LocalizedTitle = LocalizedTitle()
    """What the e-service is called."""
    description: LocalizedText = LocalizedText()
    """What the e-service does."""
    channels: Annotated[tuple[Short, ...], Field(max_length=16, json_schema_extra=LIST_SET)] = ()
    """How people reach it, such as Web or Mobile."""


class Support(Model):
    """Whom people ask for help."""

    email: Email | None = None
    """E-mail address for help."""
    phone: Phone | None = None
    """Telephone number for help."""


class Pause(Model):
    """The institution takes the e-service off the public route for a while."""

    reason: Told
    """Why it is off, for whoever may read the EService: the condition Published and the Event Paused say it.
    The public is not told."""
    until: Instant | None = None
    """When it comes back by itself, which the notice page tells the public; one that has passed pauses
    nothing. Absent: it comes back once paused is removed."""


class GatewayChoice(Model):
    """A Gateway other than the public one."""

    namespace: Name
    """Namespace of the Gateway."""
    name: ObjectName
    """Name of the Gateway."""
    section: ObjectName | None = None
    """The listener; absent for all of them."""


PublicPath = Annotated[
    str,
    text(
        r"^/(\.?[A-Za-z0-9_~-][A-Za-z0-9._~-]*(/\.?[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?)?$",
        "write a path such as / or /declare, without //, . and .. as parts of it",
        most=1024,
    ),
]


class Publication(Model):
    """How the public reaches the e-service."""

    hosts: Annotated[tuple[Host, ...], Field(min_length=1, max_length=16, json_schema_extra=LIST_SET)]
    """The public hosts; each must be among the registration's hosts for the environment."""
    path: PublicPath = "/"
    """The path prefix that is served."""
    gateway: GatewayChoice | None = None
    """The Gateway that serves it, one that the Agency allows; absent for the public one."""
    catalogue: Catalogue = Catalogue()
    """The description in the public service catalogue."""
    support: Support = Support()
    """Whom people ask for help."""
    paused: Pause | None = None
    """Takes the e-service off the public route for a while."""

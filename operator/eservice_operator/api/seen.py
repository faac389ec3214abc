# SPDX-License-Identifier: Apache-2.0
"""What the outside-in probe saw of an e-service's public hosts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from eservice_operator.api.base import Model
from eservice_operator.api.fields import DateTime, Host, list_map


class Answered(StrEnum):
    """Who, or what, answered for a host."""

    E_SERVICE = "EService"
    """The e-service's own public route: its mark is on the answer."""
    NOTICE = "Notice"
    """The notice page."""
    OTHER = "Other"
    """The public route of another e-service: the mark is not ours."""
    UNMARKED = "Unmarked"
    """Somebody: there is no mark on the answer."""
    NOTHING = "Nothing"
    """An error without a mark (404, 5xx), as gateways answer for what they do not serve."""
    REFUSED = "Refused"
    """Nobody: the connection was refused."""
    REDIRECTED = "Redirected"
    """The host sends on to itself too often, or to where the probe does not go."""
    TIMED_OUT = "TimedOut"
    """Nobody within five seconds."""
    NO_ADDRESS = "NoAddress"
    """DNS has no address for the host."""
    NOT_ALLOWED = "NotAllowed"
    """DNS has only addresses that the probe may not ask."""
    UNTRUSTED = "Untrusted"
    """A server whose certificate is not trusted for the host."""
    BROKEN = "Broken"
    """The connection broke, or what came was no HTTP."""


class SeenRoute(Model):
    """The public route that the hosts were asked about."""

    face: Literal["Live", "Notice", "Nothing"]
    """What it was meant to show: Live (the e-service), Notice (the notice page) or Nothing (no route)."""
    generation: Annotated[int, Field(ge=0)] = 0
    """Its generation; 0 where there is no route."""


class SeenHost(Model):
    """What answered for one host."""

    host: Host
    """The public host."""
    answer: Answered
    """Who or what answered. EService: its own route. Notice: the notice page. Other: the route of another
    e-service. Unmarked: somebody else's server, or the e-service where routes are not marked. Nothing: an
    error of the gateway. The others are no answers: Refused, Redirected, TimedOut, NoAddress, NotAllowed (a
    private address), Untrusted (its certificate) and Broken."""
    code: Annotated[int, Field(ge=100, le=999)] | None = None
    """The HTTP status that this answer first came with; a 5xx gives way to the first other one. Absent where
    there was none."""
    since: DateTime
    """Since when it answers so."""


class PublicationStatus(Model):
    """What was seen of the publication from outside."""

    route: SeenRoute | None = None
    """The route that the hosts were asked about."""
    hosts: Annotated[tuple[SeenHost, ...], Field(max_length=16, json_schema_extra=list_map("host"))] = ()
    """What answered for each host; changes when another answers, not when the same is asked again."""

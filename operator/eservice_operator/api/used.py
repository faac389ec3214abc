# SPDX-License-Identifier: Apache-2.0
"""The computed side of ``uses``: how each web service that an e-service asks for stands (R3, R10)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from eservice_operator.api.base import Model
from eservice_operator.api.fields import Date, DateTime, Line, Message, Short, list_map
from eservice_operator.api.notices import WarnedDays
from eservice_operator.api.uses import UseName
from eservice_operator.api.webservice_status import RequestState

MOST_USES = 64
Heard = Literal[RequestState.GRANTED, RequestState.REFUSED, RequestState.ENDED]
"""What an institution is told of a use."""


class EndedUse(Model):
    """Until when a use was granted, and why it is not any more."""

    at: DateTime
    """Since when it is not granted."""
    reason: Short
    """Why it ended, in one word."""
    message: Message
    """Why it ended, in a sentence; what is said of it now may be another."""


class UseStatus(Model):
    """How one use stands: its holder reads the same of it, in the WebService."""

    name: UseName
    """What the use is called in spec.uses."""
    web_service: Line
    """What it asks for: namespace/name, the contract version, and through whom."""
    holder: Short | None = None
    """The institution whose web service it is, where the e-service may know that; once granted it does."""
    contact: Short | None = None
    """The e-mail address of the holder."""
    state: RequestState
    """Waiting: nobody has answered. Pending: a grant is there, and something is missing. Granted: the
    e-service may call. Refused: the holder said no. Ended: it is over."""
    reason: Short
    """Why, in one word."""
    message: Message = ""
    """Why, in a sentence."""
    since: DateTime
    """Since when it has that state."""
    ends_on: Date | None = None
    """The last day on which it is granted, where that is known."""
    ended: EndedUse | None = None
    """While it is not granted any more: since when, and why it ended."""
    told: Heard | None = None
    """What the institution was told last: Granted, Refused or Ended."""
    told_at: DateTime | None = None
    """When it was told; none of what had long been so when the operator first saw it."""
    warned: WarnedDays = ()
    """Which ends to come the institution was warned of."""


UsesStatus = Annotated[tuple[UseStatus, ...], Field(max_length=MOST_USES, json_schema_extra=list_map("name"))]

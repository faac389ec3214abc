# SPDX-License-Identifier: Apache-2.0
"""The ledger of notices: whom the operator told what."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from eservice_operator.api.base import Model
from eservice_operator.api.fields import LIST_ATOMIC, DateTime, Line, Short


class Notice(Model):
    """An entry of the ledger of notices: written before sending."""

    id: Line
    """Derived from the object, the change, the channel and the recipient, so that nothing is told twice."""
    kind: Short
    """What was told, such as UnpublishScheduled."""
    channel: Short
    """How it was told, such as Email."""
    recipient: Line
    """To whom it was told."""
    state: Short
    """Sending: about to be handed over. Sent: the channel accepted it. Failed: it did not."""
    at: DateTime
    """When it was last tried."""
    attempts: Annotated[int, Field(ge=0)] = 0
    """How often it was tried."""


Notices = Annotated[tuple[Notice, ...], Field(max_length=20, json_schema_extra=LIST_ATOMIC)]

# SPDX-License-Identifier: Apache-2.0
"""R1: who else has or wants a host of an e-service. Nothing of theirs is ever changed; both are told."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from eservice_operator.api.base import Model
from eservice_operator.api.fields import LIST_ATOMIC, Host, Line


class Standing(StrEnum):
    """How somebody else stands to a host of an e-service, the gravest first."""

    SERVES = "Serves"
    RESERVED = "Reserved"
    WAITS = "Waits"
    BESIDE = "Beside"

    @property
    def holds(self) -> bool:
        """Whether the e-service does not get the host meanwhile."""
        return self in {Standing.SERVES, Standing.RESERVED}


class Contender(Model):
    """Somebody else who has or wants a host of this e-service."""

    host: Host
    """Which of its hosts."""
    by: Line
    """Which object it is: its kind, and namespace/name."""
    standing: Standing
    """Serves: it is served the host, so that this e-service does not get it. Reserved: the host is kept
    for that EService, so that this one waits. Waits: it waits, since this e-service has the host.
    Beside: it may answer for the host beside this e-service, as an Ingress or a wildcard does."""


MOST_CONTENDERS = 16
Contenders = Annotated[
    tuple[Contender, ...], Field(max_length=MOST_CONTENDERS, json_schema_extra=LIST_ATOMIC)
]

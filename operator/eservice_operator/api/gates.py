# SPDX-License-Identifier: Apache-2.0
"""What holds an e-service back: which gate, why, and who has to do something about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import StringConstraints

from eservice_operator.api.base import Model
from eservice_operator.api.fields import DateTime, Message, Short
from eservice_operator.api.reasons import Gate


class GateOwner(StrEnum):
    """Who has to supply what a gate misses."""

    INSTITUTION = "Institution"
    AGENCY = "Agency"
    HOLDER = "Holder"
    OPERATOR = "Operator"


class UnmetGate(Model):
    """A gate that is not passed."""

    gate: Gate
    """Which gate it is; the reference has a line on each."""
    blocks: Literal["Install", "Publish"]
    """What it holds back: Install or Publish."""
    reason: Short
    """Why it is not passed, in one word."""
    message: Message
    """What is missing, and what to do."""
    owner: GateOwner
    """Who has to supply it: Institution, Agency, Holder (of a web service) or Operator (it is at work)."""
    rule: Annotated[str, StringConstraints(pattern=r"^R[0-9]{1,2}$", max_length=3)]
    """The rule it comes from, such as R2."""
    since: DateTime
    """Since when it is not passed."""

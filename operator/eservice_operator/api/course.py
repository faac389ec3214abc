# SPDX-License-Identifier: Apache-2.0
"""The course of an e-service's life in its status: what has happened, and what happens next."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from eservice_operator.api.base import Model
from eservice_operator.api.fields import DateTime, Message, Short
from eservice_operator.api.reasons import Phase


class Next(Model):
    """What happens next by itself."""

    action: Short
    """What happens, such as Unpublish."""
    at: DateTime
    """When it happens."""
    why: Message
    """Why it happens."""


class PhaseChange(Model):
    """A change of phase."""

    at: DateTime
    """When the phase changed."""
    phase: Phase
    """The phase it changed to."""
    reason: Short
    """Why it changed, in one word."""
    inputs_hash: Annotated[str, StringConstraints(max_length=16)] = ""
    """Hash of the facts that it was decided on."""

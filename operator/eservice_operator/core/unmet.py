# SPDX-License-Identifier: Apache-2.0
"""What a gate answers when it is not passed: what is missing, who supplies it, and by which rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from eservice_operator.api.gates import GateOwner
from eservice_operator.api.reasons import Gate, Reason
from eservice_operator.core.facts import Facts
from eservice_operator.core.signed import Subject


class Blocks(StrEnum):
    """What an unmet gate holds back."""

    INSTALL = "Install"
    PUBLISH = "Publish"


@dataclass(frozen=True, slots=True)
class Unmet:
    """A gate that is not passed."""

    gate: Gate
    blocks: Blocks
    reason: Reason
    message: str
    owner: GateOwner
    rule: str


Check = Callable[[Facts, Subject], Unmet | None]


def holds_install(gate: Gate, reason: Reason, message: str, owner: GateOwner, rule: str) -> Unmet:
    """A gate before the installation."""
    return Unmet(gate, Blocks.INSTALL, reason, message, owner, rule)


def holds_publish(gate: Gate, reason: Reason, message: str, owner: GateOwner, rule: str) -> Unmet:
    """A gate before the publication."""
    return Unmet(gate, Blocks.PUBLISH, reason, message, owner, rule)

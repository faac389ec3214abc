# SPDX-License-Identifier: Apache-2.0
"""The phases that an e-service went through lately, and on what facts each was decided."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from eservice_operator.api.base import ObjectMeta
from eservice_operator.api.course import PhaseChange
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.reasons import Phase
from eservice_operator.core.facts import Facts
from eservice_operator.core.releases import short_hash

HISTORY_LENGTH: Final = 20
"""Phases that are remembered."""


def history(
    old: EServiceStatus, now: datetime, phase: Phase, reason: str, facts: Facts | None = None
) -> tuple[PhaseChange, ...]:
    """The history with the phase, where that is another than before; ``facts`` where the spec can be read."""
    if old.phase is phase:
        return old.history
    inputs_hash = "" if facts is None else _inputs_hash(facts)
    change = PhaseChange(at=now, phase=phase, reason=reason, inputs_hash=inputs_hash)
    return (*old.history, change)[-HISTORY_LENGTH:]


def _inputs_hash(facts: Facts) -> str:
    """Hash of the facts about releases and gates, for telling decisions apart later."""
    world = facts.world
    records: list[ObjectMeta] = [
        *(act.metadata for act in world.acts),
        *(verification.metadata for verification in world.verifications),
        *(deferral.metadata for deferral in world.deferrals),
        *(decision.metadata for decision in world.decisions),
    ]
    return short_hash(
        [
            world.service.metadata.generation,
            facts.public_name,
            sorted((name, known.template.metadata.generation) for name, known in world.templates.items()),
            None if world.registration is None else world.registration.metadata.generation,
            sorted((metadata.name, metadata.generation) for metadata in records),
        ],
        16,
    )

# SPDX-License-Identifier: Apache-2.0
"""Events to publish, and those of the registers: of templates and of registrations."""

from __future__ import annotations

from dataclasses import dataclass

from eservice_operator.api.notices import NoticeKind
from eservice_operator.api.registration import EServiceRegistrationStatus
from eservice_operator.api.template import EServiceTemplateStatus

NORMAL = "Normal"
WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class Note:
    """An Event to publish: its type, reason, what the operator did, and the text."""

    type: str
    reason: str
    action: str
    text: str


def template_notes(old: EServiceTemplateStatus, new: EServiceTemplateStatus) -> tuple[Note, ...]:
    """The Events of a template: each set of decisions that the brake took."""
    known = {one.token for one in old.held}
    return tuple(
        Note(
            WARNING,
            NoticeKind.BRAKE_ENGAGED.value,
            "Hold",
            f"{one.count} unpublications within 24 hours are held: the Agency releases the set {one.token}",
        )
        for one in new.held
        if one.token not in known
    )


def registration_notes(old: EServiceRegistrationStatus, new: EServiceRegistrationStatus) -> tuple[Note, ...]:
    """The Events of a registration: that it has its number."""
    if new.identifier is None or new.identifier == old.identifier:
        return ()
    text = f"the e-service has the number {new.identifier}"
    return (Note(NORMAL, NoticeKind.IDENTIFIER_ASSIGNED.value, "Register", text),)

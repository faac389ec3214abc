# SPDX-License-Identifier: Apache-2.0
"""R8: an UnpublishDecision as the status of its EService remembers it, should somebody delete it."""

from __future__ import annotations

from eservice_operator.api.base import Model, TemplateRef
from eservice_operator.api.fields import Date, DateTime, ObjectName, SemVer, Short


class RememberedDecision(Model):
    """What an UnpublishDecision said when it was last seen."""

    name: ObjectName
    """Name of the UnpublishDecision; its number is never given again."""
    template: TemplateRef
    """The template version that it is about."""
    overdue_since: Date | None = None
    """Its overdueSince, while it is open."""
    caused_by: SemVer | None = None
    """Its causedBy, while it is open."""
    effective_at: DateTime | None = None
    """When it takes effect, deferrals included; absent once it is closed."""
    undeferred_at: DateTime | None = None
    """When it would take effect without a deferral, as announced last; absent once it is closed."""
    deferred_until: Date | None = None
    """The last day of the deferral that is honoured."""
    deferral: ObjectName | None = None
    """Name of that deferral."""
    lapsed: Short | None = None
    """Why its day passed without it: TemplateUnknown, NotEnforced or NoLongerOverdue; absent otherwise."""
    effective_since: DateTime | None = None
    """Since when it keeps the e-service off the public route; absent while it does not."""
    hold_token: Short | None = None
    """The token of the set that the brake holds it in, until that is released."""
    held_since: DateTime | None = None
    """When the brake took it into that set."""

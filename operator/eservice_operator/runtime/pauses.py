# SPDX-License-Identifier: Apache-2.0
"""Objects that count many others are not counted anew at each change of one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from eservice_operator.core.keys import ObjectKey

PAUSE = timedelta(seconds=2)
"""How often at most an object counts."""


@dataclass
class Pauses:
    """When each object last counted, and the mark of what cannot wait."""

    _counted: dict[ObjectKey, tuple[datetime, object]] = field(default_factory=dict)

    def until(self, key: ObjectKey, mark: object, now: datetime) -> datetime | None:
        """Until when it need not be looked at: it was just now, and under the same mark; else it is now."""
        known = self._counted.get(key)
        if known is not None and known[1] == mark and timedelta(0) <= now - known[0] < PAUSE:
            return known[0] + PAUSE
        self._counted[key] = now, mark
        return None

    def forget(self, key: ObjectKey) -> None:
        """It is gone."""
        self._counted.pop(key, None)

# SPDX-License-Identifier: Apache-2.0
"""Objects that count many others are not counted anew at each change of one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.ports import Result

PAUSE = timedelta(seconds=2)
"""How often at most an object counts."""
LONGEST = timedelta(seconds=30)
SHARE = 10
"""One that takes long rests so many times as long, so that others are reconciled meanwhile."""


@dataclass
class Pauses:
    """When each object last counted, and the mark of what cannot wait."""

    _counted: dict[ObjectKey, tuple[datetime, object]] = field(default_factory=dict)
    _long: dict[ObjectKey, timedelta] = field(default_factory=dict)

    def until(self, key: ObjectKey, mark: object, now: datetime) -> datetime | None:
        """Until when it need not be looked at: it was just now, and under the same mark; else it is now."""
        known = self._counted.get(key)
        pause = self._long.get(key, PAUSE)
        if known is not None and known[1] == mark and timedelta(0) <= now - known[0] < pause:
            return known[0] + pause
        self._counted[key] = now, mark
        return None

    async def spaced(
        self,
        key: ObjectKey,
        mark: object,
        now: datetime,
        monotonic: Callable[[], float],
        look: Callable[[], Awaitable[Result]],
    ) -> Result:
        """Have an object looked at, unless it just was; what fails is followed up at its own pace."""
        pause = self.until(key, mark, now)
        if pause is not None:
            return Result(next_at=pause)
        began, result = monotonic(), None
        try:
            result = await look()
        finally:
            if result is None or result.error is not None:
                self.forget(key)
            else:
                self.took(key, monotonic() - began)
        return result

    def took(self, key: ObjectKey, seconds: float) -> None:
        """How long its last look took."""
        rest = min(timedelta(seconds=seconds * SHARE), LONGEST)
        if rest > PAUSE and key in self._counted:
            self._long[key] = rest
        else:
            self._long.pop(key, None)

    def forget(self, key: ObjectKey) -> None:
        """It is gone."""
        self._counted.pop(key, None)
        self._long.pop(key, None)

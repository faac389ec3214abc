# SPDX-License-Identifier: Apache-2.0
"""How attempts at requests went: what the figures, readiness and the guard of the clock go by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

AUDITED: Final = "Audit-Id"
"""The header by which an API server's answer is known from one of somebody in between."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt at a request went; told at the moment at which the headers of the answer have come."""

    verb: str
    code: int
    """The HTTP status; 0 when no answer came."""
    seconds: float
    """Until the answer, or the failure, came."""
    date: str = ""
    """The answer's ``Date`` header as it stands there; empty when there was none."""
    audited: bool = False
    """Whether the answer names an entry of the audit log, as each one of an API server does."""

    @property
    def answered(self) -> bool:
        """Whether the API server itself answered: an error of a server may be that of one in between.

        It can be its own, too: while it cannot convert one kind, it answers everything else.
        """
        return self.audited or 0 < self.code < 500  # noqa: PLR2004


OnRequest = Callable[[Attempt], None]

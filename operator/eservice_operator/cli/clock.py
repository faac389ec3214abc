# SPDX-License-Identifier: Apache-2.0
"""The one place of the command line that asks for the time."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The instant, in UTC and whole seconds, as decisions take it."""
    return datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the one place

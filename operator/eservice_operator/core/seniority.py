# SPDX-License-Identifier: Apache-2.0
"""Which of several objects was there first."""

from __future__ import annotations

from datetime import UTC, datetime

from eservice_operator.api.base import ObjectMeta

UNDATED = datetime.min.replace(tzinfo=UTC)


def age(metadata: ObjectMeta) -> tuple[datetime, str]:
    """Sort key for "newest": creation time, then name."""
    return metadata.creation_timestamp or UNDATED, metadata.name

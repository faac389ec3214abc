# SPDX-License-Identifier: Apache-2.0
"""What a public route shows: the e-service, the page that says it is not available, or nothing at all."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from eservice_operator.api import names

if TYPE_CHECKING:
    from eservice_operator.core.world import Observed


class Face(StrEnum):
    """What the public sees under the hosts of an e-service."""

    LIVE = "Live"
    """The e-service itself."""
    NOTICE = "Notice"
    """The notice page: the e-service is off, and its hosts stay reserved."""
    NOTHING = "Nothing"
    """No route."""


def face_of(route: Observed | None) -> Face:
    """What a route of ours is meant to show; until it is gone it shows that.

    A route without the label, from before there were notice pages, is live. What somebody else wrote into the
    route is not asked: that is put right by the next decision, and gives and takes nothing until then.
    """
    if route is None:
        return Face.NOTHING
    return Face.NOTICE if route.labels.get(names.SHOWS_LABEL) == Face.NOTICE else Face.LIVE

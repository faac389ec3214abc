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

    What somebody else wrote into the route is not asked: that is put right by the next decision, and gives
    and takes nothing until then. One that lost its labels shows the notice page if it tells that what to
    say, so that taking labels off publishes nothing; without either it is live.
    """
    if route is None:
        return Face.NOTHING
    shows = route.labels.get(names.SHOWS_LABEL)
    notice = shows == Face.NOTICE if shows else _tells_the_notice_page(route)
    return Face.NOTICE if notice else Face.LIVE


def _tells_the_notice_page(route: Observed) -> bool:
    filters = [one for rule in route.spec.get("rules") or () for one in rule.get("filters") or ()]
    told = [header for one in filters for header in (one.get("requestHeaderModifier") or {}).get("set") or ()]
    return any(header.get("name") == names.NOTICE_HEADER for header in told)

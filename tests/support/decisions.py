# SPDX-License-Identifier: Apache-2.0
"""What was decided about an e-service, and how often that was carried out."""

from __future__ import annotations

from eservice_operator.core.actions import Manifest
from tests.support.fleet import Planned
from tests.support.site import Site, poll


async def decided(site: Site, planned: Planned, state: str, reason: str) -> Manifest:
    """The e-service's only decision once it is in the state for the reason."""

    async def ask() -> Manifest | None:
        found = await site.decisions(planned)
        assert len(found) <= 1, found
        status = found[0].get("status") or {} if found else {}
        return found[0] if (status.get("state"), status.get("reason")) == (state, reason) else None

    return await poll(ask, lambda: f"{state} {reason} of {planned.name}")


async def times_unpublished(site: Site, planned: Planned) -> int:
    """How often it left the public route, by its history."""
    status = (await site.see(planned.ref))["status"]
    return sum(change["phase"] == "Unpublished" for change in status["history"])

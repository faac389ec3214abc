# SPDX-License-Identifier: Apache-2.0
"""REST on real components: a grant is of the whole web service, and each version ends for itself."""

from __future__ import annotations

import pytest

from eservice_operator.core.actions import Manifest
from tests.access.stage import GRANTED, Front, binding_ref
from tests.support.fleet import Planned, days_ago
from tests.support.kubectl import Kubectl
from tests.support.register import Register
from tests.support.site import gates, says

pytestmark = pytest.mark.cluster

ANY = ""
"""A right that is of no version."""


def asks(register: Register) -> Manifest:
    return {key: value for key, value in register.use().items() if key != "contractVersion"}


async def asking(register: Register) -> Planned:
    """The register is REST from its beginning, and an e-service asks for it."""
    site, planned = register.site, register.site.planned("address")
    await site.delete(register.ref)
    await site.gone(register.ref)
    await site.apply(register.web_service(spec={"protocol": "REST"}))
    *others, _ = planned.everything()
    await site.apply(*others, planned.eservice(spec={"uses": [asks(register)]}))
    await site.until(planned.ref, lambda obj: "AccessGranted" in gates(obj), "it waits")
    return planned


async def test_a_grant_is_of_every_version_and_each_ends_for_itself(
    register: Register, front: Front, kubectl: Kubectl
) -> None:
    planned = await asking(register)
    site, grant = register.site, register.grant_ref(planned)
    assert not await register.may(kubectl, planned, ANY)

    await site.apply(register.grant(planned, contractVersions=None))
    await site.settled(planned, "Published")
    await register.comes_to_may(kubectl, planned, ANY)
    assert not await register.may(kubectl, planned, "v5"), "a right to a version is another one, as of SOAP"
    bound = (await site.see(binding_ref(planned, asks(register))))["data"]
    assert "contract-version" not in bound
    token = await front.token(planned, asks(register))
    await front.until(GRANTED, token)

    over = {"version": "v5", "endOfLife": days_ago(1)}
    await site.apply(register.web_service(spec={"protocol": "REST", "contracts": [over, {"version": "v6"}]}))
    await front.until((403, "contractretired"), token)
    assert says(await site.see(grant), "Active", "True"), "v6 is open"
    await register.comes_to_may(kubectl, planned, ANY)

    both = [over, {"version": "v6", "endOfLife": days_ago(1)}]
    await site.apply(register.web_service(spec={"protocol": "REST", "contracts": both}))
    ended = await site.until(grant, lambda obj: obj["status"]["state"] == "Expired", "the last one is over")
    assert ended["status"]["reason"] == "ContractRetired"
    await register.may_no_more(kubectl, planned, ANY)

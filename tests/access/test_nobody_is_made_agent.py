# SPDX-License-Identifier: Apache-2.0
"""R9: a holder with every right in its namespace makes nobody an agent, and leads nobody's calls to them.

Otherwise it would open the Pods of an e-service to whom it likes, and let that call in their name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.core.access.naming import access_policy
from eservice_operator.core.actions import Ref
from tests.access.forgeries import audience, contents
from tests.access.market import EVIDENCE, PILOTS, TILTS, Market, on_behalf_of
from tests.access.people import Person, person_of
from tests.access.stage import GRANTED, Front, binding_ref
from tests.support.fleet import Planned
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess
from tests.support.resting import rested
from tests.support.site import message, says

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

CUSTOMER = "ogre"
NOT_ACTIVE = (403, "accessnotgranted")


async def public(market: Market, who: str) -> Planned:
    """Somebody's e-service that is public, tested with the register, and asks for nothing yet."""
    planned = await market.settle_in(who)
    await market.site.apply(planned.verification(), market.register.tested(planned))
    await market.site.settled(planned, "Published")
    return planned


async def granted_as_agent(market: Market, holder: Person, planned: Planned) -> None:
    """All that a holder can write to make it the agent of its assignment, with a customer that orders."""
    market.pilots, market.customers = dict.fromkeys(PILOTS, EVIDENCE), [CUSTOMER]
    await market.settle_in(CUSTOMER, market.through)
    granted = market.register.grant(planned, agent={"assignment": market.ref.name})
    await holder.makes(market.assignment(), granted)


async def leads_to_nobody(market: Market) -> None:
    """The customer reads that the agent is not connected, and has no way to anybody."""
    customer = market.planned(CUSTOMER)
    waiting = await market.site.until(
        customer.ref, lambda obj: says(obj, "AccessGranted", "False", "AgentNotConnected"), "no agent"
    )
    assert "SIA Tilts" in message(waiting, "AccessGranted")
    assert await market.site.api.get(binding_ref(customer, market.through)) is None
    way_out = Ref("networking.k8s.io/v1", "NetworkPolicy", customer.namespace, access_policy(customer.name))
    assert await market.site.api.get(way_out) is None


async def test_who_has_not_asked_to_be_the_agent(
    market: Market,
    front: Front,
    holder: Person,
    kubectl: Kubectl,
    operator: OperatorProcess,
    cluster: Cluster,
    tmp_path: Path,
) -> None:
    """Not even the institution that the assignment names; once it asks, the same grant opens it."""
    site, register, planned = market.site, market.register, await public(market, TILTS)
    await site.apply(planned.eservice(spec={"uses": [register.use()]}))
    await rested(operator, site)
    before = await contents(site, planned.namespace)
    await granted_as_agent(market, holder, planned)
    grant = register.grant_ref(planned)
    waiting = await site.until(grant, lambda obj: obj["status"].get("reason") == "NotRequested", "it waits")
    assert f"with asAgent: {market.ref.name}" in message(waiting, "Active")
    read = await site.until(
        planned.ref, lambda obj: says(obj, "AccessGranted", "False", "VersionNotGranted"), "it reads of it"
    )
    assert "for an agent's application: name its assignment in asAgent" in message(read, "AccessGranted")
    await leads_to_nobody(market)
    await operator.at_rest()
    assert await contents(site, planned.namespace) == before, "its namespace is as it was"
    supplier = await person_of(site, cluster, planned.namespace, tmp_path)
    token = await supplier.token(planned.name, audience(register))
    assert await front.call(token, on_behalf_of(CUSTOMER)) == NOT_ACTIVE
    assert not await register.may(kubectl, planned)

    await site.apply(planned.eservice(spec={"uses": [market.use()]}))
    await front.until(GRANTED, token, on_behalf_of(CUSTOMER), within=15)
    policy = Ref("networking.k8s.io/v1", "NetworkPolicy", planned.namespace, access_policy(planned.name))
    opened = await site.until(
        policy, lambda obj: obj["spec"].get("ingress"), "its own word lets customers in"
    )
    (source,) = opened["spec"]["ingress"][0]["from"]
    customer = market.planned(CUSTOMER)
    assert source["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": customer.namespace}}


async def test_who_is_another_institution_than_the_assignment_names(
    market: Market,
    front: Front,
    holder: Person,
    kubectl: Kubectl,
    operator: OperatorProcess,
    cluster: Cluster,
    tmp_path: Path,
) -> None:
    """Also where it asks to be the agent: who that is stands in an assignment, with an agreement."""
    site, register, planned = market.site, market.register, await public(market, "cesis")
    await site.apply(planned.eservice(spec={"uses": [market.use()]}))
    await rested(operator, site)
    before = await contents(site, planned.namespace)
    await granted_as_agent(market, holder, planned)
    grant = register.grant_ref(planned)
    waiting = await site.until(grant, lambda obj: obj["status"].get("reason") == "OtherAgent", "it waits")
    read = await site.until(
        planned.ref, lambda obj: says(obj, "AccessGranted", "False", "OtherAgent"), "both read the same"
    )
    assert "is for SIA Tilts, not for the consumer" in message(waiting, "Active")
    assert message(waiting, "Active") in message(read, "AccessGranted")
    await leads_to_nobody(market)
    await operator.at_rest()
    assert await contents(site, planned.namespace) == before, "its namespace is as it was"
    other = await person_of(site, cluster, planned.namespace, tmp_path)
    token = await other.token(planned.name, audience(register))
    for customer in (CUSTOMER, "cesis"):
        assert await front.call(token, on_behalf_of(customer)) == NOT_ACTIVE
    assert not await register.may(kubectl, planned)

# SPDX-License-Identifier: Apache-2.0
"""R9 in Production on real components: two pilots, a third customer that joins and leaves, and the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eservice_operator.core.actions import Manifest
from tests.access.market import CODES, EVIDENCE, NOT_LISTED, PILOTS, Market, let_in, on_behalf_of
from tests.access.stage import GRANTED, Front, binding_ref
from tests.support.fleet import Planned, today
from tests.support.kubectl import Kubectl
from tests.support.register import signed
from tests.support.site import says

pytestmark = pytest.mark.cluster


async def test_it_needs_an_agreement_two_pilots_and_their_evidence(market: Market, front: Front) -> None:
    agent = await let_in(market, *PILOTS)
    grant = market.register.grant_ref(agent)
    steps: list[tuple[str, dict[str, Manifest | None], dict[str, None]]] = [
        ("AgreementMissing", {}, {"agreement": None}),
        ("PilotsMissing", {"rezekne": EVIDENCE}, {}),
        ("EvidenceMissing", {"rezekne": EVIDENCE, "cesis": {"selfDeclaration": signed("declaration")}}, {}),
    ]
    await market.connect("v5")
    for reason, pilots, patch in steps:
        market.pilots = pilots
        body = market.assignment()
        body["spec"] = {key: value for key, value in body["spec"].items() if key not in patch}
        await market.site.apply(body)
        await market.site.until(market.ref, _says(reason), reason)
        await market.site.until(grant, lambda obj: obj["status"].get("state") == "Pending", "nothing is open")
    market.pilots, market.customers = dict.fromkeys(PILOTS, EVIDENCE), ["ogre"]
    await market.assign()
    await market.site.until(grant, lambda obj: says(obj, "Active", "True"), "it is open")
    await market.site.settled(agent, "AwaitingVerification")
    token = await front.token(agent, market.use())
    for pilot in PILOTS:
        await front.until(GRANTED, token, on_behalf_of(pilot), within=15)
    assert await front.call(token) == NOT_LISTED, "an agent calls for somebody"
    assert await front.call(token, on_behalf_of("ogre")) == NOT_LISTED, "it has not ordered"


def _says(reason: str) -> Callable[[Manifest], bool]:
    return lambda obj: (obj.get("status") or {}).get("reason") == reason


async def test_one_joins_and_leaves_and_the_others_do_not_notice(
    market: Market, front: Front, kubectl: Kubectl
) -> None:
    market.pilots = dict.fromkeys(PILOTS, EVIDENCE)
    agent = await let_in(market, *PILOTS, "ogre")
    await market.assign()
    await market.connect("v5")
    await market.site.settled(agent, "AwaitingVerification")
    pilots = {who: await market.bound(who) for who in PILOTS}
    assert pilots["cesis"]["data"] == pilots["cesis"]["data"] | {
        "agent": "SIA Tilts",
        "on-behalf-of": CODES["cesis"],
        "contract-versions": "v5",
        "uri": f"http://{agent.name}.{agent.namespace}.svc:80",
    }
    known = sorted(CODES[who] for who in PILOTS)
    await market.site.until(
        binding_ref(agent, market.use()),
        lambda obj: obj["data"]["customers"].split() == known,
        "the agent is told of its customers",
    )
    token = await front.token(agent, market.use())
    await front.until(GRANTED, token, on_behalf_of("cesis"), within=15)
    assert await front.call(token, on_behalf_of("ogre")) == NOT_LISTED
    ogre = market.planned("ogre")
    assert await market.site.api.get(binding_ref(ogre, market.through)) is None

    market.customers = ["ogre"]
    await market.assign()
    await front.until(GRANTED, token, on_behalf_of("ogre"), within=15)
    await market.bound("ogre")
    await market.site.settled(ogre, "AwaitingVerification")
    customer = await front.token(ogre, market.through)
    assert await front.call(customer) == (401, "tokenrefused"), "it calls its agent, not the register"

    await upgraded(market, agent, *PILOTS, "ogre")
    await market.register.comes_to_may(kubectl, agent, "v6")


async def upgraded(market: Market, agent: Planned, *customers: str) -> None:
    """The agent calls v6 beside v5, and one upgrade serves all of its customers."""
    uses = [market.use(version) for version in ("v5", "v6")]
    await market.site.apply(agent.eservice(spec={"uses": uses}))
    await market.connect("v5", "v6")
    for who in customers:
        await market.site.until(
            binding_ref(market.planned(who), market.through),
            lambda obj: obj["data"]["contract-versions"] == "v5\nv6",
            "one upgrade serves all",
        )


async def test_the_end_of_an_assignment_ends_what_came_through_it(
    market: Market, front: Front, kubectl: Kubectl
) -> None:
    market.pilots, market.customers = dict.fromkeys(PILOTS, EVIDENCE), ["ogre"]
    agent = await let_in(market, *PILOTS, "ogre")
    other = market.site.planned("own")
    await market.site.apply(
        other.registration(),
        other.act(),
        market.register.tested(other),
        other.eservice(spec={"uses": [market.register.use()]}),
        market.register.grant(other),
    )
    await market.assign()
    await market.connect("v5")
    await market.site.settled(agent, "AwaitingVerification")
    await market.site.settled(other, "AwaitingVerification")
    token = await front.token(agent, market.use())
    own = await front.token(other, market.register.use())
    for who in (*PILOTS, "ogre"):
        await front.until(GRANTED, token, on_behalf_of(who), within=15)
        await market.bound(who)
    before = {who: await market.bound(who) for who in PILOTS}

    market.customers = []
    await market.assign()
    await front.until(NOT_LISTED, token, on_behalf_of("ogre"))
    await market.site.gone(binding_ref(market.planned("ogre"), market.through))
    for who in PILOTS:
        assert await front.call(token, on_behalf_of(who)) == GRANTED
        assert await market.bound(who) == before[who], "not written since"

    await market.assign(ended={"at": str(today()), "reason": "the agreement was terminated"})
    await front.until((403, "assignmentended"), token, on_behalf_of("cesis"))
    assert await front.call(own) == GRANTED
    for who in PILOTS:
        await market.site.gone(binding_ref(market.planned(who), market.through))
    await market.site.gone(binding_ref(agent, market.use()))
    await market.register.may_no_more(kubectl, agent)
    await market.register.comes_to_may(kubectl, other)

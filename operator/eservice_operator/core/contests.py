# SPDX-License-Identifier: Apache-2.0
"""Hosts that more than one wants (R1): what is said of it on both sides, once. Nothing is overwritten.

Whom the operator told is what the status lists: an Event goes with each entry that was not there before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eservice_operator.api.contested import MOST_CONTENDERS, Contender, Standing
from eservice_operator.api.reasons import Reason
from eservice_operator.core.actions import Ref
from eservice_operator.core.facts import Facts
from eservice_operator.core.hosts import unregistered_hosts
from eservice_operator.core.world import HostClaim

GRAVITY = {standing: place for place, standing in enumerate(Standing)}
SAYS = {
    Standing.SERVES: "{host} is served by {owner}",
    Standing.RESERVED: "{host} is reserved for {owner}",
    Standing.WAITS: "{host} is wanted by {owner} as well, which waits",
    Standing.BESIDE: "{host} may be answered for by {owner} as well",
}
THEIRS = {
    Standing.SERVES: "serves it",
    Standing.RESERVED: "has it",
    Standing.WAITS: "wants it too",
    Standing.BESIDE: "may answer for it too",
}
"""What is said of the route or the Ingress to itself."""
ESERVICE = "EService"


def sentence(facts: Facts, claims: Iterable[HostClaim]) -> str:
    """Who stands how to which host: the gravest, in one order whatever theirs is, and how many more."""
    ordered = sorted(claims, key=_gravity)
    if not ordered:
        return ""
    said = SAYS[ordered[0].standing].format(host=ordered[0].host, owner=ordered[0].owner)
    if len(ordered) == 1:
        return said
    more = f"{said}; and {len(ordered) - 1} more"
    return f"{more}, see status.contested" if _lists(facts) else more


def contenders(facts: Facts) -> tuple[Contender, ...]:
    """Whom the status lists, the gravest first: of the hosts that the registration gives this EService.

    Whoever names a host that is not theirs cannot have Events written on other people's objects.
    """
    return tuple(
        Contender(host=claim.host, by=str(claim.owner), standing=claim.standing) for claim in _known(facts)
    )


def contested_here(facts: Facts) -> str:
    """Who else has or wants a host, as the Published condition of a public e-service says; empty: nobody."""
    return sentence(facts, _known(facts))


def told_elsewhere(facts: Facts) -> Iterator[tuple[HostClaim, Reason, str]]:
    """What the routes and Ingresses are told that are newly listed; EServices find out on their own."""
    before = {_identity(one) for one in facts.world.service.status.contested}
    for claim, one in zip(_known(facts), contenders(facts), strict=True):
        if claim.owner.kind != ESERVICE and _identity(one) not in before:
            text = f"{_ours(facts, claim)}: the Agency settles who has it, the operator changes neither"
            yield claim, _reason(claim.standing), text


def _ours(facts: Facts, claim: HostClaim) -> str:
    """How the e-service stands to a host, and how whoever is told does."""
    does = THEIRS[claim.standing]
    service = f"EService {'/'.join(facts.place)} (EServiceRegistration {facts.spec.registration})"
    if facts.route is not None and claim.host in facts.driver.hosts(facts.route):
        return f"{claim.host} is on the public route of {service}, and this {claim.owner.kind} {does}"
    if claim.standing.holds:
        return f"{claim.host} is registered for {service}, which waits while this {claim.owner.kind} {does}"
    return f"{claim.host} is registered for {service}, and this {claim.owner.kind} {does}"


def told_here(old: Iterable[Contender], new: Iterable[Contender]) -> Iterator[tuple[Reason, str]]:
    """What the EService is told: each contender that is newly listed, and each that stands otherwise now."""
    before = {_identity(one) for one in old}
    for one in new:
        if _identity(one) not in before:
            yield _reason(one.standing), SAYS[one.standing].format(host=one.host, owner=one.by)


def _known(facts: Facts) -> list[HostClaim]:
    """Those that are listed: who was listed and stands as before goes first among equals."""
    world = facts.world
    if not _lists(facts):
        return []
    before = {(one.host, one.by) for one in world.service.status.contested}
    mine = [
        claim
        for claim in (*world.claims, *world.contenders)
        if not unregistered_hosts((claim.host,), world.registration, facts.spec.environment)
    ]
    mine.sort(
        key=lambda one: (
            GRAVITY[one.standing],
            (one.host, str(one.owner)) not in before,
            one.host,
            one.owner,
        )
    )
    listed = _one_for_each_place(mine)[:MOST_CONTENDERS]
    return sorted(listed, key=_gravity)


def _lists(facts: Facts) -> bool:
    """Whether the status lists anybody: of an EService that stands for its registration, and stays."""
    return facts.stands and facts.world.service.metadata.deletion_timestamp is None


def _gravity(claim: HostClaim) -> tuple[int, str, Ref]:
    return GRAVITY[claim.standing], claim.host, claim.owner


def _one_for_each_place(claims: Iterable[HostClaim]) -> list[HostClaim]:
    """Of those beside it, the first of each kind in a namespace for each host.

    A tenant may write as many as they like, and each that is listed is a write and two Events.
    """
    first: dict[tuple[str, ...], HostClaim] = {}
    for claim in claims:
        owner = claim.owner
        name = "" if claim.standing is Standing.BESIDE else owner.name
        first.setdefault((claim.standing, claim.host, owner.kind, owner.namespace, name), claim)
    return list(first.values())


def _identity(one: Contender) -> tuple[str, str, Reason]:
    """What makes it worth another Event: that a route reserved before serves now does not."""
    return one.host, one.by, _reason(one.standing)


def _reason(standing: Standing) -> Reason:
    return Reason.HOST_CONFLICT if standing.holds else Reason.HOST_CONTESTED

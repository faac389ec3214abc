# SPDX-License-Identifier: Apache-2.0
"""What the public route is to show, and under which hosts: the e-service, the notice page, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.reasons import Gate
from eservice_operator.core.driver import Shown
from eservice_operator.core.faces import Face
from eservice_operator.core.facts import Facts
from eservice_operator.core.gateway_driver import gateway_of
from eservice_operator.core.hosts import unregistered_hosts
from eservice_operator.core.notice_rule import notice_value
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.remembered import kept_off, missing_decision, to_record
from eservice_operator.core.scheduling import new_decision
from eservice_operator.core.unmet import Unmet
from eservice_operator.core.unpublication import blocking_decision
from eservice_operator.core.world import Observed


def on_own_hosts(facts: Facts, public: Snapshot) -> Snapshot:
    """R1: the release with the hosts that the route may have.

    A host that comes onto the route has to be registered for the e-service and nobody else's; what is on it
    stays. Snapshots lie in the e-service's namespace, so that their word alone gives nobody a host: nor where
    somebody emptied the route. One to which none comes then is not to be shown (see `shown_by`).
    """
    if facts.face is not Face.LIVE or facts.served_by is None:
        return public
    driver, route = facts.served_by
    served = driver.hosts(route)
    coming = [host for host in public.hosts if host not in served]
    if not coming:
        return public
    may_come = _free_hosts(facts, coming)
    if len(may_come) == len(coming):
        return public
    if served:
        return replace(public, hosts=served, path=driver.path(route))
    return replace(public, hosts=may_come) if may_come else public


def _free_hosts(facts: Facts, hosts: Iterable[str]) -> tuple[str, ...]:
    """Those that are registered for the e-service and nobody else's."""
    claimed = {claim.host for claim in facts.world.claims}
    free = [host for host in hosts if host not in claimed]
    strange = unregistered_hosts(free, facts.world.registration, facts.spec.environment)
    return tuple(host for host in free if host not in strange)


def _emptied(facts: Facts, public: Snapshot) -> bool:
    """Whether the live route has lost its hosts, and none may come onto it: then nothing runs there."""
    if facts.served_by is None:
        return False
    driver, route = facts.served_by
    return not driver.hosts(route) and not _free_hosts(facts, public.hosts)


def on_allowed_gateway(facts: Facts, public: Snapshot, route: Observed) -> Snapshot:
    """The release with a Gateway that the Agency allows, or the one that its route is on: what runs stays.

    A snapshot lies in the e-service's namespace: its word alone brings no route to a Gateway.
    """
    if public.gateway is None or facts.policy.allows(public.gateway):
        return public
    return replace(public, gateway=gateway_of(route))


def shown_by(facts: Facts, public: Snapshot | None, gates: tuple[Unmet, ...]) -> Shown | None:
    """What the public route is to show, on a Gateway that there is: it moves to no other.

    A wrong name in the settings would else take every host off the air at once. What the release asks for is
    not touched, so that it moves as soon as it can. What has no route yet is told by its own.
    """
    shown = _faced(facts, public, gates)
    present = None if facts.route is None else gateway_of(facts.route)
    if shown is None or present is None:
        return shown
    wanted = shown.release.gateway or facts.policy.gateway
    lacking = "" if wanted == present else facts.world.lacks(wanted)
    if not lacking:
        return shown
    stays, chosen = replace(shown.release, gateway=present), wanted != facts.policy.gateway
    return replace(shown, release=stays, cannot_move=lacking, chosen=chosen)


def _faced(facts: Facts, public: Snapshot | None, gates: tuple[Unmet, ...]) -> Shown | None:
    """The e-service, else the notice page, else nothing.

    The route of a public release that nobody remembers stays as it is while it serves.
    """
    if _serves(facts, public, gates):
        return Shown(Face.LIVE, public or facts.wanted, decision=to_record(facts))
    return None if public is None or not facts.driver.notices else _noticed(facts, public, gates)


def _noticed(facts: Facts, public: Snapshot, gates: tuple[Unmet, ...]) -> Shown | None:
    """The notice page under the hosts that are still the e-service's; it takes none from anybody else.

    Nor does a snapshot's word: a host that is not on the route yet has to be nobody else's, as on a live one.
    """
    foreign = unregistered_hosts(public.hosts, facts.world.registration, facts.spec.environment)
    on_route = () if facts.route is None else facts.driver.hosts(facts.route)
    claimed = {claim.host for claim in facts.world.claims}.difference(on_route)
    hosts = tuple(host for host in public.hosts if host not in foreign and host not in claimed)
    refused = any(unmet.gate is Gate.HOST_ALLOWED for unmet in gates) or not claimed.isdisjoint(public.hosts)
    if facts.route is None and refused:
        return None
    paused = facts.spec.publication.paused
    until = paused.until if facts.paused and paused is not None else None
    value = notice_value(facts.spec.publication, until)
    if not hosts:
        return None
    return Shown(Face.NOTICE, replace(public, hosts=hosts), value, decision=to_record(facts))


def _serves(facts: Facts, public: Snapshot | None, gates: tuple[Unmet, ...]) -> bool:
    """Whether the public route is to serve: only R8, a pause and a suspension take what runs off it."""
    if taken_off(facts, public) or (public is None and not facts.lost):
        return False
    if facts.face is Face.LIVE:
        return public is None or not _emptied(facts, public)
    return public is not None and not gates and not _about_to_go_on(facts)


def taken_off(facts: Facts, public: Snapshot | None) -> bool:
    """Whether what runs is off the public route: by R8, a pause or a suspension; no gate does that."""
    if facts.paused or facts.suspended:
        return True
    template = facts.public_template if public is None else public.template
    return facts.production and template is not None and _blocked(facts, template)


def _blocked(facts: Facts, template: TemplateRef) -> bool:
    """Whether releases on a template version are off the public route, by a decision or by what it left."""
    return blocking_decision(facts, template) is not None or kept_off(facts, template) is not None


def _about_to_go_on(facts: Facts) -> bool:
    """Whether a decision is made now in the place of a deleted one: what that left off waits to be judged."""
    return missing_decision(facts) is not None and new_decision(facts) is not None

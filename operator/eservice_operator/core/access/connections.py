# SPDX-License-Identifier: Apache-2.0
"""R9: the connection of an agent's application, over which it calls for all of its customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from eservice_operator.core.access.assignments import assignment_ends
from eservice_operator.core.access.case import AgentCase, GrantCase
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Standing, Times


@dataclass(frozen=True)
class Connection:
    """The application that is let in for an assignment, and what it may call."""

    grant: GrantCase
    """The grant that lets it in; of several the oldest."""
    allowed: tuple[Standing, ...]
    """The contract versions that it may call, by all grants for this application; each once."""
    ends_on: date | None
    """The last day by the assignment, and by the contract version that lasts longest."""


def connection_of(agent: AgentCase, times: Times) -> Connection | None:
    """The open connection of an assignment; None while there is none.

    Customers are led to one application. Where grants let in several, it is that of the oldest one.
    Each order asks, for one instant: it is looked for once.
    """
    if times not in agent.connected:
        agent.connected.clear()
        agent.connected[times] = _connection(agent, times)
    return agent.connected[times]


def _connection(agent: AgentCase, times: Times) -> Connection | None:
    opened = [
        (grant, standing)
        for grant in agent.connections
        for standing in standings(grant, times)
        if standing.allowed
    ]
    if not opened:
        return None
    first = opened[0][0]
    application = first.grant.spec.consumer.place
    allowed: dict[str, Standing] = {}
    for grant, standing in opened:
        if grant.grant.spec.consumer.place == application:
            known = allowed.get(standing.version)
            allowed[standing.version] = standing if known is None else _longer(known, standing)
    found = tuple(allowed.values())
    return Connection(first, found, _last_day(agent, found))


def _longer(one: Standing, other: Standing) -> Standing:
    """Of two answers about one contract version the one that lasts longer; of equals the first."""
    lasts = other.ends_on is None or (one.ends_on is not None and other.ends_on > one.ends_on)
    return other if lasts and one.ends_on is not None else one


def _last_day(agent: AgentCase, allowed: tuple[Standing, ...]) -> date | None:
    ends = [one.ends_on for one in allowed if one.ends_on is not None]
    longest = max(ends) if len(ends) == len(allowed) else None
    days = [assignment_ends(agent.assignment), longest]
    return min((day for day in days if day is not None), default=None)

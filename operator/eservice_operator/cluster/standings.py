# SPDX-License-Identifier: Apache-2.0
"""Which of several EServices stands for a registration (R1), and which of those name a host.

Anybody may write as many EServices as they like that name one registration, or one host. So neither a look at
one of them nor the question whom a change of one concerns goes through all: this is kept up with the store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from eservice_operator.api.base import Environment
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.cluster import indexes
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.ranking import Rank, Ranking, rank_of
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.hosts import host_matches, normal
from eservice_operator.core.keys import ObjectKey

SERVICE = "EService"
REGISTRATION = EServiceRegistration.__name__


class Group(NamedTuple):
    """Those of which only the oldest can stand for the registration, as they are all in one place."""

    registration: str
    environment: str
    namespace: str

    def key(self, rank: Rank) -> ObjectKey:
        """The key of one of them."""
        return ObjectKey(SERVICE, self.namespace, rank[1])


class Member(NamedTuple):
    """What of an EService says where it stands beside others."""

    group: Group
    rank: Rank
    stays: bool
    """Whether it is not being deleted."""
    hosts: frozenset[str]
    """The hosts that it asks for, as they are compared."""


def member_of(body: Manifest) -> Member | None:
    """Where an EService stands, be its spec readable or not; None where it names no registration."""
    registration, environment = part(body, "spec", "registration"), part(body, "spec", "environment")
    if not isinstance(registration, str) or not isinstance(environment, str):
        return None
    group = Group(registration, environment, str(part(body, "metadata", "namespace")))
    stays = part(body, "metadata", "deletionTimestamp") is None
    return Member(group, rank_of(body), stays, frozenset(indexes.INDEXES[SERVICE, indexes.HOST](body)))


class Standings:
    """Follows the EServices of a store; made by `Store.beside`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._there: Ranking[Group] = Ranking()
        self._staying: Ranking[Group] = Ranking()
        self._naming: dict[str, dict[str, Counter[tuple[str, str]]]] = {}
        """By host and namespace, how many name it of each registration and environment."""
        for body in store.all(SERVICE):
            self._enter(member_of(body))
        store.follow(SERVICE, self._follow)

    def is_known(self, group: Group) -> bool:
        """Whether there is any."""
        return bool(self._there.of(group))

    def senior(self, group: Group, rank: Rank) -> ObjectKey | None:
        """The next older one that stays: whoever has one does not stand for the registration."""
        return next((group.key(one) for one in self._staying.before(group, rank)), None)

    def first(self, group: Group) -> ObjectKey | None:
        """The oldest that stays: it stands for the registration, if that places it there."""
        return next((group.key(one) for one in self._staying.of(group)[:1]), None)

    def holders(self, group: Group) -> Iterator[ObjectKey]:
        """The oldest that stays, and those before it: being deleted, they may hold yet what they had."""
        first = next(iter(self._staying.of(group)), None)
        return map(group.key, self._there.within(group, None, first))

    def standing_for(self, registration: Manifest) -> Iterator[ObjectKey]:
        """The EServices that stand for a registration where it places some, by what it says itself."""
        for environment, namespace in placed_by(registration):
            yield from self.holders(Group(registration["metadata"]["name"], environment, namespace))

    def outranked(self, body: Manifest) -> Iterator[ObjectKey]:
        """Whose senior is another one, or none, when an EService comes, goes or begins to be deleted.

        The next younger. Of those being deleted it only matters whether they have one at all.
        """
        member = member_of(body)
        if member is None or not member.stays:
            return
        group, rank = member.group, member.rank
        following = next(iter(self._staying.after(group, rank)), None)
        if self._staying.before(group, rank):
            yield from [] if following is None else [group.key(following)]
        else:
            yield from map(group.key, self._there.within(group, rank, following))

    def naming(self, host: str) -> Iterator[ObjectKey]:
        """The EServices that ask for a host, and whom their registrations place where they are."""
        for group in self.groups(host):
            for key in self.holders(group):
                if normal(host) in indexes.INDEXES[SERVICE, indexes.HOST](self._store.get(*key) or {}):
                    yield key

    def groups(self, host: str) -> Iterator[Group]:
        """Of whom some ask for a host where a registration places them: no more than there are of those."""
        for namespace, asking in self._naming.get(normal(host), {}).items():
            if self._store.count(REGISTRATION, indexes.NAMESPACE, namespace) < len(asking):
                registered = self._store.unordered(REGISTRATION, indexes.NAMESPACE, namespace)
                names = (body["metadata"]["name"] for body in registered)
                found = ((name, environment.value) for name in names for environment in Environment)
                asked = [one for one in found if one in asking]
            else:
                asked = list(asking)
            for one in asked:
                group = Group(*one, namespace)
                if self.is_placed(group):
                    yield group

    def is_placed(self, group: Group) -> bool:
        """Whether the registration places its e-services of the environment there, be it readable or not."""
        registration = self._store.get(REGISTRATION, "", group.registration) or {}
        return (group.environment, group.namespace) in placed_by(registration)

    def claimed(self, body: Manifest) -> Iterator[str]:
        """The hosts that an EService asks for, and its registration gives it; none where it has no place."""
        member = member_of(body)
        if member is None:
            return
        group = member.group
        registration = self._store.get(REGISTRATION, "", group.registration) or {}
        patterns = [
            normal(str(part(entry, "host")))
            for entry in part(registration, "spec", "hosts") or ()
            if part(entry, "environment") == group.environment
        ]
        for host in member.hosts if self.is_placed(group) else ():
            if any(host_matches(pattern, host) for pattern in patterns):
                yield host

    def _follow(self, change: Change) -> None:
        was, now = (None if body is None else member_of(body) for body in (change.before, change.after))
        if was != now:
            self._leave(was)
            self._enter(now)

    def _enter(self, member: Member | None) -> None:
        if member is None:
            return
        for ranking in self._rankings(member):
            ranking.put(member.group, member.rank)
        registration, environment, namespace = member.group
        for host in member.hosts:
            self._naming.setdefault(host, {}).setdefault(namespace, Counter())[registration, environment] += 1

    def _leave(self, member: Member | None) -> None:
        if member is None:
            return
        for ranking in self._rankings(member):
            ranking.drop(member.group, member.rank)
        registration, environment, namespace = member.group
        for host in member.hosts:
            asking = self._naming[host][namespace]
            asking[registration, environment] -= 1
            if not asking[registration, environment]:
                del asking[registration, environment]
            if not asking:
                del self._naming[host][namespace]
            if not self._naming[host]:
                del self._naming[host]

    def _rankings(self, member: Member) -> Iterable[Ranking[Group]]:
        return (self._there, self._staying) if member.stays else (self._there,)


def placed_by(registration: Manifest) -> list[tuple[str, str]]:
    """The environments of a registration, each with its namespace."""
    entries = part(registration, "spec", "namespaces") or ()
    return [(str(part(entry, "environment")), str(part(entry, "name"))) for entry in entries]

# SPDX-License-Identifier: Apache-2.0
"""Who looks again at access when those who ask for it change: an EService, its releases, its registration.

What one of many asks for, and what its registration says, wakes nobody for the others beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from eservice_operator.cluster import indexes
from eservice_operator.cluster.consumers import owner_key
from eservice_operator.cluster.holders import reach_of, web_services_of
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.standings import Standings
from eservice_operator.cluster.store import Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.access_news import asks_otherwise_only, differing_uses
from eservice_operator.runtime.owner_triggers import found

GRANT: Final = "WebServiceGrant"
WEB_SERVICE: Final = "WebService"
ASSIGNMENT: Final = "AgentAssignment"
ESERVICE: Final = "EService"
SNAPSHOT: Final = "ControllerRevision"

Keys = Iterator[ObjectKey]


def of_consumer(told: tuple[Manifest, ...], store: Store) -> Keys:
    """What it asks for otherwise than before, where nothing else is new; else all, and who stands after it.

    Of several for one registration the oldest stands for it: the next one does when that goes.
    """
    if len(told) > 1 and asks_otherwise_only(*told):
        for obj in told:
            yield from of_eservice(obj, store, differing_uses(*told))
        return
    for obj in told:
        yield from of_eservice(obj, store)
        for key in store.beside(Standings).outranked(obj):
            next_one = store.get(*key)
            if next_one is not None:
                yield from of_eservice(next_one, store)


def of_eservice(service: Manifest, store: Store, only: frozenset[str] | None = None) -> Keys:
    """The grants that name it, and the web services and assignments that it asks for.

    With ``only`` those of certain of its uses, each as it is written.
    """
    asking, place = service, where(service)
    if only is None:
        yield from found(store, GRANT, indexes.CONSUMER, place)
    else:
        uses = [use for use in part(service, "spec", "uses") or () if repr(use) in only]
        asking = service | {"spec": {**service["spec"], "uses": uses}}
        for asked in indexes.INDEXES[ESERVICE, indexes.USES](asking):
            yield from found(store, GRANT, indexes.ANSWER, indexes.answer_to(place, asked))
    yield from _asked_for(asking, store)


def of_snapshot(snapshot: Manifest, store: Store) -> Keys:
    """The same by what a remembered release asks for."""
    if set(indexes.INDEXES[SNAPSHOT, indexes.USES](snapshot)):
        owner = owner_key(snapshot)
        for grant in store.by_index(GRANT, indexes.CONSUMER, f"{owner.namespace}/{owner.name}"):
            yield key_of(grant)
        yield from _asked_for(snapshot, store)


def _asked_for(obj: Manifest, store: Store) -> Keys:
    for place in indexes.INDEXES[obj["kind"], indexes.USES](obj):
        yield key_at(WEB_SERVICE, place)
    for place in indexes.INDEXES[obj["kind"], indexes.AGENT](obj):
        yield key_at(ASSIGNMENT, place)
        for grant in store.by_index(GRANT, indexes.ASSIGNMENT, place):
            yield from consumer_named(grant)


def of_registration(told: tuple[Manifest, ...], store: Store) -> Keys:
    """The grants of its e-services, and what these ask for.

    How its namespaces stand is said of those alone that stand for it.
    """
    if len(told) == 1 or reach_of(told[0]) != reach_of(told[1]):
        for obj in told:
            yield from web_services_of(obj, store)
    if len(told) > 1 and told[0].get("spec") == told[1].get("spec"):
        concerned = store.beside(Standings).standing_for(told[1])
    else:
        concerned = found(store, ESERVICE, indexes.REGISTRATION, told[0]["metadata"]["name"])
    for key in concerned:
        service = store.get(*key)
        if service is not None:
            yield from of_eservice(service, store)


def consumer_named(grant: Manifest) -> Keys:
    """The EService that a grant lets in."""
    for place in indexes.INDEXES[GRANT, indexes.CONSUMER](grant):
        yield key_at(ESERVICE, place)


def where(obj: Manifest) -> str:
    """``namespace/name``."""
    return f"{obj['metadata'].get('namespace')}/{obj['metadata']['name']}"


def key_at(kind: str, place: str) -> ObjectKey:
    """The key of what is at a ``namespace/name``."""
    namespace, _, name = place.partition("/")
    return ObjectKey(kind, namespace, name)

# SPDX-License-Identifier: Apache-2.0
"""Which e-services an EServiceTemplate concerns that was changed: those whose dates or gates it changes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cluster import indexes
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.snapshots import SNAPSHOT_KIND
from eservice_operator.cluster.store import Change, Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.unmoved import means_the_same


def services_of_template(change: Change, store: Store) -> Iterator[ObjectKey]:
    """The EServices that a changed template can mean anything new to; all, where that cannot be told."""
    before, after = _known(change.before), _known(change.after)
    services = store.unordered("EService", indexes.TEMPLATE, change.key.name)
    if before is None or after is None:
        yield from map(key_of, services)
        return
    same = cache(lambda version: means_the_same(before, after, version))
    for service in services:
        if not all(map(same, _versions_of(service, change.key.name, store))):
            yield key_of(service)
    for registration in _decided_upon(change.key.name, store):
        yield from map(key_of, store.unordered("EService", indexes.REGISTRATION, registration))


def _known(body: Manifest | None) -> KnownTemplate | None:
    read = None if body is None else parse("EServiceTemplate", body)
    if isinstance(read, InvalidObject) or not isinstance(read, EServiceTemplate):
        return None
    return KnownTemplate(read, catalogue_of(read))


def _versions_of(service: Manifest, template: str, store: Store) -> set[str]:
    """The versions of the template that an EService asks about: of its spec, its status and its releases."""
    uid = str(part(service, "metadata", "uid"))
    named = (
        part(service, "spec", "template"),
        part(service, "status", "release", "public", "template"),
        part(service, "status", "release", "candidate", "template"),
        part(service, "status", "template"),
        part(service, "status", "lastDecision", "template"),
        *(part(one, "data", "template") for one in store.unordered(SNAPSHOT_KIND, indexes.OWNER, uid)),
    )
    return {str(part(one, "version")) for one in named if part(one, "name") == template}


def _decided_upon(template: str, store: Store) -> set[str]:
    """The registrations with a decision about the template that is not closed."""
    decisions = store.unordered("UnpublishDecision", indexes.TEMPLATE, template)
    named: set[Any] = {part(one, "spec", "registration") for one in decisions if _is_open(one)}
    return {str(registration) for registration in named}


def _is_open(decision: Manifest) -> bool:
    return bool(part(decision, "status", "state") != DecisionState.CLOSED)

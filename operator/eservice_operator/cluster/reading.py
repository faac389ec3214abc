# SPDX-License-Identifier: Apache-2.0
"""The store as models: each version of an object is parsed once, and what cannot be read is left out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from eservice_operator.api.base import Model, ObjectMeta, Status
from eservice_operator.api.eservice import EService
from eservice_operator.api.kinds import BY_KIND
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cluster.compact import compact
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.access.addresses import Network
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.templating import catalogue_of

REMEMBERED = 60_000
"""How many parsed objects are kept: ten thousand e-services with what people write about each, at 7 KB each.

With fewer than there are, a look at all of them, one after the other, finds none and reads each anew."""

KNOWN = "known"
"""What is remembered of an object beside itself as a model."""
NONE: frozenset[str] = frozenset()

M = TypeVar("M", bound=Model)


class Reading:
    """Reads objects of the store as models."""

    def __init__(self, store: Store, cluster_networks: tuple[Network, ...] = ()) -> None:
        self.store = store
        self.cluster_networks = cluster_networks
        """The networks of the cluster itself, as the operator was told."""
        self._memory: OrderedDict[tuple[str, str], tuple[str, object]] = OrderedDict()
        for kind in BY_KIND:
            store.follow(kind, self._forget)

    def one(self, model: type[M], key: ObjectKey) -> M | InvalidObject | None:
        """The object of a key: read, unreadable, or not there."""
        body = self.store.get(key.kind, key.namespace, key.name)
        if body is None:
            return None
        read = self._parse(body)
        return read if isinstance(read, model | InvalidObject) else None

    def readable(self, model: type[M], name: str, namespace: str = "") -> M | None:
        """The object of that name, if it is there and can be read."""
        found = self.one(model, ObjectKey(model.__name__, namespace, name))
        return found if isinstance(found, model) else None

    def unreadable(self, kind: str, name: str, namespace: str = "") -> frozenset[str]:
        """The kind, if an object of that name is there and cannot be read; else nothing."""
        body = self.store.get(kind, namespace, name)
        unread = body is not None and isinstance(self._parse(body), InvalidObject)
        return frozenset({kind}) if unread else NONE

    def service(self, namespace: str, name: str) -> EService | None:
        """An EService, if it is there and can be read."""
        return self.readable(EService, name, namespace)

    def template(self, name: str) -> KnownTemplate | None:
        """A template with its catalogue, if it is there and can be read."""
        body = self.store.get("EServiceTemplate", "", name)
        template = self.readable(EServiceTemplate, name)
        if body is None or template is None:
            return None
        known = self.remember(body, lambda: KnownTemplate(template, catalogue_of(template)), KNOWN)
        return known if isinstance(known, KnownTemplate) else None

    def all(self, model: type[M]) -> tuple[M, ...]:
        """Every readable object of a kind."""
        read = (self._parse(body) for body in self.store.all(model.__name__))
        return tuple(one for one in read if isinstance(one, model))

    def found(self, model: type[M], index: str, value: str) -> tuple[M, ...]:
        """The readable objects under a value of an index, by key."""
        read = (self._parse(body) for body in self.store.by_index(model.__name__, index, value))
        return tuple(one for one in read if isinstance(one, model))

    def envelope(self, key: ObjectKey) -> tuple[ObjectMeta, Status]:
        """The metadata and the status of an object whose spec cannot be read."""
        body = self.store.get(key.kind, key.namespace, key.name) or {"metadata": {"name": key.name}}
        empty: Status = BY_KIND[key.kind].model.model_fields["status"].default
        try:
            status = type(empty).model_validate(body.get("status") or {})
        except ValidationError:
            status = empty
        return ObjectMeta.model_validate(body["metadata"]), status

    def remember(self, body: Manifest, make: Callable[[], object], what: str = "") -> object:
        """What was made of this version of an object."""
        metadata = body["metadata"]
        key, version = (metadata["uid"], what), metadata["resourceVersion"]
        known = self._memory.get(key)
        if known is not None and known[0] == version:
            return known[1]
        value = make()
        self._memory.pop(key, None)  # not moved: its store may forget it meanwhile, in another thread
        self._memory[key] = (version, value)
        if len(self._memory) > REMEMBERED:
            self._memory.popitem(last=False)
        return value

    def _forget(self, change: Change) -> None:
        """What is gone is not kept until others push it out."""
        if change.after is None and change.before is not None:
            uid = change.before["metadata"]["uid"]
            for what in ("", KNOWN):
                self._memory.pop((uid, what), None)

    def _parse(self, body: Manifest) -> object:
        return self.remember(body, lambda: compact(parse(body["kind"], body)))

# SPDX-License-Identifier: Apache-2.0
"""What a writer sees of an object, and whether it is the one that was decided about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError, Conflict
from eservice_operator.cluster.ownership import is_managed
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import Action, Failure, Manifest, Ref

ATTEMPTS: Final = 4

T = TypeVar("T")


class Refused(Exception):
    """We did not, or could not safely, do it; ``transient``: looking at the cluster again can help.

    ``of_all``: what else was decided should not be done either.
    """

    def __init__(self, reason: str, message: str, *, transient: bool, of_all: bool = False) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.transient = transient
        self.of_all = of_all


def failed(action: Action, error: Refused | ApiError) -> Failure:
    """What to say of an action that was not carried out."""
    transient = error.transient or (isinstance(error, ApiError) and "NamespaceTerminating" in error.cause)
    return Failure(action, error.reason, error.message, transient=transient)


def held(ref: Ref, live: Manifest) -> Refused:
    """What to say of an object that is being deleted and is still there."""
    by = ", ".join(live["metadata"].get("finalizers") or ()) or "a grace period"
    return Refused("Terminating", f"{ref} is being deleted; held by {by}", transient=True)


class Sight:
    """Looks at objects as they are now, and keeps in the store what it sees; ``on_change`` is told of it."""

    def __init__(self, api: KubeApi, store: Store, on_change: Callable[[Change], None]) -> None:
        self._api = api
        self._store = store
        self._on_change = on_change

    def known(self, ref: Ref) -> Manifest | None:
        """The object as the store has it."""
        return self._store.get(ref.kind, ref.namespace, ref.name)

    async def look(self, ref: Ref, uid: str) -> Manifest:
        """The object as it is now, if it is the one of this uid; else `Refused` (Gone or Replaced)."""
        live = await self._api.get(ref)
        if live is None:
            self.forget(ref, uid)
            raise Refused("Gone", f"{ref} is not there any more", transient=True)
        self.expect(live, ref, uid)
        return live

    def expect(self, live: Manifest, ref: Ref, uid: str) -> None:
        """Refuse unless ``live`` is the object of this uid; what the store had of it is forgotten then."""
        if live["metadata"]["uid"] != uid:
            self.forget(ref, uid)
            if is_managed(live):
                self.learn(live)
            raise Refused("Replaced", f"{ref} was deleted and made again meanwhile", transient=True)

    def learn(self, live: Manifest) -> None:
        """Keep what the API server answered."""
        self._tell(self._store.upsert(slim(live)))

    def forget(self, ref: Ref, uid: str) -> None:
        """The object of this uid is gone."""
        known = self.known(ref)
        if known is not None and known["metadata"]["uid"] == uid:
            self._tell(self._store.delete(known))

    def _tell(self, change: Change | None) -> None:
        if change is not None:
            self._on_change(change)


async def again(step: Callable[[], Awaitable[T]]) -> T:
    """Look and write once more when somebody (often a controller, its status) wrote between the two."""
    attempt = 1
    while True:
        try:
            return await step()
        except Conflict:
            if attempt == ATTEMPTS:
                raise
        attempt += 1

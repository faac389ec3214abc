# SPDX-License-Identifier: Apache-2.0
"""Copies the credentials of a grant to those whose binding asks for them. What they are is kept nowhere.

A copy stands beside the ConfigMap of its binding, by its name, and belongs to it: it goes with
it at the latest, whoever is running then. Nothing but Secrets of one type beside a grant is ever read.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from eservice_operator.api import names
from eservice_operator.api.grant import ALL_VERSIONS, CREDENTIALS_TYPE
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import Forbidden
from eservice_operator.cluster.managed_fields import take_over
from eservice_operator.cluster.named import delete_named
from eservice_operator.cluster.observe_access import AccessObserver
from eservice_operator.cluster.ownership import is_owned
from eservice_operator.core.access.asking import asks
from eservice_operator.core.access.naming import binding_of, grant_child
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.walls import BINDING_KIND
from eservice_operator.core.access.worlds import Copied, GrantWorld
from eservice_operator.core.actions import DeleteNamed, Manifest, Ref
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import Owner
from eservice_operator.core.world import Observed

log = logging.getLogger(__name__)

LARGEST: Final = 64 * 1024
"""Bytes of all values and their names together."""
LOOK_AGAIN: Final = timedelta(minutes=5)
"""How soon at the latest another version of the credentials is noticed: Secrets are not watched."""
TRY_AGAIN: Final = timedelta(minutes=1)
"""How soon what keeps them from being copied is looked for again: somebody is at work on it."""


class _Looked(NamedTuple):
    """What came of the last look."""

    at: datetime
    mark: object
    """For whom it was: another name of the Secret, or a binding written since, is another look.

    An e-service whose grant had no credentials for a moment has removed the copy, and writes its binding
    again once there are some.
    """
    copied: Copied

    @property
    def until(self) -> datetime:
        """Until when it stands."""
        return self.at + (LOOK_AGAIN if self.copied is Copied.COPIED else TRY_AGAIN)


class CredentialsCopier:
    """Keeps copies of credentials like the Secrets beside their grants."""

    def __init__(self, api: KubeApi, observer: AccessObserver) -> None:
        self._api = api
        self._observer = observer
        self._looked: dict[ObjectKey, _Looked] = {}

    def known(self, key: ObjectKey) -> Copied | None:
        """What came of copying the credentials of a grant; None where there was nothing to copy."""
        looked = self._looked.get(key)
        return None if looked is None else looked.copied

    async def refresh(self, key: ObjectKey, times: Times) -> datetime | None:
        """Copy what is to be copied, unless it was looked at lately; when to look again.

        Raises:
            ApiError: the API server could not be asked; a right that is missing is no error.
        """
        wanted, bindings = self._wanted(key, times)
        if not bindings:
            self._looked.pop(key, None)
            return None
        mark, now = (wanted, frozenset((one.uid, one.resource_version) for one in bindings)), times.now
        looked = self._looked.get(key)
        if looked is not None and looked.mark == mark and looked.at <= now < looked.until:
            return looked.until
        source = Ref("v1", "Secret", key.namespace, wanted)
        try:
            looked = self._looked[key] = _Looked(now, mark, await self._copy(source, bindings))
        finally:  # also where only some were copied: who has none left to ask comes here no more
            await self._take_back(key, times, bindings)
        return looked.until

    def _wanted(self, key: ObjectKey, times: Times) -> tuple[str, tuple[Observed, ...]]:
        """The name of the Secret that a grant names, and the bindings that are to have a copy beside them."""
        world = self._observer.grant(key)
        credentials = world.case.grant.spec.credentials if isinstance(world, GrantWorld) else None
        if not isinstance(world, GrantWorld) or credentials is None:
            return "", ()
        return credentials.secret_name, _entitled(world, times)

    async def _take_back(self, key: ObjectKey, times: Times, bindings: tuple[Observed, ...]) -> None:
        """Remove what was copied while its reason ended: the e-service may have looked for it before.

        What ends after this look, the e-service removes.
        """
        _, left = self._wanted(key, times)
        still = {binding.uid for binding in left}
        for binding in (one for one in bindings if one.uid not in still):
            ref = Ref("v1", "Secret", binding.ref.namespace, binding.ref.name)
            owner = binding.labels.get(names.OWNER_UID_LABEL, "")
            await delete_named(self._api, DeleteNamed(ref, owner, "its reason ended meanwhile"))

    async def _copy(self, source: Ref, bindings: tuple[Observed, ...]) -> Copied:
        try:
            secret = await self._api.get(source)
            problem = _problem(secret)
            if secret is None or problem is not None:
                return problem or Copied.MISSING
            results = [await self._bring(secret, binding) for binding in bindings]
        except Forbidden as error:
            log.warning("credentials are not copied: %s", error.message)
            return Copied.FORBIDDEN
        return Copied.NAME_TAKEN if Copied.NAME_TAKEN in results else Copied.COPIED

    async def _bring(self, secret: Manifest, binding: Observed) -> Copied:
        """Make one copy what it should be; a Secret of the consumer's own by that name is left alone."""
        wanted = _copy_of(secret, binding)
        metadata = wanted["metadata"]
        ref = Ref("v1", "Secret", metadata["namespace"], metadata["name"])
        live = await self._api.get(ref)
        if live is not None and not is_owned(live, binding.labels.get(names.OWNER_UID_LABEL)):
            return Copied.NAME_TAKEN
        if live is not None and _is_stuck(live, wanted):
            left = await self._api.delete(ref, uid=live["metadata"]["uid"])
            if left is not None and "deletionTimestamp" in left["metadata"]:
                return Copied.NAME_TAKEN  # until its finalizer leaves there can be no other
            live = None
        if live is None or not _is_like(live, wanted):
            patch = [] if live is None else take_over(live)
            if patch:  # what others added to it is ours by then, and goes
                await self._api.json_patch(ref, patch)
            uid = {} if live is None else {"uid": live["metadata"]["uid"]}
            body = wanted | {"metadata": metadata | uid}
            await self._api.apply(body, field_manager=names.MANAGER, force=True)
            log.info("copied credentials: %s", ref)
        return Copied.COPIED


def _entitled(world: GrantWorld, times: Times) -> tuple[Observed, ...]:
    """The bindings that are to have a copy beside them: of the consumer, for what it may call now.

    Anybody can make a ConfigMap that says that it is a binding: in another namespace, by another name, or
    without a grant in force, it gets nothing. Before the right to call was given nothing is copied: only then
    what the grant rests on was read live.
    """
    case = world.case
    right = world.children.get((BINDING_KIND, grant_child(case.grant.metadata.name)))
    if case.consumer is None or right is None or right.terminating:
        return ()
    allowed = {standing.version for standing in standings(case, times) if standing.allowed}
    owner = Owner.of(case.consumer.service.metadata)
    wanted = {
        binding_of(owner.name, use)
        for use in asks(case)
        if ALL_VERSIONS in allowed or use.contract_version in allowed
    }
    return tuple(
        binding
        for binding in world.bindings
        if binding.ref.namespace == owner.namespace
        and binding.ref.name in wanted
        and is_owned(dict(binding.body), owner.uid)
        and names.CREDENTIALS_ANNOTATION in binding.annotations
        and not binding.terminating
    )


def _problem(secret: Manifest | None) -> Copied | None:
    """Why a Secret is not copied."""
    if secret is None:
        return Copied.MISSING
    if secret.get("type") != CREDENTIALS_TYPE:
        return Copied.WRONG_TYPE
    data: Mapping[str, str] = secret.get("data") or {}
    size = sum(len(name) + len(value) * 3 // 4 for name, value in data.items())
    return Copied.TOO_LARGE if size > LARGEST else None


def _copy_of(secret: Manifest, binding: Observed) -> Manifest:
    """The copy beside a binding. It has no seal: even a hash of credentials is nobody's business."""
    ref, labels = binding.ref, binding.labels
    marks = (names.MANAGED_BY_LABEL, names.NAME_LABEL, names.ESERVICE_LABEL, names.OWNER_UID_LABEL)
    owner: dict[str, Any] = {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "name": ref.name,
        "uid": binding.uid,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "labels": {mark: labels[mark] for mark in marks if mark in labels},
            "ownerReferences": [owner],
        },
        "type": CREDENTIALS_TYPE,
        "data": dict(secret.get("data") or {}),
    }


def _is_stuck(live: Manifest, wanted: Manifest) -> bool:
    """Whether it is other than it should be in what cannot be changed: its type, or what is immutable."""
    return live.get("type") != CREDENTIALS_TYPE or (
        bool(live.get("immutable")) and not _is_like(live, wanted)
    )


def _is_like(live: Manifest, wanted: Manifest) -> bool:
    have, want = live["metadata"], wanted["metadata"]
    owners = {reference["uid"] for reference in have.get("ownerReferences") or ()}
    return (
        (live.get("data") or {}) == wanted["data"]
        and owners == {reference["uid"] for reference in want["ownerReferences"]}
        and (have.get("labels") or {}).items() >= want["labels"].items()
    )

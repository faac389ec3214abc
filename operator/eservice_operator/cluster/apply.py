# SPDX-License-Identifier: Apache-2.0
"""Carries out what was decided, action by action, and never on another object than the one decided about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, assert_never

from eservice_operator.api.names import FINALIZER_MANAGER, MANAGER, STATUS_MANAGER
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import AlreadyExists, ApiError, Conflict, Invalid, NotFound
from eservice_operator.cluster.managed_fields import (
    take_over,
    without_annotations,
    without_fields,
    without_finalizer,
    without_others,
)
from eservice_operator.cluster.named import delete_named
from eservice_operator.cluster.ownership import is_managed, is_ours, marking
from eservice_operator.cluster.sight import Refused, Sight, again, failed, held
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import (
    Action,
    Create,
    Delete,
    DeleteNamed,
    Failure,
    Manifest,
    Outcome,
    Ref,
    SetFinalizer,
    SetLabels,
    SetStatus,
    Update,
    goes_on,
    ref_of,
)
from eservice_operator.core.additions import additions

OUTDATED: Final = "Outdated"
"""The reason of a failure: the object, or its status, was written to since the status for it was computed."""


class Applier:
    """Writes to the cluster; what the API server answers is in ``store`` before the next read of it.

    ``on_change`` is told of each such change: the watch brings the same version later, and will say nothing.
    Every action is safe to repeat, and to be cut off at any point.
    """

    def __init__(self, api: KubeApi, store: Store, on_change: Callable[[Change], None]) -> None:
        self._api = api
        self._sight = Sight(api, store, on_change)

    async def run(self, actions: Sequence[Action]) -> Outcome:
        """Carry out ``actions`` in order; after a failure only those that go on regardless, if any can.

        The failure's ``reason`` is ``NameCollision`` (an object of that name is there and not ours),
        ``NotOurs`` (the very object no longer says that it is ours), ``Replaced`` or ``Gone`` (it is not that
        object any more), ``Terminating`` (deleted, but held by somebody's finalizer), or the API server's
        own. ``transient`` means that observing and deciding again can help.
        """
        done: list[Action] = []
        failures: list[Failure] = []
        for action in actions:
            if failures and not goes_on(action):
                continue
            try:
                await self._carry_out(action)
            except (Refused, ApiError) as error:
                failures.append(failed(action, error))
                if error.of_all:
                    break
            else:
                done.append(action)
        return Outcome(tuple(done), failures[0] if failures else None, tuple(failures[1:]))

    async def _carry_out(self, action: Action) -> None:
        match action:
            case Create():
                await self._create(action)
            case Update():
                await self._update(action)
            case Delete():
                await self._delete(action)
            case DeleteNamed():
                await again(lambda: delete_named(self._api, action))
            case SetStatus():
                await self._set_status(action)
            case SetFinalizer():
                await self._set_finalizer(action)
            case SetLabels():
                manifest = _addressed(action.ref, action.uid)
                manifest["metadata"]["labels"] = action.labels
                await self._apply(manifest, MANAGER)
            case _:
                assert_never(action)

    async def _create(self, action: Create) -> None:
        ref = ref_of(action.manifest)
        try:
            answer = await self._api.create(action.manifest)
        except AlreadyExists as error:
            live = await self._api.get(ref)
            if live is None:
                raise Refused("Gone", f"{ref} was there and is not any more", transient=True) from error
            if not is_ours(live, action.manifest):
                message = f"{ref} exists and is not ours; it was left alone"
                raise Refused("NameCollision", message, transient=False) from error
            self._sight.learn(await self._marked(live, action.manifest))
            raise Refused("AlreadyExists", f"{ref} is ours already", transient=True) from error
        self._sight.learn(answer)

    async def _marked(self, live: Manifest, desired: Manifest) -> Manifest:
        """The object, with the labels by which we see it where somebody took those off."""
        patch = marking(live, desired)
        return await self._api.json_patch(ref_of(live), patch, field_manager=MANAGER) if patch else live

    async def _update(self, action: Update) -> None:
        ref = ref_of(action.manifest)
        known = self._sight.known(ref)
        if action.take_over or known is None or "ownUpdates" in known:
            await again(lambda: self._prepare(action, take_over))
        if action.drop:
            await again(lambda: self._prepare(action, lambda live: without_annotations(live, action.drop)))
        metadata = action.manifest["metadata"] | {"uid": action.uid}
        answer = await self._apply(action.manifest | {"metadata": metadata}, MANAGER)
        if additions(action.manifest, answer):  # nobody owns it, so that no apply takes it off
            wanted = action.manifest
            await again(lambda: self._prepare(action, lambda it: without_fields(it, additions(wanted, it))))

    async def _prepare(self, action: Update, patch_of: Callable[[Manifest], list[dict[str, Any]]]) -> None:
        """Patch what an apply alone would not change; only where the object still says that it is ours."""
        ref = ref_of(action.manifest)
        live = await self._sight.look(ref, action.uid)
        if not is_ours(live, action.manifest):
            raise Refused("NotOurs", f"{ref} no longer says that it is ours", transient=False)
        patch = patch_of(live)
        if patch:
            self._sight.learn(await self._api.json_patch(ref, patch))

    async def _apply(self, manifest: Manifest, manager: str, subresource: str = "") -> Manifest:
        """Server-side apply to the object whose uid the manifest has."""
        try:
            answer = await self._api.apply(
                manifest, field_manager=manager, force=True, subresource=subresource
            )
        except (Conflict, NotFound, Invalid):  # another uid is "invalid", no object at all a conflict
            await self._sight.look(ref_of(manifest), manifest["metadata"]["uid"])
            raise
        self._sight.learn(answer)
        return answer

    async def _set_status(self, action: SetStatus) -> None:
        """In a custom resource's status the API server ignores the uid: the resourceVersion stands for it."""
        ref, uid = action.ref, action.uid
        seen, sent = self._sight.known(ref), False

        async def write() -> None:
            nonlocal seen, sent
            if seen is None or seen["metadata"]["uid"] != uid:
                seen = await self._sight.look(ref, uid)
            if action.basis is not None and not action.basis.holds(seen):
                self._sight.learn(seen)
                if sent and seen.get("status") == action.status:
                    return  # carried out; the answer was lost, and the repetition came too late
                message = f"{ref}, or its status, was written to meanwhile"
                raise Refused(OUTDATED, message, transient=True, of_all=True)
            manifest = _addressed(ref, uid) | {"status": action.status}
            manifest["metadata"]["resourceVersion"] = seen["metadata"]["resourceVersion"]
            seen, sent = None, True
            await self._without_others(action, await self._apply(manifest, STATUS_MANAGER, "status"))

        await again(write)

    async def _without_others(self, action: SetStatus, answer: Manifest) -> None:
        """Take off what others have in the status: through the subresource, as we may write nothing else."""
        patch = without_others(answer, action.status)
        if patch:
            self._sight.learn(
                await self._api.json_patch(
                    action.ref, patch, field_manager=STATUS_MANAGER, subresource="status"
                )
            )

    async def _delete(self, action: Delete) -> None:
        left = await self._delete_as_known(action)
        if left is None or left["metadata"]["uid"] != action.uid:
            self._sight.forget(action.ref, action.uid)
            return
        self._sight.learn(left)
        if action.until_gone:
            raise held(action.ref, left)

    async def _delete_as_known(self, action: Delete) -> Manifest | None:
        """Delete the version that the store has, if it still is the newest; otherwise read, and that one.

        Either way the server deletes nothing but the very version that was seen to be ours.
        """
        ref = action.ref
        known = self._sight.known(ref)
        if known is not None and known["metadata"]["uid"] == action.uid:
            try:
                return await self._delete_this(action, known)
            except Conflict:
                pass
        return await again(lambda: self._delete_as_read(action))

    async def _delete_as_read(self, action: Delete) -> Manifest | None:
        live = await self._api.get(action.ref)
        return None if live is None else await self._delete_this(action, live)

    async def _delete_this(self, action: Delete, seen: Manifest) -> Manifest | None:
        """Delete the object in the version that was seen, and answer what is there then."""
        self._sight.expect(seen, action.ref, action.uid)
        if not is_managed(seen):
            raise Refused("NotOurs", f"{action.ref} no longer says that it is ours", transient=False)
        if "deletionTimestamp" in seen["metadata"]:
            return await self._api.get(action.ref)
        version = seen["metadata"]["resourceVersion"]
        try:
            answer = await self._api.delete(action.ref, uid=action.uid, resource_version=version)
        except NotFound:
            return None
        stays = answer is not None and "deletionTimestamp" in answer["metadata"]
        return await self._api.get(action.ref) if stays else None

    async def _set_finalizer(self, action: SetFinalizer) -> None:
        manifest = _addressed(action.ref, action.uid)
        if action.present:
            manifest["metadata"]["finalizers"] = [action.finalizer]
        try:
            answer = await self._apply(manifest, FINALIZER_MANAGER)
        except Refused as refusal:
            if not action.present and refusal.reason in {"Gone", "Replaced"}:
                return
            raise
        ops = [] if action.present else without_finalizer(answer, action.finalizer)
        if ops:  # somebody else wrote it too, with a restored copy
            answer = await self._api.json_patch(action.ref, ops, field_manager=FINALIZER_MANAGER)
            self._sight.learn(answer)
        if "deletionTimestamp" in answer["metadata"] and not answer["metadata"].get("finalizers"):
            self._sight.forget(action.ref, action.uid)


def _addressed(ref: Ref, uid: str) -> Manifest:
    """A manifest that says nothing but which very object it is about."""
    metadata = {"name": ref.name, "uid": uid} | ({"namespace": ref.namespace} if ref.namespace else {})
    return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata}

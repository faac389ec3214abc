# SPDX-License-Identifier: Apache-2.0
"""What a decision asks the cluster to do: a closed union of writes, each with its reason.

They are carried out in their order. Once one has failed the rest waits, as it may rest on that one, but for
what is to be done ``regardless``: what only takes, and what puts right what is there (see `goes_on`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from typing_extensions import override

from eservice_operator.api.names import FINALIZER

Manifest = dict[str, Any]
"""A complete Kubernetes object as plain dicts, the way it is sent."""


class Ref(NamedTuple):
    """Names one object; ``namespace`` is empty for a cluster-scoped one."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @override
    def __str__(self) -> str:
        """``Kind namespace/name``, as people write it."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def ref_of(manifest: Manifest) -> Ref:
    """The reference to the object that a manifest describes."""
    metadata = manifest["metadata"]
    return Ref(manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"])


@dataclass(frozen=True, slots=True)
class Create:
    """Make an object that was not there; never touches one of the same name."""

    manifest: Manifest
    reason: str
    regardless: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """Bring an own object (seen with this ``uid``) to the manifest by server-side apply.

    ``take_over`` is set when the fields of other writers on the object have to become ours first, so
    that the apply removes what is not wanted. ``drop`` names annotations that go, whoever wrote them: an
    apply leaves those of others alone.
    """

    manifest: Manifest
    uid: str
    reason: str
    take_over: bool = False
    drop: tuple[str, ...] = ()
    regardless: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove an own object, this very one (``uid``).

    Without ``until_gone`` it is done once its deletion is ordered: what follows does not wait for whoever
    holds it by a finalizer.
    """

    ref: Ref
    uid: str
    reason: str
    until_gone: bool = True
    regardless: bool = False


@dataclass(frozen=True, slots=True)
class DeleteNamed:
    """Remove what has this name if it belongs to the owner of ``owner_uid``: of a kind that is never kept.

    It is looked at when it is carried out; what is gone, is being deleted, or is somebody else's, is as it
    should be.
    """

    ref: Ref
    owner_uid: str
    reason: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What a status was computed from: the object in a ``version`` (its resourceVersion), and its ``status``.

    Without a status, nobody's write of anything else may come between either.
    """

    version: str
    status: Manifest | None = None

    def holds(self, obj: Manifest) -> bool:
        """Whether a status that was computed from this may be written onto ``obj``, as it is now."""
        same = obj["metadata"]["resourceVersion"] == self.version
        return same or (self.status is not None and obj.get("status", {}) == self.status)


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Write the whole status of one of our kinds by server-side apply, over nothing but its ``basis``.

    Without one, whatever is there is overwritten.
    """

    ref: Ref
    uid: str
    status: Manifest
    reason: str
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class SetFinalizer:
    """Put a finalizer of ours on an object of a user, or take it off."""

    ref: Ref
    uid: str
    present: bool
    reason: str
    finalizer: str = FINALIZER


@dataclass(frozen=True, slots=True)
class SetLabels:
    """Put labels on an object that is not ours (a namespace) by server-side apply of just these."""

    ref: Ref
    uid: str
    labels: dict[str, str]
    reason: str


Action = Create | Update | Delete | DeleteNamed | SetStatus | SetFinalizer | SetLabels


def target_of(action: Action) -> Ref:
    """The object that an action writes to."""
    return ref_of(action.manifest) if isinstance(action, Create | Update) else action.ref


def goes_on(action: Action) -> bool:
    """Whether it is carried out although something before it could not be."""
    match action:
        case Create() | Update() | Delete():
            return action.regardless
        case SetFinalizer():
            return action.present
        case DeleteNamed() | SetLabels():
            return True
        case SetStatus():
            return False


@dataclass(frozen=True, slots=True)
class Failure:
    """The action that failed, what the cluster said, and whether trying again can help."""

    action: Action
    reason: str
    message: str
    transient: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What of a list of actions was done, and what failed; the rest was not tried."""

    done: tuple[Action, ...]
    failure: Failure | None = None
    """The first: what it is that has to be mended."""
    others: tuple[Failure, ...] = ()
    """What failed after it, of what does not wait for it."""

    def then(self, later: Outcome) -> Outcome:
        """All that was done, and how it ended."""
        return Outcome((*self.done, *later.done), later.failure, later.others)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """All that failed, in the order of the actions."""
        return () if self.failure is None else (self.failure, *self.others)

    @property
    def wrote(self) -> bool:
        """Whether anything was written."""
        return bool(self.done)

# SPDX-License-Identifier: Apache-2.0
"""R1: the labels of a namespace: whose it is, and what its Pods may do (Pod Security)."""

from __future__ import annotations

from collections.abc import Iterator

from eservice_operator.api import names
from eservice_operator.api.registration import EnvironmentNamespace, NamespaceState
from eservice_operator.core.actions import Action, Ref, SetLabels
from eservice_operator.core.world import Observed, RegistrationWorld

LATEST = "latest"
"""The version of Pod Security: what was restricted years ago allows what is not today."""


def labels_of(world: RegistrationWorld, entry: EnvironmentNamespace) -> dict[str, str]:
    """The labels of a namespace in which the registration's e-services run."""
    return {
        names.INSTITUTION_LABEL: world.registration.spec.institution.code,
        names.ENVIRONMENT_LABEL: entry.environment.value.lower(),
        **names.POD_SECURITY_LABELS,
    }


def relabelled(observed: Observed, wanted: dict[str, str]) -> Iterator[Action]:
    """What puts back the labels, where one is missing, changed, or names another version of Pod Security."""
    wanted = wanted | _versions(observed)
    missing = {key: value for key, value in wanted.items() if observed.labels.get(key) != value}
    if missing:
        why = f"labels missing or changed: {', '.join(sorted(missing))}"
        yield SetLabels(Ref("v1", "Namespace", "", observed.ref.name), observed.uid, wanted, why)


def kept_restricted(world: RegistrationWorld, entry: EnvironmentNamespace) -> Iterator[Action]:
    """What puts back Pod Security where the namespace was the registration's, and is said not to be any more.

    Who has all rights in a namespace also writes its labels, and is to get no privileged Pods by saying
    that it belongs to somebody else. What the labels say of that stays: they are named, as they are, because
    a server-side apply takes away what it does not name.
    """
    observed = world.namespaces.get(entry.name)
    if observed is None or observed.terminating or remembered(world, entry.name) is None:
        return
    of_whom = (names.INSTITUTION_LABEL, names.ENVIRONMENT_LABEL)
    standing = {key: observed.labels[key] for key in of_whom if key in observed.labels}
    yield from relabelled(observed, standing | names.POD_SECURITY_LABELS)


def remembered(world: RegistrationWorld, name: str, state: NamespaceState | None = None) -> str | None:
    """The uid of a namespace that is Ready, or was: None for one that was made since, or never was."""
    observed = world.namespaces.get(name)
    if observed is None:
        return None
    if state is NamespaceState.READY:
        return observed.uid
    known = {entry.uid for entry in world.registration.status.namespaces if entry.name == name}
    return observed.uid if observed.uid in known else None


def _versions(observed: Observed) -> dict[str, str]:
    """The labels that say by which version of Pod Security is judged, where somebody has written one."""
    keys = (f"{key}-version" for key in names.POD_SECURITY_LABELS)
    return dict.fromkeys((key for key in keys if observed.labels.get(key, LATEST) != LATEST), LATEST)

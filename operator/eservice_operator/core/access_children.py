# SPDX-License-Identifier: Apache-2.0
"""The children by which an e-service has what grants open for it, and the writes that take it away.

The NetworkPolicy is one of its own beside that of the workload: what it has can be taken from it even where
nobody knows what the workload needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from eservice_operator.api import names
from eservice_operator.core.access.binding import build_binding
from eservice_operator.core.access.naming import access_policy
from eservice_operator.core.access.ways import IN, OUT, within
from eservice_operator.core.actions import Action, Delete, DeleteNamed, Manifest, Ref, Update
from eservice_operator.core.opened import BINDING_KIND, OpenAccess, Rule
from eservice_operator.core.owner import Owner
from eservice_operator.core.world import Observed

POLICY_KIND = "NetworkPolicy"
ENDED = "nothing allows it any more"


def access_manifests(owner: Owner, access: OpenAccess) -> Iterator[Manifest]:
    """The children that should be there."""
    policy = _policy(owner, access)
    if policy is not None:
        yield policy
    for use in access.uses:
        yield build_binding(owner, use.binding, use.egress)


def _policy(owner: Owner, access: OpenAccess) -> Manifest | None:
    """Lets the Pods out to what they may call, and an agent's customers in; None where that is nobody."""
    egress: list[Rule] = []
    for rule in (rule for use in access.uses for rule in use.egress):
        if rule not in egress:
            egress.append(rule)
    ports = [{"port": port, "protocol": "TCP"} for port in access.ports]
    ingress = [{"from": list(access.customers), "ports": ports}] if access.customers else []
    return _leading(owner, ingress, egress) if egress or ingress else None


def _leading(owner: Owner, ingress: Sequence[Rule], egress: Sequence[Rule]) -> Manifest:
    spec = {
        "podSelector": {"matchLabels": owner.pod_selector},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": list(ingress),
        "egress": list(egress),
    }
    return owner.child("networking.k8s.io/v1", POLICY_KIND, access_policy(owner.name), {"spec": spec})


def closing(
    owner: Owner, access: OpenAccess, children: Mapping[tuple[str, str], Observed]
) -> Iterator[Action]:
    """The removal of what is not allowed any more; credentials before the binding that tells of them.

    Whoever holds one of them by a finalizer, or keeps it from being written, keeps that alone: the others go
    all the same.
    """
    bound = {use.binding.name: use.binding for use in access.uses}
    policy = children.get((POLICY_KIND, access_policy(owner.name)))
    if policy is not None and _goes(policy):
        yield from _narrowed(owner, _policy(owner, access), policy)
    for (kind, name), child in sorted(children.items()):
        if kind != BINDING_KIND or not _goes(child):
            continue
        binding = bound.get(name)
        held = names.CREDENTIALS_ANNOTATION in child.annotations
        if held and not (binding is not None and binding.credentials):
            secret = Ref("v1", "Secret", owner.namespace, name)
            yield DeleteNamed(secret, owner.uid, "the credentials are not the e-service's any more")
        if binding is None:
            yield Delete(child.ref, child.uid, ENDED, until_gone=False, regardless=not held)


def _narrowed(owner: Owner, wanted: Manifest | None, policy: Observed) -> Iterator[Action]:
    """The ways that end, before any write that something else could keep from being made."""
    if wanted is None:
        yield Delete(policy.ref, policy.uid, ENDED, until_gone=False, regardless=True)
        return
    ingress, egress = policy.spec.get("ingress") or (), policy.spec.get("egress") or ()
    still_in = within(ingress, wanted["spec"]["ingress"], IN)
    still_out = within(egress, wanted["spec"]["egress"], OUT)
    if (still_in, still_out) != (tuple(ingress), tuple(egress)):
        manifest = _leading(owner, still_in, still_out)
        yield Update(manifest, policy.uid, ENDED, take_over=policy.edited, regardless=True)


def is_written(manifest: Manifest, ends: Iterable[Action]) -> bool:
    """Whether what takes has brought a child to its manifest already: nothing was to be given beside it."""
    return any(isinstance(one, Update) and one.manifest == manifest for one in ends)


def _goes(child: Observed) -> bool:
    return bool(child.uid) and not child.terminating

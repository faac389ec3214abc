# SPDX-License-Identifier: Apache-2.0
"""The write that brings one child to its manifest; of an EService also whether it waits for those before it.

Whoever may write in its namespace may make any write there fail, by an object of that name or a quota. Nobody
keeps the operator by that from putting right what is there; what becomes public waits until all before it is
done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from eservice_operator.api import names
from eservice_operator.core.actions import Create, Manifest, Update, target_of
from eservice_operator.core.additions import additions
from eservice_operator.core.difference import first_difference
from eservice_operator.core.faces import Face
from eservice_operator.core.facts import Facts
from eservice_operator.core.gateway_driver import ROUTE_KIND
from eservice_operator.core.ingress_driver import INGRESS_KIND
from eservice_operator.core.rollout import Rollout
from eservice_operator.core.world import Observed

ROUTES: Final = frozenset({ROUTE_KIND, INGRESS_KIND})
BESIDE: Final = frozenset({"ServiceAccount", "NetworkPolicy", "PodDisruptionBudget", "ReferenceGrant"})
"""Nothing runs and nothing is public by these alone."""
LEADING: Final = frozenset({"Service", "HorizontalPodAutoscaler"})
"""What leads to the public release, or follows it, beside its route."""
RUNNING: Final = "Deployment"


def difference(
    manifest: Manifest, observed: Observed | None, strays: tuple[str, ...] = ()
) -> Iterator[Create | Update]:
    """The write that brings one child to its manifest; none while it is being deleted or already there.

    ``strays`` are annotations on it that go.
    """
    if observed is None:
        yield Create(manifest, "missing")
        return
    if observed.terminating:
        return
    found = first_difference(manifest, observed.body) or _added(manifest, observed)
    if found is not None or observed.edited or strays:
        others = f"annotations of others: {', '.join(strays)}" if strays else "edited by somebody else"
        yield Update(manifest, observed.uid, found or others, take_over=observed.edited, drop=strays)


def _added(manifest: Manifest, observed: Observed) -> str | None:
    added = additions(manifest, observed.body)
    return f"{added[0]} is there, and should not be" if added else None


def becomes_public(facts: Facts, rollout: Rollout) -> bool:
    """Whether a release becomes public: the Service moves to it, or a route appears."""
    if rollout.public is None:
        return False
    return rollout.public.name != facts.public_name or (rollout.serves and facts.face is not Face.LIVE)


def regardless(
    write: Create | Update, child: Observed | None, public: str = "", *, giving: bool = False
) -> Create | Update:
    """The write to a child, marked where it goes on whatever failed before it; None: the child is missing.

    ``public`` is the name of the public release, which this decision may make that (``giving``): then what
    leads there waits. A route that is missing is never made regardless: its finalizer comes first.
    """
    kind = target_of(write).kind
    if kind in BESIDE:
        goes_on = True
    elif giving and kind != RUNNING:
        goes_on = False
    elif isinstance(write, Update):
        goes_on = kind in ROUTES | LEADING | {RUNNING} and child is not None and _is_put_right(write, child)
    else:
        of_public = write.manifest["metadata"]["labels"].get(names.RELEASE_LABEL) == public
        goes_on = bool(public) and not giving and (kind in LEADING or (kind == RUNNING and of_public))
    return replace(write, regardless=True) if goes_on else write


def _is_put_right(update: Update, child: Observed) -> bool:
    """Whether somebody else wrote to the child, rather than that we have something new to say.

    What we last said is sealed. Whoever forges that, too, leads a Service to no other Pods by it.
    """
    seal = update.manifest["metadata"]["annotations"].get(names.MANIFEST_ANNOTATION)
    led_astray = child.spec.get("selector") != update.manifest["spec"].get("selector")
    return child.edited or child.annotations.get(names.MANIFEST_ANNOTATION) == seal or led_astray

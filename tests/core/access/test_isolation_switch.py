# SPDX-License-Identifier: Apache-2.0
"""What consumers with a grant meet while `isolation` is switched; the holder's bridge spares them that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

import yaml

from eservice_operator.api import names
from eservice_operator.api.base import EServiceRef
from eservice_operator.api.grant import WebServiceGrant
from eservice_operator.api.webservice import WebService
from eservice_operator.core.access.case import Pods
from eservice_operator.core.access.holding import build_wall
from eservice_operator.core.access.walls import build_policy
from eservice_operator.core.actions import Manifest
from tests.contract.test_docs import DOCS, section
from tests.support import access

CONSUMERS = tuple(EServiceRef(namespace=f"{name}-production", name=name) for name in ("rezekne", "ogre"))
STRANGER = EServiceRef(namespace="squat", name="stranger")
PODS = Pods(access.HOLDER, {"app": "population-register"}, ("https",))


def lets_in(policy: Manifest, caller: EServiceRef) -> bool:
    """Whether one of its rules does: one without ``from`` is for everybody."""
    labels = {names.NAMESPACE_NAME_LABEL: caller.namespace, names.ESERVICE_LABEL: caller.name}
    for rule in policy["spec"].get("ingress") or ():
        if "from" not in rule:
            return True
        for peer in rule["from"]:
            wanted = peer["namespaceSelector"]["matchLabels"] | peer["podSelector"]["matchLabels"]
            if wanted.items() <= labels.items():
                return True
    return False


def reaches(caller: EServiceRef, policies: Iterable[Manifest]) -> bool:
    """As Kubernetes has it: Pods that no policy selects are open, and policies add up."""
    found = tuple(policies)
    assert all(one["spec"]["podSelector"]["matchLabels"] == dict(PODS.selector) for one in found)
    return not found or any(lets_in(one, caller) for one in found)


def under_way() -> Iterator[tuple[Manifest, ...]]:
    """Every set of our policies that there can be between Observe and Enforce, in either direction."""
    doors = [
        build_policy(
            WebServiceGrant.model_validate(access.grant(one.name, spec={"consumer": one.model_dump()})), PODS
        )
        for one in CONSUMERS
    ]
    ours = [build_wall(WebService.model_validate(access.web_service()), PODS), *doors]
    for count in range(len(ours) + 1):
        yield from combinations(ours, count)


def bridge() -> Manifest:
    """The one of the page."""
    text = section((DOCS / "access.md").read_text(), "## Offering a web service").partition(
        "kind: NetworkPolicy"
    )
    block = text[0].rpartition("```yaml")[2] + text[1] + text[2].partition("```")[0]
    return dict(yaml.safe_load(block))


def test_no_order_of_our_policies_spares_everybody() -> None:
    """Also without the wall: the first door of all is a wall to the others."""
    wall, first, _ = next(one for one in under_way() if len(one) == 3)
    assert [reaches(one, [first]) for one in CONSUMERS] == [True, False]
    assert [reaches(one, [wall, first]) for one in CONSUMERS] == [True, False]


def test_with_the_bridge_of_the_page_nobody_is_cut_off_until_it_goes() -> None:
    for policies in under_way():
        assert all(reaches(one, [*policies, bridge()]) for one in (*CONSUMERS, STRANGER))
    done = max(under_way(), key=len)
    assert [reaches(one, done) for one in (*CONSUMERS, STRANGER)] == [True, True, False]
    assert all(reaches(one, ()) for one in (*CONSUMERS, STRANGER))

# SPDX-License-Identifier: Apache-2.0
"""What people may write beside ``spec``: names, labels, annotations, finalizers, owners, at their bounds.

The API server bounds them, not our schemas. Whatever it takes the operator can read, and works with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from eservice_operator.api.kinds import KINDS
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError
from eservice_operator.core.actions import Manifest
from tests.adversarial import oddities
from tests.adversarial.cast import Cast, Part
from tests.contract.apiserver import dry_create
from tests.contract.manifests import example
from tests.support.figures import Figures
from tests.support.operator import OperatorProcess
from tests.support.register import Register
from tests.support.site import says

pytestmark = pytest.mark.cluster

MOST = 256 * 1024
"""Bytes of all annotations of an object, their keys included."""
NOTE = "example.com/note"
LONGEST_LABEL, LONGEST_NAME, LONGEST_OURS = 63, 253, 40
NAMES = {"number"}
"""Texts that are names, too."""
TAKEN, REFUSED = "taken", "refused"


def noted(size: int) -> dict[str, str]:
    """One that is so large with its key."""
    return {NOTE: "a" * (size - len(NOTE))}


def labels(count: int) -> dict[str, str]:
    """So many, each as long as a label may be."""
    return {f"{'d' * LONGEST_LABEL}.example/{number:063d}": "v" * LONGEST_LABEL for number in range(count)}


def finalizers(count: int) -> list[str]:
    return [f"example.com/{number:063d}" for number in range(count)]


def owners(count: int, *, controls: int = 0) -> list[Manifest]:
    """Objects that are not there; so many of them each say that they are the one controller."""
    said = {"apiVersion": "v1", "kind": "ConfigMap"}
    return [
        said | {"name": f"o{number}", "uid": f"u{number}", "controller": number < controls}
        for number in range(count)
    ]


Odd = tuple[str, dict[str, Any], str]
"""What is odd about it, the metadata, and what has to become of it; empty where either will do."""


def odd_metadata() -> Iterator[Odd]:
    """For an object of any kind."""
    yield "annotations of the most bytes", {"annotations": noted(MOST)}, TAKEN
    yield "annotations beyond", {"annotations": noted(MOST + 1)}, REFUSED
    yield "many labels", {"labels": labels(500)}, TAKEN
    yield "a label too long", {"labels": {"a": "v" * (LONGEST_LABEL + 1)}}, REFUSED
    yield "a label's name too long", {"labels": {"k" * (LONGEST_LABEL + 1): "v"}}, REFUSED
    yield "many finalizers", {"finalizers": finalizers(500)}, TAKEN
    yield "many owners", {"ownerReferences": owners(300)}, TAKEN
    yield "two controllers", {"ownerReferences": owners(2, controls=2)}, REFUSED
    yield "a name too long", {"name": "n" * (LONGEST_NAME + 1)}, REFUSED
    yield "a name in capitals", {"name": "Name"}, REFUSED
    for what, text in oddities.TEXTS.items():
        wanted = "" if what in NAMES else REFUSED
        yield f"a name: {what}", {"name": text}, wanted
        yield f"an annotation: {what}", {"annotations": {NOTE: text}}, TAKEN
        yield f"an annotation's name: {what}", {"annotations": {text: "a"}}, wanted
        yield f"a label: {what}", {"labels": {"a": text}}, ""
        yield f"a finalizer: {what}", {"finalizers": [text]}, ""
    others = {"a list": [], "a text": "a", "a number": 1, "maps within": {"a": {"b": "c"}}}
    for what, value in others.items():
        for field in ("labels", "annotations", "finalizers"):
            empty = field == "finalizers" and what == "a list"
            yield f"{field} of another type: {what}", {field: value}, TAKEN if empty else REFUSED
    for length in (LONGEST_OURS, LONGEST_OURS + 1, LONGEST_LABEL, LONGEST_LABEL + 1, LONGEST_NAME):
        yield f"a name of {length}", {"name": "n" * length}, ""
    yield "what the API server writes", {"uid": "a", "generation": -1, "selfLink": "\n"}, ""


async def judged(api: KubeApi, body: Manifest) -> tuple[str, str]:
    """``taken``, ``refused`` or ``wrong``, and why."""
    try:
        stored = await dry_create(api, body)
    except ApiError as refusal:
        in_words = refusal.status in {400, 422} and refusal.message
        return (REFUSED if in_words else "wrong"), str(refusal)
    read = parse(body["kind"], stored)
    return ("wrong", f"cannot be read: {read}") if isinstance(read, InvalidObject) else (TAKEN, "")


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
async def test_what_is_taken_beside_the_spec_can_be_read(api: KubeApi, kind: str, figures: Figures) -> None:
    body, counted = example(kind), Counter[str]()
    for what, odd, wanted in odd_metadata():
        found, why = await judged(api, body | {"metadata": body["metadata"] | odd})
        assert found in {TAKEN, REFUSED}, f"{what}: {found} {why}"
        assert not wanted or found == wanted, f"{what}: {found}"
        counted[found] += 1
    figures.add(f"odd metadata of {kind}", f"{counted.total()}: {dict(counted)}")


async def test_who_is_as_large_as_can_be_stops_nobody_and_not_itself(
    register: Register, cast: Cast, operator: OperatorProcess
) -> None:
    """Published and taken off again, with no room left in its annotations and finalizers of somebody else."""
    site, developer = register.site, cast[Part.DEVELOPER]
    mark = len(site.planned("").name)
    large, usual = site.planned("n" * (LONGEST_OURS - mark)), site.planned("usual")
    assert len(large.name) == LONGEST_OURS
    for planned in (large, usual):
        await site.apply(planned.registration(), planned.act(), planned.verification())
    metadata = {"annotations": noted(MOST), "labels": labels(200), "finalizers": finalizers(200)}
    await developer.apply(large.eservice(metadata=metadata))
    await developer.apply(usual.eservice())
    for planned in (large, usual):
        await site.settled(planned, "Published")
    await operator.at_rest()
    seen = await site.see(large.ref)
    assert len(seen["metadata"]["annotations"][NOTE]) == MOST - len(NOTE), "it is as large as it was"
    assert says(seen, "Ready", "True", "Succeeded")

    await site.delete(large.ref)
    await site.until(large.ref, lambda obj: len(obj["metadata"]["finalizers"]) == 200, "ours has gone")
    assert await site.api.get(large.route) is None
    await developer.apply(large.eservice())  # without the finalizers
    await site.gone(large.ref)
    assert says(await site.see(usual.ref), "Published", "True")

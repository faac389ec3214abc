# SPDX-License-Identifier: Apache-2.0
"""The CEL rules as the real apiserver carries them out: each refuses, with its message, and lets pass."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from eservice_operator.api.crd import crd
from eservice_operator.api.kinds import BY_KIND, KINDS
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.api.schema import VALIDATIONS
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import Invalid
from eservice_operator.core.actions import Manifest, ref_of
from tests.contract.apiserver import dry_create, dry_update
from tests.contract.field_cases import FIELDS
from tests.contract.manifests import changed, example
from tests.contract.rule_cases import RULES, TRANSITIONS, Rule, Transition
from tests.contract.walk import schema_of, walk

pytestmark = pytest.mark.cluster

Create = Callable[[Manifest], Awaitable[Manifest]]


@pytest.fixture
async def create(api: KubeApi, namespace: str) -> AsyncIterator[Create]:
    """Makes an object that is gone after the test."""
    made: list[Manifest] = []

    async def make(manifest: Manifest) -> Manifest:
        if BY_KIND[manifest["kind"]].namespaced:
            manifest["metadata"]["namespace"] = namespace
        made.append(await api.create(manifest))
        return made[-1]

    yield make
    for obj in made:
        await api.delete(ref_of(obj), uid=obj["metadata"]["uid"])


def name_of(case: Rule | Transition) -> str:
    return f"{case.kind}: {case.message}"


@pytest.mark.parametrize("kind", BY_KIND)
async def test_an_object_in_good_order_is_accepted_and_read(api: KubeApi, kind: str) -> None:
    answer = await dry_create(api, example(kind))
    assert not isinstance(parse(kind, answer), InvalidObject)
    assert answer["status"] == {"observedGeneration": -1}


@pytest.mark.parametrize("case", [*RULES, *FIELDS], ids=name_of)
async def test_a_rule_refuses_with_its_message_and_lets_pass(api: KubeApi, case: Rule) -> None:
    given = changed(example(case.kind), dict(case.given))
    for good in case.good:
        answer = await dry_create(api, changed(given, {case.path: good}))
        assert not isinstance(parse(case.kind, answer), InvalidObject), good
    for bad in case.bad:
        with pytest.raises(Invalid) as refused:
            await dry_create(api, changed(given, {case.path: bad}))
        assert case.message in refused.value.message, bad


@pytest.mark.parametrize("case", FIELDS, ids=name_of)
def test_the_operator_reads_a_field_as_the_apiserver_does(case: Rule) -> None:
    for bad in case.bad:
        read = parse(case.kind, changed(example(case.kind), {case.path: bad}))
        assert isinstance(read, InvalidObject), bad


@pytest.mark.parametrize("case", TRANSITIONS, ids=name_of)
async def test_a_transition_is_refused_with_its_message(
    api: KubeApi, create: Create, case: Transition
) -> None:
    before = await create(changed(example(case.kind), dict(case.before)))
    with pytest.raises(Invalid) as refused:
        await dry_update(api, changed(before, case.bad))
    assert case.message in refused.value.message
    await dry_update(api, changed(before, case.good))


def test_every_rule_of_every_kind_has_a_case() -> None:
    rules = {
        rule["message"]
        for kind in KINDS
        for _, schema in walk(schema_of(crd(kind)))
        for rule in schema.get(VALIDATIONS, ())
    }
    every_case: list[Rule | Transition] = [*RULES, *FIELDS, *TRANSITIONS]
    assert rules == {case.message for case in every_case}

# SPDX-License-Identifier: Apache-2.0
"""Every field of every kind, with every odd value, on the real API server.

Whatever it takes the operator can read: an object that is stored and cannot be read is an e-service that
stands still. Whatever is beyond a bound it refuses, in words, and never with an error of its own.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from typing_extensions import override

from eservice_operator.api.kinds import KINDS
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError, Invalid, Transient
from eservice_operator.core.actions import Manifest
from tests.adversarial import oddities, whole
from tests.contract.apiserver import dry_create
from tests.support.figures import Figures

pytestmark = pytest.mark.cluster

AT_ONCE = 16
"""Requests; the API server answers no faster to more."""


@dataclass(frozen=True)
class Attempt:
    """A field with an odd value."""

    kind: str
    path: str
    what: str
    body: Manifest

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.path} {self.what}"


def attempts(kind: str) -> Iterator[Attempt]:
    """All of one kind: everything in one field of each schema, and what matters in each further one."""
    tried: set[str] = set()
    for path, schema in whole.leaves(kind):
        obj, where = whole.with_field(kind, path)
        same = json.dumps({key: rule for key, rule in schema.items() if key != "description"}, sort_keys=True)
        for what, value in oddities.of(schema, whole.at(obj, where)):
            if same not in tried or what in oddities.EVERYWHERE:
                yield Attempt(kind, path, what, whole.put(obj, where, value))
        tried.add(same)


async def judged(api: KubeApi, attempt: Attempt) -> tuple[str, str]:
    """``refused``, ``taken`` or ``wrong``, and in what way."""
    try:
        stored = await dry_create(api, attempt.body)
    except Invalid as refusal:
        return ("refused", "") if refusal.message else ("wrong", f"{attempt}: refused without a word")
    except Transient as error:
        return "wrong", f"{attempt}: {error}"
    except ApiError as error:
        return "wrong", f"{attempt}: {error}"
    if attempt.what in oddities.MUST_REFUSE:
        return "wrong", f"{attempt}: taken beyond its bound"
    read = parse(attempt.kind, stored)
    if isinstance(read, InvalidObject):
        return "wrong", f"{attempt}: taken and cannot be read: {read}"
    return "taken", ""


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
async def test_what_is_taken_can_be_read_and_what_is_beyond_a_bound_is_refused(
    api: KubeApi, kind: str, figures: Figures
) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(attempt: Attempt) -> tuple[str, str]:
        async with gate:
            return await judged(api, attempt)

    tried = list(attempts(kind))
    assert tried
    answers = await asyncio.gather(*map(ask, tried))
    wrong = [why for how, why in answers if how == "wrong"]
    assert not wrong, f"{len(wrong)} of {len(tried)}:\n" + "\n".join(wrong[:40])
    counted = Counter(how for how, _ in answers)
    assert counted["refused"], "nothing was refused: nothing odd was tried"
    figures.add(f"odd values in fields of {kind}", f"{len(tried)}: {dict(counted)}")


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
async def test_every_field_is_in_an_object_that_is_taken(api: KubeApi, kind: str) -> None:
    """Else what is refused with something odd in it would have been refused without."""
    for path, _ in whole.leaves(kind):
        whole.with_field(kind, path)
    for obj in whole.objects(kind):
        assert await dry_create(api, obj)

# SPDX-License-Identifier: Apache-2.0
"""What access costs where a web service has many consumers, or an agent many customers: in counts, not times.

`python -m bench.access` measures the times.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from eservice_operator.core.access import standing
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.terms import Standing, Times
from eservice_operator.core.keys import ObjectKey
from tests.support.clientele import (
    APPLICATION,
    ASSIGNMENT,
    CONNECTION,
    WEB_SERVICE,
    Clientele,
    grant_key,
    service_key,
)
from tests.support.steps import steps as instructions

FEW = 40


@cache
def clientele(sort: str, number: int) -> Clientele:
    return Clientele(**{sort: number})


def steps(sort: str, number: int, key: ObjectKey) -> int:
    """How many instructions a look at an object takes, once everything is known that is remembered."""
    there = clientele(sort, number)
    there.look(key)
    return instructions(lambda: there.look(key))


@pytest.mark.parametrize(
    "sort, key",
    [
        ("consumers", WEB_SERVICE),
        ("customers", WEB_SERVICE),
        ("customers", ASSIGNMENT),
        ("customers", APPLICATION),
    ],
)
def test_whoever_counts_them_takes_the_same_for_each(sort: str, key: ObjectKey) -> None:
    few, more, many = (steps(sort, times * FEW, key) for times in (1, 2, 3))
    assert many - more <= 1.02 * (more - few)


@pytest.mark.parametrize(
    "sort, key",
    [
        ("consumers", grant_key(1)),
        ("consumers", service_key(1)),
        ("customers", CONNECTION),
        ("customers", service_key(1)),
    ],
)
def test_one_of_them_takes_the_same_among_many(sort: str, key: ObjectKey) -> None:
    assert steps(sort, 3 * FEW, key) <= 1.02 * steps(sort, FEW, key)


def test_a_web_service_judges_each_grant_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[GrantCase] = []
    judge = standing._judged

    def counted(case: GrantCase, times: Times) -> tuple[Standing, ...]:
        judged.append(case)
        return judge(case, times)

    monkeypatch.setattr(standing, "_judged", counted)
    clientele("consumers", FEW).look(WEB_SERVICE)
    assert len(judged) == 2 * FEW, "its own, and the one by which each was tested"
    assert len({id(case) for case in judged}) == len(judged)


@pytest.mark.parametrize(
    "sort, act",
    [
        ("consumers", Clientele.asks_anew),
        ("consumers", lambda there: there.ends(2)),
        ("customers", Clientele.joins),
        ("customers", Clientele.is_let_in),
    ],
    ids=["a new use", "a grant that ends", "a new customer", "a new binding"],
)
def test_what_concerns_one_wakes_a_few(sort: str, act: Callable[[Clientele], set[ObjectKey]]) -> None:
    few, many = (act(Clientele(**{sort: number})) for number in (5, FEW))
    assert len(many) == len(few) <= 6, sorted(many)

# SPDX-License-Identifier: Apache-2.0
"""Properties that are worked out once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from typing_extensions import override

from eservice_operator.core.once import once


@dataclass(frozen=True)
class Sum:
    numbers: tuple[int, ...]
    worked_out: list[int] = field(default_factory=list, compare=False)

    @once
    def total(self) -> int:
        """All of them."""
        self.worked_out.append(1)
        return sum(self.numbers)


@dataclass(frozen=True)
class Doubled(Sum):
    @once
    @override
    def total(self) -> int:
        return 2 * sum(self.numbers)


def test_it_is_worked_out_when_it_is_first_asked_for_and_no_more() -> None:
    found = Sum((1, 2))
    assert found.worked_out == []
    assert [found.total, found.total] == [3, 3]
    assert found.worked_out == [1]


def test_it_is_kept_with_its_object_alone() -> None:
    found = Sum((1, 2))
    assert found.total == 3
    assert replace(found, numbers=(5,)).total == 5
    assert found == Sum((1, 2)), "what is kept is none of its fields"
    assert Doubled((1, 2)).total == 6


def test_the_class_tells_what_it_is() -> None:
    assert isinstance(Sum.total, once)
    assert Sum.total.__doc__ == "All of them."

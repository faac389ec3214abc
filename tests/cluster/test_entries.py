# SPDX-License-Identifier: Apache-2.0
"""An index says under each value which objects have it, few or many, and forgets what no object has."""

from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.cluster.entries import FEW, Entries
from eservice_operator.core.keys import ObjectKey

keys = st.integers(0, 3 * FEW).map(lambda number: ObjectKey("Thing", "ns", str(number)))
steps = st.lists(st.tuples(st.booleans(), st.sampled_from("ab"), keys), max_size=150)


@given(steps)
def test_the_entries_are_those_that_were_added_and_not_discarded(
    steps: list[tuple[bool, str, ObjectKey]],
) -> None:
    entries = Entries()
    wanted: dict[str, set[ObjectKey]] = {"a": set(), "b": set()}
    for adds, value, key in steps:
        if adds:
            entries.add(value, key)
            wanted[value].add(key)
        else:
            entries.discard(value, key)
            wanted[value].discard(key)
        assert sorted(entries.of(value)) == sorted(wanted[value])
    assert set(entries._keys) == {value for value, known in wanted.items() if known}


def test_many_are_not_gone_through_one_by_one() -> None:
    entries = Entries()
    for number in range(FEW + 1):
        entries.add("a", ObjectKey("Thing", "ns", str(number)))
    assert isinstance(entries.of("a"), set)


def test_a_value_that_no_object_has_any_more_is_forgotten() -> None:
    entries = Entries()
    keys = [ObjectKey("Thing", "ns", str(number)) for number in range(FEW + 1)]
    for some in (keys[:1], keys):
        for key in some:
            entries.add("a", key)
        for key in some:
            assert key in entries.of("a")
            entries.discard("a", key)
        assert entries._keys == {}

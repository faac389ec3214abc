# SPDX-License-Identifier: Apache-2.0
"""The heap of due instants and the lanes of waiting keys, against the simplest thing that is right."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.backlog import Backlog
from eservice_operator.runtime.schedule import Schedule

KEYS = [ObjectKey("EService", "pmlp", name) for name in "abcde"]
keys = st.sampled_from(KEYS)
instants = st.integers(0, 50).map(float)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), keys, instants),
        st.tuples(st.just("discard"), keys, instants),
        st.tuples(st.just("pop"), keys, instants),
    ),
    max_size=400,
)


@given(STEPS)
def test_the_earliest_instant_of_each_key_stands_until_it_is_due(
    steps: list[tuple[str, ObjectKey, float]],
) -> None:
    schedule = Schedule()
    model: dict[ObjectKey, float] = {}
    for step, key, instant in steps:
        match step:
            case "put":
                schedule.put(key, instant)
                model[key] = min(instant, model.get(key, instant))
            case "discard":
                schedule.discard(key)
                model.pop(key, None)
            case _:
                due = sorted((at, planned) for planned, at in model.items() if at <= instant)
                assert schedule.pop_due(instant) == [planned for _, planned in due]
                for _, planned in due:
                    del model[planned]
        assert schedule.next_due() == min(model.values(), default=None)
        assert len(schedule) == len(model)
        assert len(schedule._heap) <= 2 * len(model) + 65


@given(st.lists(st.tuples(keys, st.booleans(), st.booleans()), max_size=60))
def test_a_key_waits_once_and_is_taken_once(steps: list[tuple[ObjectKey, bool, bool]]) -> None:
    backlog = Backlog()
    waiting: set[ObjectKey] = set()
    for now, (key, background, take) in enumerate(steps):
        if take:
            taken = backlog.take(now)
            assert (taken is not None) == bool(waiting)
            if taken is not None:
                waiting.remove(taken[0])
        else:
            assert backlog.add(key, now, background=background) == (key not in waiting)
            waiting.add(key)
        assert len(backlog) == len(waiting)
        assert (backlog.oldest() is None) == (not waiting)

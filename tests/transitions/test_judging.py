# SPDX-License-Identifier: Apache-2.0
"""A long run that has done too little to say anything says so."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from eservice_operator.cluster.resources import OWN
from tests.transitions.machine import REVERSIBLE
from tests.transitions.test_transitions import AT_LEAST, DRAW, judge_what_was_done
from tests.transitions.theatre import Theatre

KINDS = (*(resource.kind for resource in OWN), "child", "Namespace", "the operator")


def done(draws: int = 1, **other: Any) -> Theatre:
    """What was counted on so many draws of paths, all of which came to their end."""
    paths = draws * DRAW
    counted = {
        "paths": paths,
        "transitions": Counter(dict.fromkeys(KINDS, draws * AT_LEAST // len(KINDS) + 1)),
        "undone": Counter(edit.name for edit in REVERSIBLE),
        "compared": Counter({"fresh": paths, "forgotten and made again": paths, "rolled back": 3 * paths}),
    }
    return cast(Theatre, SimpleNamespace(**(counted | other)))


@pytest.mark.parametrize("draws", [1, 7])
def test_a_run_that_did_all_of_it_is_enough(draws: int) -> None:
    judge_what_was_done(done(draws))


@pytest.mark.parametrize(
    "lacks, said",
    [
        ({"transitions": Counter(dict.fromkeys(KINDS[1:], AT_LEAST))}, f"touched {{'{KINDS[0]}'}}"),
        ({"transitions": Counter(dict.fromkeys(KINDS, 1))}, "transitions in 12 paths"),
        (
            {"undone": Counter(edit.name for edit in REVERSIBLE[1:])},
            f"never undone: {{'{REVERSIBLE[0].name}'}}",
        ),
        ({"compared": Counter()}, "fresh"),
        ({"paths": 0}, "no path"),
    ],
    ids=["a kind", "transitions", "an undoing", "a comparison", "all"],
)
def test_a_run_that_left_something_out_is_not(lacks: dict[str, Any], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        judge_what_was_done(done(**lacks))


def test_of_less_than_a_draw_each_path_has_come_to_its_end() -> None:
    one = {"fresh": 1, "forgotten and made again": 1, "rolled back": 1}
    judge_what_was_done(done(paths=1, transitions=Counter(), undone=Counter(), compared=Counter(one)))
    with pytest.raises(AssertionError):
        judge_what_was_done(done(paths=2, transitions=Counter(), undone=Counter(), compared=Counter(one)))

# SPDX-License-Identifier: Apache-2.0
"""The machine: Hypothesis picks who does what next, and the town has to stay what the rules make of it."""

from __future__ import annotations

from collections.abc import Coroutine
from random import Random
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from typing_extensions import override

from tests.transitions import hostile, valid
from tests.transitions.theatre import Theatre
from tests.transitions.town import Town
from tests.transitions.valid import Edit, Scene

BURST = 5
"""Transitions between two rests: they come faster than the operator can follow."""
DEATHS = UNDONE = 25
"""Transitions for one death of the operator and one undoing: each takes longer than all of a burst."""
RELEASES = 10
"""Transitions for one release that goes all its way, in four of them."""
ENOUGH = 3
"""Paths that failed, after which no more are gone."""
KINDS = sorted({edit.kind for edit in (*valid.EDITS, *hostile.EDITS)})
BY_KIND = {kind: [e for e in (*valid.EDITS, *hostile.EDITS) if e.kind == kind] for kind in KINDS}
LUCK = st.integers(0, 2**32 - 1)
REVERSIBLE = [
    one
    for one in hostile.EDITS
    if one.name in {"impossible", "tampered", "child_removed", "same_host_as_the_neighbour", "forged_status"}
]
"""What writing the e-service as it is meant undoes, or the operator undoes by itself."""


def named(name: str) -> Edit:
    """An edit that somebody rightly makes."""
    return next(one for one in valid.EDITS if one.name == name)


AS_BEFORE = named("written_as_meant")


class Transitions(RuleBasedStateMachine):
    """Random valid, invalid and hostile edits of every kind, and deaths of the operator among them.

    Hypothesis leaves out some of the rules on each path. So each of them is an edit when it is not its turn,
    or paths would come to a halt.
    """

    theatre: ClassVar[Theatre]

    def __init__(self) -> None:
        super().__init__()
        self.town: Town | None = None
        self.steps = 0
        self.deaths = 0
        self.undone = 0
        self.decided = False
        self.failed = False

    @property
    def here(self) -> Town:
        assert self.town is not None
        return self.town

    @property
    def over(self) -> bool:
        """Whether nothing more is to be learnt: the path has failed, or too many did."""
        return self.failed or len(self.theatre.failures) >= ENOUGH

    @initialize()
    def found(self) -> None:
        if not self.over:
            self.town = self.theatre.run(self.theatre.found())

    def go(self, edit: Edit, luck: Random) -> None:
        """One edit; after a burst of them everything comes to rest."""
        if self.over:
            return
        scene = Scene(self.here, luck.choice(self.here.services), luck.randrange(60))
        self._judge(self.theatre.carry_out(edit, scene))
        self._step()

    def _step(self) -> None:
        self.steps += 1
        if self.steps % BURST == 0:
            self._rest()

    def _rest(self) -> None:
        if self.over:
            return
        self.here.hands.note("# until it rests")
        self._judge(self.theatre.rest(self.here))

    def _judge(self, work: Coroutine[Any, Any, object]) -> None:
        """What has to hold; the first thing that does not ends the path, and the next one is gone."""
        if self.over:
            work.close()
        else:
            self.failed = not self.theatre.judge(self.here, work)

    def luck(self, drawn: int) -> Random:
        """What picks the details of a step: even the simplest path of all does something else each time."""
        return Random(f"{drawn} {self.steps}")  # noqa: S311 - to be drawn again

    def _edit(self, luck: Random) -> None:
        """Of each kind as often as of any other, and as often of e-services and of their children."""
        kind = luck.choice((luck.choice(KINDS), luck.choice(KINDS), "EService", "child"))
        self.go(luck.choice(BY_KIND[kind]), luck)

    @rule(drawn=LUCK)
    def an_edit(self, drawn: int) -> None:
        """Whatever comes next."""
        self._edit(self.luck(drawn))

    @rule(drawn=LUCK)
    def everything_for_a_release(self, drawn: int) -> None:
        """It goes all its way: accepted, granted and verified."""
        if self.steps % RELEASES:
            self._edit(self.luck(drawn))
            return
        for name in ("signed", "granted", "written_as_meant", "passed"):
            self.go(named(name), self.luck(drawn))

    @rule(drawn=LUCK)
    def everything_for_a_decision(self, drawn: int) -> None:
        """Whoever is left behind is decided upon, and then somebody lays hands on that."""
        luck = self.luck(drawn)
        if self.steps % RELEASES or self.decided or self.over:
            self._edit(luck)
            return
        self.decided = True
        self.go(named("instruction_published"), luck)
        self._rest()
        for edit in BY_KIND["UnpublishDecision"]:
            for course in self.here.services:
                self._judge(self.theatre.carry_out(edit, Scene(self.here, course, 0)))
        self._step()

    @rule(drawn=LUCK, killed=st.booleans())
    def the_operator_dies(self, drawn: int, killed: bool) -> None:
        """In the middle of its work."""
        if self.steps % BURST != BURST - 1 or self.steps // DEATHS < self.deaths:
            self._edit(self.luck(drawn))
        elif not self.over:
            self.here.hands.note(f"# the operator is {'killed' if killed else 'stopped'} and started again")
            self.deaths += 1
            self._judge(self.theatre.restart(killed=killed))
            self.theatre.transitions["the operator"] += 1
            self._step()

    @rule(drawn=LUCK)
    def the_opposite_of_an_edit(self, drawn: int) -> None:
        """An invalid or hostile edit, and its undoing, leave nothing behind."""
        if self.steps % BURST or self.steps // UNDONE < self.undone:
            self._edit(self.luck(drawn))
        elif not self.over:
            self.undone += 1
            self._judge(self.theatre.undoes(*self._reversible(self.luck(drawn))))

    def _reversible(self, luck: Random) -> tuple[Edit, Edit, Scene]:
        """An edit that was undone least often so far, its opposite, and where they are made.

        With luck alone one of every few draws would leave one of the edits out.
        """
        scene = Scene(self.here, luck.choice(self.here.services), luck.randrange(60))
        undone = self.theatre.undone
        least = min(undone[one.name] for one in REVERSIBLE)
        return luck.choice([one for one in REVERSIBLE if undone[one.name] == least]), AS_BEFORE, scene

    @override
    def teardown(self) -> None:
        """Whatever the path was: it ends where a start without a history ends."""
        if self.town is None:
            return
        town, luck = self.town, self.luck(len(self.town.hands.path))
        try:
            self._judge(self.theatre.ends(*self._reversible(luck)))
        finally:
            self.theatre.judge(town, self.theatre.leave(town))

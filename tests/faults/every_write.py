# SPDX-License-Identifier: Apache-2.0
"""A scenario played once undisturbed, and then with the operator killed at every one of its writes."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from tests.faults.endings import Ending, told_twice, unlike
from tests.faults.killing import Moment, Play, Theatre
from tests.faults.scenarios import Scenario
from tests.support.figures import Figures
from tests.support.operator import assert_log_clean

STEP = int(os.environ.get("ESERVICE_TEST_KILL_STEP", "1"))
"""Every how many writes it is killed; 1 is at all of them."""
SPARED = (1 if STEP == 1 else 2), 0.15
"""Of how many plays the write may never come, or of what share: what an undisturbed play writes in two steps
another may write in one. It was none to four of them, and at most 9 in 100."""


async def killed_at_every_write(
    theatre: Theatre, figures: Figures, scenario: Scenario, of: Collection[str] = ()
) -> None:
    """Each play ends as the undisturbed one does, and by the same steps; fails with all that do not.

    With ``of`` at every write to these resources: where another scenario has all others.
    """
    whole = await theatre.whole(scenario)
    chosen = [write for write in whole.writes if not of or write.resource in of]
    assert {write.resource for write in chosen} >= set(of), f"it writes to {whole.writes}"
    assert chosen, "it has something to be killed at"
    plays = [Play(moment, (write,)) for write in chosen[::STEP] for moment in Moment]
    endings: list[Ending] = []
    wrong: list[str] = []
    async for killed in theatre.all(scenario, plays, whole):
        play = plays[len(endings)]
        wrong += unlike(killed, whole, f"killed {play.moment.value} {play.victims[0]}")
        endings.append(killed)
    assert not wrong, "\n\n".join(wrong)
    spared = [play for play, killed in zip(plays, endings, strict=True) if not killed.kills]
    assert not [str(play) for play in spared if play.victims[0].certain], "each play comes to these writes"
    assert len(spared) < len(plays), "it was killed"
    few, share = SPARED
    assert len(spared) <= max(few, share * len(plays)), f"never killed: {', '.join(_named(spared))}"
    records = theatre.assassin.operator.records()
    assert_log_clean(records)
    assert not told_twice(records)
    figures.add(f"killed at every write: {scenario.name}", _said(whole, len(chosen), endings, spared))
    figures.totals["kills at a write"] += sum(killed.kills for killed in endings)


def _named(plays: Sequence[Play]) -> list[str]:
    return [f"{play.moment.value} {play.victims[0]}" for play in plays]


def _said(whole: Ending, many: int, endings: Sequence[Ending], spared: Sequence[Play]) -> str:
    kills = sum(killed.kills for killed in endings)
    lost = sum((whole.events - killed.events).total() for killed in endings)
    more = sum((killed.events - whole.events).total() for killed in endings)
    repeated = sum(killed.repeated for killed in endings)
    writes = f"{many} writes" if many == len(whole.writes) else f"{many} of {len(whole.writes)} writes"
    missed = f" (never came: {', '.join(_named(spared))})" if spared else ""
    return (
        f"{kills} times at {writes}, all survived{missed}; "
        f"Events {lost} fewer, {more} more; mails told again {repeated}, same id"
    )

# SPDX-License-Identifier: Apache-2.0
"""How often Python looks for cycles of objects that nobody needs: seldom, and not among what the store keeps.

What the operator remembers is trees, which end with their last use. By default all of them are gone through
each time that a quarter has come to them: a third of the processor time while a fleet is read for the first
time, and with ten thousand e-services a pause of seconds, in which no lease is renewed.
"""

from __future__ import annotations

import gc
from typing import Final

THRESHOLDS: Final = (10_000, 20, 20)
"""New objects until the youngest are gone through, and how many such rounds until the older ones are."""


def collect_seldom() -> None:
    """Once everything is imported: none of that is gone through again, and the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


def freeze_what_is_there() -> None:
    """Go through nothing any more that there is by now, such as what the first lists brought.

    What nobody needs by then goes first: frozen, it would stay for good.
    """
    gc.collect()
    gc.freeze()

# SPDX-License-Identifier: Apache-2.0
"""Always-on oracles: what must be so at every moment of every story, whatever the story is about.

    async with oracles(cluster, operator) as watch:
        …                            # the story
        await watch.kept()           # now and then, and at the end by itself

They follow the real cluster, the audit log, the operator's log and its metrics from a thread of their own.
"""

from tests.support.oracles.notices import notice_faults
from tests.support.oracles.watch import Watch, oracles

__all__ = ["Watch", "notice_faults", "oracles"]

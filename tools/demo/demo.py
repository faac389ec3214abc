# SPDX-License-Identifier: Apache-2.0
"""The whole story of an e-service on a real API server, with what kubectl says at each step.

Ends with 0 only if every step was observed. ``KEEP=1`` leaves the cluster and the operator running.
"""

from __future__ import annotations

import os
import sys
import time

from tools.demo.stage import PROJECT, NotSeen, Stage, say
from tools.demo.story import CHAPTERS

FOLDER = PROJECT / ".cluster"


def main() -> int:
    """Play every chapter; 0 if all of it was seen."""
    began = time.monotonic()
    stage = Stage(FOLDER)
    keep = bool(os.environ.get("KEEP"))
    try:
        say("== A control plane, a real gateway and the operator")
        stage.open()
        for chapter in CHAPTERS:
            say(f"\n== {(chapter.__doc__ or chapter.__name__).strip().rstrip('.')}\n")
            chapter(stage)
    except NotSeen as failure:
        say(f"\n  ✗ not seen: {failure}\n")
        show_end_of_log(stage)
        stage.close()
        return 1
    except BaseException:
        stage.close()
        raise
    seconds = time.monotonic() - began
    if keep:
        say(f"\nEvery step was seen, in {seconds:.0f} s. The cluster and the operator keep running:")
        say("  export KUBECONFIG=$PWD/.cluster/kubeconfig && .venv/bin/kubectl get esvc -A")
        say(f"  tail -f .cluster/logs/operator.log        # the operator, process {stage.pids[0]}")
        say("The mail server, and what answered for the Pods, ended with the story. To end the rest:")
        say(f"  kill {' '.join(str(pid) for pid in stage.pids)}; make cluster-down")
        return 0
    code = stage.close()
    if code != 0:
        say(f"\n  ✗ the operator did not stop cleanly: {code}")
        return 1
    say(f"\nEvery step was seen, in {seconds:.0f} s. KEEP=1 make demo leaves it running.")
    return 0


def show_end_of_log(stage: Stage, lines: int = 30) -> None:
    """The last lines of the operator's log."""
    if stage.log.exists():
        say(f"the end of {stage.log.relative_to(PROJECT)}:")
        for line in stage.log.read_text(errors="replace").splitlines()[-lines:]:
            say(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())

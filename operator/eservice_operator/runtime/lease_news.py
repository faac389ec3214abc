# SPDX-License-Identifier: Apache-2.0
"""What of a lease, and of the requests about it, gets into the log and the metrics."""

from __future__ import annotations

import logging
from collections.abc import Callable

from eservice_operator.cluster.lease import Lease
from eservice_operator.runtime.metrics import Metrics

log = logging.getLogger(__name__)


class LeaseNews:
    """Of the lease ``name``, as the candidate ``identity`` sees it; ``leading`` says whether that leads."""

    def __init__(self, name: str, identity: str, metrics: Metrics, leading: Callable[[], bool]) -> None:
        self.leader = ""
        """Who held the lease when it was last seen; empty for nobody."""
        self._name = name
        self._identity = identity
        self._in_vain = 0
        """Turns in a row that came to nothing."""
        self._failed = metrics.lease_failures
        self._transitions = metrics.lease_transitions.labels(name)
        self._leads = metrics.leader.labels(name)
        self._leads.set_function(leading)

    def failed(self, error: Exception, *, holding: bool) -> None:
        """Warn of the first turn that comes to nothing; the others are counted until one succeeds."""
        self._failed.inc()
        self._in_vain += 1
        if self._in_vain == 1:
            what = "renewed" if holding else "looked at"
            log.warning("the lease %s could not be %s, and is tried again: %s", self._name, what, error)

    def answered(self) -> None:
        """A turn that came to something."""
        if self._in_vain:
            log.info("the lease %s answers again, after %d turns in vain", self._name, self._in_vain)
        self._in_vain = 0

    def seen(self, lease: Lease | None) -> None:
        """What the lease says; None: there is none."""
        leader = "" if lease is None else lease.holder
        self._transitions.set(0 if lease is None else lease.transitions)
        if leader not in ("", self._identity, self.leader) and self.leader:
            log.info("standing by: %s leads now", leader)
        self.leader = leader

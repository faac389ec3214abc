# SPDX-License-Identifier: Apache-2.0
"""A write that failed is said in the cluster's words, with a hint where these alone lead nowhere."""

from __future__ import annotations

import pytest

from eservice_operator.core.actions import Action, Create, Failure, Outcome, Ref, SetStatus
from eservice_operator.core.failing import OTHER_CRDS, words
from eservice_operator.runtime.retries import error_of

OURS = SetStatus(Ref("eservice.dev/v1alpha1", "WebService", "ur-production", "register"), "uid", {}, "facts")
NOT_OURS = Create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}}, "")
SAID = 'WebService "register" is invalid: status.conditions[3].reason: Unsupported value'


@pytest.mark.parametrize(
    "action,reason,hinted",
    [
        (OURS, "Invalid", True),
        (OURS, "Forbidden", False),
        (NOT_OURS, "Invalid", False),
    ],
)
def test_only_what_an_older_crd_refuses_has_a_hint(action: Action, reason: str, *, hinted: bool) -> None:
    failure = Failure(action, reason, SAID, transient=False)
    assert words(failure) == (f"{SAID}; {OTHER_CRDS}" if hinted else SAID)
    assert error_of(Outcome((), failure)) == words(failure)

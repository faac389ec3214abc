# SPDX-License-Identifier: Apache-2.0
"""The reader of queries that the other tests rely on."""

from __future__ import annotations

import pytest

from tests.monitoring.queries import asked_for, there_are


@pytest.mark.parametrize(
    "expression,names",
    [
        ('sum by (namespace, name) (rate(a_total{code=~"0|5..", x="}"}[5m])) / b > 0.5', {"a_total", "b"}),
        ("max(a) - time() <= 30 * 86400 and on (namespace) c:d:e == 1", {"a", "c:d:e"}),
        ("a * on (x) group_left (y, z) b unless on () c offset 1h", {"a", "b", "c"}),
        ("count without (pod) (a) or vector(0)", {"a"}),
        ("histogram_quantile(0.99, sum by (le) (rate(h_bucket[$__rate_interval])))", {"h_bucket"}),
    ],
)
def test_what_an_expression_asks_for(expression: str, names: set[str]) -> None:
    assert asked_for(expression) == names


def test_what_there_is() -> None:
    assert {
        "eservice_info",
        "eservice_notices_pending",
        "eservice_operator_build_info",
        "eservice_operator_reconciles_total",
        "eservice_operator_reconcile_seconds_bucket",
        "eservice_operator_list_age_seconds",
    } <= there_are()
    assert "eservice_operator_reconcile_seconds" not in there_are()

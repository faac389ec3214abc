# SPDX-License-Identifier: Apache-2.0
"""What the dashboard shows of access to web services: grants, what ends, who waits, and the authorizer."""

from __future__ import annotations

from tools.monitoring.panels import bars, calendar, graph, stat

WHO = "namespace, name"
RATE = "[$__rate_interval]"
VERSION = f"{WHO}, contract_version"
GRANT = f"{WHO}, web_service, consumer_namespace, consumer, contract_version"
HELD = '{namespace=~"$namespace"}'
"""Of the holders' namespaces; consumers are asked for by theirs."""
ENDS = f"max by ({GRANT}) (eservice_grant_ends_timestamp_seconds{HELD})"
LEFT = f"max by ({VERSION}) (eservice_contract_consumers{HELD})"
RETIRES = f"max by ({VERSION}) (eservice_contract_end_of_life_timestamp_seconds{HELD})"
AUTHORIZER = "eservice_authorizer_"

ACCESS = [
    stat(
        "Open",
        f'count(max by ({GRANT}) (eservice_grant{{state="Active", namespace=~"$namespace"}})) or vector(0)',
        "Contract versions that grants open now.",
    ),
    stat(
        "Without what they had",
        f"count(max by ({WHO}) (eservice_access_lost{HELD})) or vector(0)",
        "E-services that run, and may not call any more what they were granted (R3).",
        bad_from=1,
    ),
    stat(
        "Granted, and not working",
        f"count(max by ({GRANT}) (eservice_grant_hindered{HELD})) or vector(0)",
        "Contract versions that are granted and not open, or go without their credentials.",
        bad_from=1,
    ),
    stat(
        "Requests without an answer",
        f"sum(max by ({WHO}) (eservice_access_requests_pending{HELD})) or vector(0)",
        "Of all web services together.",
    ),
    stat(
        "Grants that end within 30 days",
        f"count({ENDS} - time() <= 30 * 86400) or vector(0)",
        "Open now, and over in 30 days.",
        bad_from=1,
    ),
    calendar(
        "Grants that end",
        "The end of the last day of what is open; the next at the top.",
        f"1000 * {ENDS}",
        ("namespace", "web_service", "contract_version", "consumer_namespace", "consumer", "name"),
    ),
    calendar(
        "Contract versions that end and are in use",
        "The end of their last day (R10); the next at the top.",
        f"1000 * ({RETIRES} and on ({VERSION}) {LEFT} > 0)",
        ("namespace", "name", "contract_version"),
    ),
    bars(
        "Consumers",
        "How many e-services may call each contract version, of the twenty with the most.",
        f"topk(20, {LEFT})",
        "{{namespace}}/{{name}} {{contract_version}}",
    ),
    bars(
        "Grants by state",
        "Contract versions of grants.",
        f"count by (state) (max by ({GRANT}, state) (eservice_grant{HELD}))",
        "{{state}}",
    ),
    graph(
        "Calls, by what the authorizer says",
        "Answers a second.",
        (f"sum by (decision) (rate({AUTHORIZER}decisions_total{RATE}))", "{{decision}}"),
        unit="ops",
    ),
    graph(
        "Calls that do not pass",
        "By reason; of web services that only observe, those that would not.",
        (
            f'sum by (reason) (rate({AUTHORIZER}decisions_total{{decision!="allowed"}}{RATE}))',
            "{{reason}}",
        ),
        unit="ops",
    ),
    graph(
        "The authorizer takes",
        "Half of the answers, and 99 of 100.",
        (f"histogram_quantile(0.5, sum by (le) (rate({AUTHORIZER}decision_seconds_bucket{RATE})))", "median"),
        (f"histogram_quantile(0.99, sum by (le) (rate({AUTHORIZER}decision_seconds_bucket{RATE})))", "p99"),
        unit="s",
    ),
    graph(
        "Silence of the authorizer's watches",
        "Of the one that has been silent the longest.",
        (f"max({AUTHORIZER}watch_silence_seconds)", "silence"),
        unit="s",
    ),
]

# SPDX-License-Identifier: Apache-2.0
"""What the dashboard shows: for the Agency, from outside, and for on-call."""

from __future__ import annotations

from tools.monitoring.panels import bars, calendar, graph, stat

WHO = "namespace, name"
HERE = '{namespace=~"$namespace"}'
OF_TEMPLATE = 'template=~"$template"'


def public(where: str = HERE) -> str:
    """1 for each e-service that is served, also while two operators are scraped."""
    return f"max by ({WHO}) (eservice_published{where}) == 1"


def decided(state: str) -> str:
    """How many e-services have a decision in that state."""
    series = f'eservice_unpublish_decision{{state="{state}", namespace=~"$namespace", {OF_TEMPLATE}}}'
    return f"count(max by ({WHO}) ({series})) or vector(0)"


def dated(metric: str, condition: str) -> str:
    """How many e-services have an instant that fulfils a condition."""
    return f"count(max by ({WHO}) ({metric}{HERE}) {condition}) or vector(0)"


UNPUBLISH = f"max by ({WHO}) (eservice_unpublish_timestamp_seconds{HERE})"
MIGRATE = f"max by ({WHO}) (eservice_migrate_by_timestamp_seconds{HERE})"
INFO = f"max by ({WHO}, identifier, template) (eservice_info{{{OF_TEMPLATE}}})"
SERVED = f"{INFO} and on ({WHO}) {public()}"
STAGE = "template, version, stage"
RATE = "[$__rate_interval]"

AGENCY = [
    stat("Public", f"count({public()}) or vector(0)", "E-services that the gateway serves."),
    stat("Off by the template rule", decided("Effective"), "R8 has taken effect.", bad_from=1),
    stat("Held", decided("Held"), "Due, and held by the brake, a renewal, a notice, the clock.", bad_from=1),
    stat(
        "Leave within 30 days",
        f"count({UNPUBLISH} - time() <= 30 * 86400 and on ({WHO}) {public()}) or vector(0)",
        "Public now, and by R8 not in 30 days.",
        bad_from=1,
    ),
    stat(
        "Installation overdue",
        dated("eservice_installation_due_timestamp_seconds", "<= time()"),
        "More than ten working days (R5).",
        bad_from=1,
    ),
    stat(
        "Verification wanted",
        dated("eservice_verification_wanted_timestamp_seconds", "> 0"),
        "Installed, and the institution has not checked it yet (R6).",
    ),
    stat(
        "Duty to migrate breached",
        f"count({MIGRATE} <= time() and on ({WHO}) {public()}) or vector(0)",
        "Not migrated within the template's term (R7).",
        bad_from=1,
    ),
    stat(
        "Template unknown",
        f"count(max by ({WHO}) (eservice_template_unknown{HERE})) or vector(0)",
        "Unknown is never overdue.",
        bad_from=1,
    ),
    calendar(
        "Leaving the public route",
        "Who is public now and when R8 takes it off; the next at the top.",
        f"1000 * {UNPUBLISH} * on ({WHO}) group_left (identifier, template) ({SERVED})",
        ("namespace", "name", "identifier", "template"),
    ),
    calendar(
        "Installations due",
        "The end of the tenth working day of what does not run yet (R5).",
        f"1000 * max by ({WHO}) (eservice_installation_due_timestamp_seconds{HERE})",
        ("namespace", "name"),
    ),
    bars(
        "Who owes what",
        "Unmet gates by who has to supply what is missing.",
        f"count by (owner, gate) (max by ({WHO}, owner, gate) (eservice_gate_unmet{HERE}))",
        "{{owner}}: {{gate}}",
    ),
    bars(
        "Days behind",
        "The twenty e-services furthest behind the version that they are compared with (R8).",
        f'topk(20, max by ({WHO}) (eservice_template_lag_days{{namespace=~"$namespace", {OF_TEMPLATE}}}))',
        "{{namespace}}/{{name}}",
        "d",
    ),
    graph(
        "Template versions in public use",
        "E-services in Production by version and its stage.",
        (
            f"sum by ({STAGE}) (max by ({STAGE}) (eservice_template_version_services{{{OF_TEMPLATE}}}))",
            "{{template}} {{version}} ({{stage}})",
        ),
        stacked=True,
    ),
    graph(
        "Held by the brake",
        "Decisions of each set that waits for its token.",
        (
            f"max by (template, token) (eservice_template_held_decisions{{{OF_TEMPLATE}}})",
            "{{template}} {{token}}",
        ),
    ),
    graph(
        "Notices",
        "Attempts by their end, and failures.",
        (
            f"sum by (channel, result) (increase(eservice_operator_notices_total{RATE}))",
            "{{channel}} {{result}}",
        ),
        (f"sum by (channel) (increase(eservice_notice_failures_total{RATE}))", "{{channel}} failures"),
    ),
    graph(
        "Notices in the ledgers",
        "On their way, and given up.",
        (
            "sum by (object) (max by (object, namespace, name) (eservice_notices_pending))",
            "{{object}} pending",
        ),
        ("sum by (object) (max by (object, namespace, name) (eservice_notices_failed))", "{{object}} failed"),
    ),
]

FOUND = 'max by (namespace, name, host, finding) (eservice_probe_disagrees{namespace=~"$namespace"})'
LAG = "sum by (le, kind) (rate(eservice_publication_lag_seconds_bucket[$__rate_interval]))"
OUTSIDE = [
    stat(
        "Still answer",
        'count(max by (namespace, name, host) (eservice_probe_disagrees{finding="StillAnswers"}))'
        " or vector(0)",
        "Hosts that are off the public route, and answer.",
        bad_from=1,
    ),
    stat(
        "Answered by others",
        'count(max by (namespace, name, host) (eservice_probe_disagrees{finding="AnsweredByOther"}))'
        " or vector(0)",
        "Hosts under which somebody else answers.",
        bad_from=1,
    ),
    stat(
        "Not reached",
        "count(max by (namespace, name, host)"
        ' (eservice_probe_disagrees{finding=~"DoesNotAnswer|Unreachable"})'
        " and on (namespace, name) max by (namespace, name) (eservice_published) == 1) or vector(0)",
        "Hosts that the gateway serves, and nobody could reach.",
        bad_from=1,
    ),
    stat(
        "Last answer",
        "time() - max(eservice_probe_last_timestamp_seconds)",
        "Seconds since any public host answered the operator.",
    ),
    bars(
        "What answers",
        "Public hosts by who or what answers for them.",
        "count by (answer) (max by (namespace, name, host, answer)"
        ' (eservice_probe_answer{namespace=~"$namespace"}))',
        "{{answer}}",
    ),
    bars("Not as the route shows", "By host and finding.", FOUND, "{{host}}: {{finding}}"),
    graph(
        "Until citizens see a change",
        "From deciding what is shown to seeing it under every host: half of the changes, and 99 of 100.",
        (f"histogram_quantile(0.5, {LAG})", "{{kind}} median"),
        (f"histogram_quantile(0.99, {LAG})", "{{kind}} p99"),
        unit="s",
    ),
    graph(
        "Questions",
        "By their end, and those not asked for the address.",
        ("sum by (result) (rate(eservice_probe_duration_seconds_count[$__rate_interval]))", "{{result}}"),
        ("sum by (why) (rate(eservice_probe_refused_total[$__rate_interval]))", "refused: {{why}}"),
        unit="ops",
    ),
]

MEANT = "Paused|RegistrationSuspended|TemplateOverdue|AwaitingProbe|StillAnswers|IngressNotOurs"
OPERATOR = "eservice_operator_"
ON_CALL = [
    stat(
        "Not served",
        f'count(max by ({WHO}) (eservice_not_served{{reason!~"{MEANT}"}})) or vector(0)',
        "Has been public; neither paused nor off by R8, and the gateway does not serve it.",
        bad_from=1,
    ),
    stat(
        "Stalled",
        f"count(max by ({WHO}) (eservice_stalled)) or vector(0)",
        "Only another spec can help.",
        bad_from=1,
    ),
    stat(
        "Registrations and templates in trouble",
        "count(max by (registration) (eservice_registration_problem)"
        ' or max by (template) (eservice_template_problem{reason!="NoCurrentVersion"})) or vector(0)',
        "Their condition Ready asks for a hand.",
        bad_from=1,
    ),
    stat(
        "Operators",
        "count(eservice_operator_build_info) or vector(0)",
        "How many are scraped.",
    ),
    stat(
        "Leaders",
        f"sum({OPERATOR}leader) or vector(0)",
        "How many of them lead: one for each lease.",
    ),
    graph(
        "Queue",
        "Keys that wait, and those being worked on.",
        (f"max({OPERATOR}queue_depth)", "waiting"),
        (f"max({OPERATOR}queue_running)", "running"),
    ),
    graph(
        "Waiting",
        "How long the oldest key has waited, and how long 99 of 100 wait.",
        (f"max({OPERATOR}queue_oldest_seconds)", "oldest"),
        (f"histogram_quantile(0.99, sum by (le) (rate({OPERATOR}queue_wait_seconds_bucket{RATE})))", "p99"),
        unit="s",
    ),
    graph(
        "Reconciles",
        "By their end.",
        (f"sum by (kind, result) (rate({OPERATOR}reconciles_total{RATE}))", "{{kind}} {{result}}"),
        unit="ops",
    ),
    graph(
        "Reconciles take",
        "99 of 100, by kind.",
        (
            f"histogram_quantile(0.99, sum by (le, kind) (rate({OPERATOR}reconcile_seconds_bucket{RATE})))",
            "{{kind}}",
        ),
        unit="s",
    ),
    graph(
        "API requests",
        "By verb and answer; code 0 is no answer.",
        (f"sum by (verb, code) (rate({OPERATOR}api_requests_total{RATE}))", "{{verb}} {{code}}"),
        unit="reqps",
    ),
    graph(
        "API requests take",
        "99 of 100, by verb.",
        (
            f"histogram_quantile(0.99, sum by (le, verb) (rate({OPERATOR}api_request_seconds_bucket{RATE})))",
            "{{verb}}",
        ),
        unit="s",
    ),
    graph(
        "Age of the lists",
        "Since each kind was last listed in full.",
        (f"max by (kind) ({OPERATOR}list_age_seconds)", "{{kind}}"),
        unit="s",
    ),
    graph(
        "Clock and loop",
        "How far the clocks are apart, and how late the loop is.",
        (f"max({OPERATOR}clock_skew_seconds)", "clock skew"),
        (f"min({OPERATOR}clock_trusted)", "clock trusted"),
        (f"max({OPERATOR}loop_lag_seconds)", "loop lag"),
        unit="s",
    ),
    graph(
        "Exceptions",
        "Each is a bug.",
        (f"sum(increase({OPERATOR}reconcile_raised_total{RATE}))", "reconcile"),
        (f"sum(increase({OPERATOR}trigger_raised_total{RATE}))", "trigger"),
        (f"sum(increase({OPERATOR}state_collector_raised_total{RATE}))", "figures"),
    ),
    graph(
        "Memory",
        "Of the operator's process.",
        (f"process_resident_memory_bytes and on (job, instance) {OPERATOR}build_info", "{{pod}}"),
        unit="bytes",
    ),
]

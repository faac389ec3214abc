# SPDX-License-Identifier: Apache-2.0
"""What is said of decisions, and of what could not be read."""

from datetime import UTC, date, datetime

import click
import pytest

from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.ground import Fairness
from eservice_operator.api.notices import Channel
from eservice_operator.api.parse import parse
from eservice_operator.api.reasons import Reason
from eservice_operator.cli.dossier import Dossier
from eservice_operator.cli.explanation import page
from eservice_operator.cli.filling import FOLLOWS, Unread
from eservice_operator.cli.findings import Findings, find_out
from eservice_operator.cli.holding import HOLDS, TO_DO, Prospect, document, meaning, to_do, to_run
from eservice_operator.cli.kubectl import Done, KubectlError, Listing, Query, Refusal, _listing
from eservice_operator.cli.policy import Setup
from eservice_operator.cli.session import Session
from eservice_operator.cli.world import Live, policy_of
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.store import Store
from tests.cli.objects import DAYS, ESCAPES, NOW, decision, gate, notice, service
from tests.cli.test_forecast import stored
from tests.support import worlds
from tests.support.pure_fleet import PureFleet

SET = "3f2a"
AT = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
FORBIDDEN = (
    'Error from server (Forbidden): acceptanceacts.eservice.dev is forbidden: User "dev" cannot list resource'
    ' "acceptanceacts" in API group "eservice.dev" at the cluster scope'
)
QUERY = Query(("acceptanceacts.eservice.dev", "eservices.eservice.dev"), "")


def judged(state: DecisionState, reason: Reason | None = None, **fields: object) -> UnpublishDecisionStatus:
    found = UnpublishDecisionStatus(state=state, reason=reason, message="why", effective_at=AT)
    return found.model_copy(update=fields)


def record() -> UnpublishDecision:
    read = parse("UnpublishDecision", decision())
    assert isinstance(read, UnpublishDecision)
    return read


@pytest.mark.parametrize(
    "status, said",
    [
        (
            judged(DecisionState.SCHEDULED),
            "off the public route from 2026-11-21 (yesterday) unless renewed before",
        ),
        (
            judged(DecisionState.SCHEDULED, Reason.DEFERRED, deferred_until=date(2026, 12, 31)),
            "deferred until 2026-12-31; off the public route from 2026-11-21 (yesterday) unless renewed",
        ),
        (
            judged(DecisionState.EFFECTIVE),
            "off the public route until a release on a supported version is public",
        ),
        (judged(DecisionState.CLOSED), "closed: why"),
        (judged(DecisionState.HELD, Reason.BRAKE), "due since 2026-11-21 (yesterday) and held: too many"),
        (judged(DecisionState.HELD, Reason.CLOCK_SKEW), "the operator's clock differs"),
        (judged(DecisionState.HELD, Reason.NOTICE_UNDELIVERED), "no notice of it was accepted"),
        (
            judged(
                DecisionState.HELD,
                Reason.RENEWAL_UNDER_WAY,
                fairness=Fairness(release="abc", since=date(2026, 11, 21), until=date(2026, 12, 9)),
            ),
            "it waits for the Agency or a holder, once, until 2026-12-09 at the latest",
        ),
        (judged(DecisionState.HELD, Reason.SUPERSEDED), "held: why"),
    ],
    ids=lambda value: "" if isinstance(value, str) else f"{value.state}-{value.reason}",
)
def test_what_a_decision_means(status: UnpublishDecisionStatus, said: str) -> None:
    assert said in meaning(status, DAYS)
    assert document(record(), status, DAYS)["meaning"] == meaning(status, DAYS)


PROSPECT = Prospect(untold_until=datetime(2026, 11, 25, 22, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    "fields, said",
    [
        ({}, "; it waits until 2026-11-26 00:00, then it takes effect without a notice"),
        (
            {"hold_token": SET, "released_at": AT},
            "; it waits until 2026-11-26 00:00, then it takes effect without a notice",
        ),
        ({"hold_token": SET}, "; it waits until 2026-11-26 00:00, then the brake holds its set"),
    ],
)
def test_a_hold_for_a_notice_says_when_it_ends(fields: dict[str, object], said: str) -> None:
    status = judged(DecisionState.HELD, Reason.NOTICE_UNDELIVERED, **fields)
    assert meaning(status, DAYS, PROSPECT).endswith(said)
    assert document(record(), status, DAYS, PROSPECT)["meaning"] == meaning(status, DAYS, PROSPECT)


def test_what_became_due_today_has_its_time() -> None:
    today = datetime(2026, 11, 22, 6, 17, tzinfo=UTC)
    status = judged(DecisionState.HELD, Reason.BRAKE, effective_at=today)
    assert meaning(status, DAYS).startswith("due since today, 08:17 and held: too many")


def test_what_is_held_before_its_day_is_not_due_yet() -> None:
    later = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
    status = judged(DecisionState.HELD, Reason.BRAKE, effective_at=later)
    assert meaning(status, DAYS).startswith("due 2026-11-30 (in 8 days), and held already: too many")


def test_what_would_be_held_is_not_said_to_leave_the_public_route() -> None:
    later = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
    status = judged(DecisionState.SCHEDULED, effective_at=later)
    foreseen = Prospect(foreseen="NotEnforced, the template's policy does not enforce on 2026-11-30")
    assert meaning(status, DAYS, foreseen) == (
        "announced for 2026-11-30 (in 8 days); as things stand it would be held then: NotEnforced, the"
        " template's policy does not enforce on 2026-11-30"
    )


def test_every_hold_of_the_operator_is_explained_and_has_something_to_do() -> None:
    assert set(TO_DO) == set(HOLDS)
    assert all(to_do(judged(DecisionState.HELD, reason)) for reason in HOLDS)
    assert to_do(judged(DecisionState.SCHEDULED, Reason.DEFERRED)) == ""
    assert set(HOLDS) == {
        Reason.TEMPLATE_UNKNOWN,
        Reason.NOT_ENFORCED,
        Reason.NO_LONGER_OVERDUE,
        Reason.CLOCK_SKEW,
        Reason.RENEWAL_UNDER_WAY,
        Reason.NOTICE_UNDELIVERED,
        Reason.BRAKE,
    }


def test_the_agency_is_told_what_to_run() -> None:
    held = judged(DecisionState.HELD, Reason.BRAKE, hold_token=SET)
    assert to_run(record(), held) == (f"kubectl eservice release-brake viss-2020 --token {SET}",)
    frozen = judged(DecisionState.HELD, Reason.BRAKE)
    assert to_run(record(), frozen) == ("kubectl eservice release-brake viss-2020",)
    assert to_run(record(), judged(DecisionState.SCHEDULED)) == ()
    untold = judged(DecisionState.HELD, Reason.NOTICE_UNDELIVERED)
    assert to_run(record(), untold) == (
        "kubectl eservice history tax-calculator -n vid-production --notices only",
        "kubectl edit eserviceregistration tax-calculator",
    )
    lost = judged(DecisionState.HELD, Reason.NO_LONGER_OVERDUE)
    assert to_run(record(), lost) == (
        "kubectl eservice revoke tax-calculator-production-001 --reason <text>",
    )
    assert to_run(record(), judged(DecisionState.HELD, Reason.RENEWAL_UNDER_WAY)) == ()


def test_a_kind_that_may_not_be_listed_is_named_and_the_rest_is_there() -> None:
    found = _listing(QUERY, Done(1, '{"items": [{"kind": "EService"}]}', FORBIDDEN + "\n"))
    assert found.items == ({"kind": "EService"},)
    assert found.refused == (Refusal("acceptanceacts.eservice.dev", "", FORBIDDEN),)
    assert _listing(QUERY, Done(1, "", FORBIDDEN)).items == ()


@pytest.mark.parametrize(
    "err",
    [
        "Unable to connect to the server: dial tcp: lookup nowhere: no such host",
        FORBIDDEN + "\nError from server (ServiceUnavailable): the server is busy",
        'error: the server doesn\'t have a resource type "eservices"',
        "",
    ],
)
def test_any_other_error_is_an_error_of_the_whole(err: str) -> None:
    with pytest.raises(KubectlError):
        _listing(QUERY, Done(1, '{"items": []}', err))


def test_a_cluster_without_our_kinds_is_asked_about() -> None:
    err = 'error: the server doesn\'t have a resource type "eservices"'
    alone = Query(("eservices.eservice.dev",), "", name="x")
    several = Query(("unpublishdecisions.eservice.dev", "eservices.eservice.dev"), "")
    for query in (alone, several):
        with pytest.raises(KubectlError, match="Is this the right cluster") as caught:
            _listing(query, Done(1, "", err)).only()
        assert caught.value.message.startswith(err)


def test_of_what_kubectl_logs_beside_its_sentence_nothing_is_shown() -> None:
    logged = 'E1122 09:47:40.231581   10645 memcache.go:265] "Unhandled Error" err="refused"'
    said = "The connection to the server localhost:8080 was refused - did you specify the right host or port?"
    with pytest.raises(KubectlError) as caught:
        _listing(QUERY, Done(1, "", f"{logged}\n{logged}\n{said}\n"))
    assert caught.value.message == said
    with pytest.raises(KubectlError) as caught:
        _listing(QUERY, Done(1, "", f"{logged}\n{logged}\n"))
    assert caught.value.message == logged, "where it says nothing else, that is all there is"


def test_a_kind_that_is_not_served_is_a_refusal_where_it_was_asked_for_alone() -> None:
    err = 'error: the server doesn\'t have a resource type "httproutes"'
    found = _listing(Query(("httproutes.v1.gateway.networking.k8s.io",), ""), Done(1, "", err))
    assert found.refused[0].resource == "httproutes"
    assert Unread("HTTPRoute", "", err).text.startswith("the API server does not know HTTPRoute")


def test_an_object_that_is_not_there_is_kubectls_error() -> None:
    err = 'Error from server (NotFound): eservices.eservice.dev "x" not found'
    found = _listing(Query(("eservices.eservice.dev",), "ns", name="x"), Done(1, "", err))
    with pytest.raises(KubectlError, match="NotFound") as caught:
        found.only()
    assert caught.value.not_found
    with pytest.raises(KubectlError) as caught:
        Listing((), (Refusal("eservices", "ns", FORBIDDEN),)).only()
    assert caught.value.forbidden


def world(*bodies: dict[str, object], unread: tuple[Unread, ...] = ()) -> Live:
    store = Store(INDEXES)
    for body in bodies:
        store.upsert(body)
    policy = policy_of(Setup(), NOW, store)
    return Live(store, Observer(store, policy), policy, NOW, unread)


def test_channels_are_those_that_the_ledgers_speak_of() -> None:
    told = [notice("UnpublishScheduled", "Sent")]
    told += [notice("UnpublishScheduled", "Sent", channel="CloudEvents", recipient="hub.example")]
    assert world(decision()).policy.channels == ()
    seen = world(decision(notices=told)).policy.channels
    assert seen == ((Channel.CLOUD_EVENTS, "hub.example"), (Channel.EMAIL, ""))


def test_a_clock_that_the_operator_doubts_is_doubted_here() -> None:
    assert not world(decision(state="Held", reason="Brake")).clock_doubted
    assert world(decision(state="Held", reason="ClockSkew")).clock_doubted


def test_where_something_essential_was_not_read_the_status_is_told_as_it_was_written() -> None:
    unmet = gate("Accepted", "AwaitingAcceptance", "Agency", "R2", ESCAPES)
    body = service("tax", "vid", "Pending", gates=[unmet])
    body["spec"]["publication"]["catalogue"] = {}
    unread = tuple(Unread(kind, "", FORBIDDEN) for kind in ("AcceptanceAct", "EService"))
    findings = find_out(body, world(body, unread=unread))
    assert not findings.decided
    assert [told.gate for told, _, _ in findings.gates()] == ["Accepted"]
    shown = "\n".join(page(Session(width=100), findings).lines)
    assert "you may not list AcceptanceAct, which a decision depends on" in shown
    assert "kind: AcceptanceAct" in shown
    assert "\x1b" not in shown
    assert findings.document()["decidedNow"] is False


def test_a_spec_that_cannot_be_read_says_what_to_mend() -> None:
    body = service("tax", "vid", "Invalid")
    body["spec"]["template"]["version"] = "three"
    with pytest.raises(click.ClickException, match=r"spec\.template\.version"):
        find_out(body, world(body))


def test_everything_that_a_decision_depends_on_says_what_follows_without_it() -> None:
    unread = Unread("EServiceTemplate", "", FORBIDDEN)
    assert unread.text == f"you may not list EServiceTemplate: {FOLLOWS['EServiceTemplate']}"
    assert world(unread=(unread,)).essential == (unread,)
    assert world(unread=(Unread("EService", "", FORBIDDEN),)).essential == ()


def test_a_country_without_known_holidays_is_refused() -> None:
    with pytest.raises(click.ClickException, match="are not known"):
        policy_of(Setup(holiday_country="XX"), NOW, Store(INDEXES))


def test_what_may_not_be_read_is_named_once() -> None:
    refused = (Refusal("acceptanceacts.eservice.dev", "", FORBIDDEN),) * 2
    notes = Dossier(service("tax", "vid", "Published"), refused=refused).notes
    assert notes == ("you may not read acceptanceacts: acts are not shown",)


def explained(fleet: PureFleet, at: datetime = worlds.NOW) -> Findings:
    """What is found out about the only e-service of a fleet."""
    store = stored(fleet)
    (cluster,) = fleet.members.values()
    body = store.get("EService", worlds.NAMESPACE, cluster.service.metadata.name)
    assert body is not None
    return find_out(body, Live(store, Observer(store, worlds.POLICY), worlds.POLICY, at))


def sheet(findings: Findings) -> str:
    return "\n".join(page(Session(width=100), findings).lines)


VERSIONS = (*worlds.VERSIONS, worlds.version("3.1.0", "2026-06-01", "2026-07-01"))


def on_old(**lifecycle: object) -> PureFleet:
    """An e-service on 3.0.0, which lags behind 3.1.0 by more than a month."""
    fleet = PureFleet.of(["one"])
    fleet.put_template(worlds.template(VERSIONS, lifecycle={"maximumLag": "P1M"} | lifecycle))
    fleet.settle(worlds.NOW)
    return fleet


@pytest.mark.parametrize(
    "lifecycle, said",
    [
        ({"enforcement": "Warn"}, "the institution is told, and nothing is unpublished: the template's"),
        ({"enforcement": "Observe"}, "nobody is told, and nothing is unpublished: the template's policy is"),
    ],
)
def test_what_is_overdue_and_not_enforced_is_explained(lifecycle: dict[str, object], said: str) -> None:
    found = explained(on_old(**lifecycle))
    shown = " ".join(sheet(found).split())
    assert "In public use: viss-2020 3.0.0; 3.1.0 is current" in shown
    assert "Rule R7 is to be migrated by 2027-07-01" in shown
    assert "Rule R8 overdue since 2026-07-01 (104 days ago): it lags behind 3.1.0 by more than P1M" in shown
    assert said in shown
    assert "To do deliver a release on 3.1.0, the current version" in shown
    behind = found.document()["behind"]
    assert [one["rule"] for one in behind["says"]] == ["R7", "R8"]
    assert (behind["enforcement"], behind["overdueSince"]) == (lifecycle["enforcement"], "2026-07-01")


def test_a_duty_to_migrate_that_is_long_over_is_explained() -> None:
    found = explained(on_old(enforcement="Warn"), worlds.at("2028-01-10"))
    assert "should have been migrated by 2027-07-01 (193 days ago)" in " ".join(sheet(found).split())


def test_a_decision_that_was_taken_back_is_explained() -> None:
    fleet = on_old(noticePeriod="P1M")
    (cluster,) = fleet.members.values()
    (decision,) = cluster.decisions
    revoked = {"at": "2026-10-13", "reason": "its recall was about another build"}
    cluster.edit(("UnpublishDecision", "", decision.metadata.name), spec={"revoked": revoked})
    fleet.settle(worlds.NOW)
    found = explained(fleet)
    shown = " ".join(sheet(found).split())
    assert f"UnpublishDecision {decision.metadata.name}: Closed (Revoked)" in shown
    assert "by the Agency on 2026-10-13: its recall was about another build" in shown
    assert "it is not decided so again because of 3.1.0; because of another it can be" in shown
    assert f"the Agency took its decision {decision.metadata.name} back" in shown
    assert found.document()["revoked"] == {"decision": decision.metadata.name, **revoked}


def test_what_to_do_is_said_of_an_announced_one_and_once_of_one_that_is_off() -> None:
    what = "on 3.1.0, the current version"
    announced = " ".join(sheet(explained(on_old(noticePeriod="P1M"))).split())
    assert f"To do deliver a release {what}" in announced
    off = " ".join(sheet(explained(on_old())).split())
    assert "✗ TemplateWithinLimit" in off
    assert off.count("deliver a release on") == 1


def test_one_that_would_be_held_says_so_also_in_its_meaning() -> None:
    fleet = on_old(noticePeriod="P1M")
    fleet.set_policy(enforcement="Warn")
    fleet.settle(worlds.NOW)
    found = explained(fleet)
    assert found.decision is not None
    assert found.decision[1].state is DecisionState.SCHEDULED
    shown = " ".join(sheet(found).split())
    assert (
        "announced for 2026-11-14 (in 32 days); as things stand it would be held then: NotEnforced" in shown
    )
    assert "off the public route from" not in shown


def test_where_nothing_is_due_nothing_is_said_of_the_lag() -> None:
    found = explained(PureFleet.of(["one"]))
    assert "In public use" not in sheet(found)
    assert found.document()["behind"]["says"] == []

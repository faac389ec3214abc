# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice`` as people use it: the real kubectl, a real API server, the operator at work."""

import json
import secrets
import signal
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from eservice_operator.core.actions import Manifest
from tests.cli.objects import ESCAPES
from tests.cli.starting import HEAVY, QUICK, cost_of, imported_by
from tests.cli.terminal import BIN, Terminal
from tests.support.fleet import Planned, days_ago, today, with_instruction
from tests.support.operator import OperatorProcess
from tests.support.site import Site, gates, says, up_to_date
from tests.support.waiting import eventually
from tests.support.worlds import merged

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

Persona = Callable[[str], Terminal]


@pytest.fixture
def agency(people_kubeconfig: Path) -> Terminal:
    """Somebody who may everything."""
    return Terminal(people_kubeconfig)


@pytest.fixture
def persona(cluster: "Cluster", tmp_path: Path) -> Persona:
    """Somebody of that name, who may nothing yet."""

    def make(name: str) -> Terminal:
        return Terminal(cluster.user_kubeconfig(name, ["institutions"], tmp_path / name))

    return make


def at(planned: Planned) -> tuple[str, str, str]:
    return planned.name, "-n", planned.namespace


def registered(obj: Manifest) -> bool:
    """Whether only the acts of people are missing."""
    return set(gates(obj)) == {"Accepted", "Installed", "Verified"}


async def explained(terminal: Terminal, planned: Planned) -> dict[str, Any]:
    found: dict[str, Any] = (await terminal("explain", *at(planned), "-o", "json")).document()
    return found


def unmet(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {gate["gate"]: (gate["reason"], gate["owner"]) for gate in document["gates"]}


async def test_the_way_to_the_public_told_and_walked_by_the_plugin(site: Site, agency: Terminal) -> None:
    await site.prepare()
    planned = site.planned(version="2.0.0")
    await site.apply(planned.registration(), planned.eservice())
    pending = await site.until(planned.ref, registered, "registered")

    told = await explained(agency, planned)
    assert (told["phase"], told["decidedNow"], told["notes"]) == ("Pending", True, [])
    assert unmet(told) == gates(pending), "the same decision as the operator's"
    (owed,) = (gate for gate in told["gates"] if gate["gate"] == "Accepted")
    refused = await agency("verify", *at(planned), "--outcome", "Passed", "--by", "A. Bērziņa", code=1)
    assert "is not installed, so nobody can have checked it" in refused.err
    assert "Accepted (Agency)" in refused.err

    await site.apply(filled_in(owed["toDo"]["write"], planned))
    await site.settled(planned, "AwaitingVerification")
    page = await agency("explain", *at(planned), code=0)
    assert "✗ Verified (AwaitingVerification)" in page.out
    assert f"$ kubectl eservice verify {planned.name} -n {planned.namespace} --outcome Passed" in page.out
    assert "“The institution's staff check it in production before the public sees it.”" in page.out

    dry = await agency(
        "verify",
        *at(planned),
        "--outcome",
        "Passed",
        "--by",
        "A. Bērziņa",
        "--dry-run=client",
        "-o",
        "yaml",
        code=0,
    )
    assert yaml.safe_load(dry.out)["spec"]["image"] == planned.image
    done = await agency("verify", *at(planned), "--outcome", "Passed", "--by", "A. Bērziņa", code=0)
    assert done.out.startswith("productionverification.eservice.dev/")
    await site.settled(planned, "Published")
    again = await agency("verify", *at(planned), "--outcome", "Passed", "--by", "A. Bērziņa", code=1)
    assert "is public already" in again.err

    assert "Every gate of" in (await agency("explain", *at(planned), code=0)).out
    status = await agency("status", *at(planned), code=0)
    assert f"https://{planned.host}/" in status.out
    assert "✗" not in status.out
    history = (await agency("history", *at(planned), "-o", "json")).document()
    happened = [entry["what"] for entry in history]
    assert {"Accepted", "VerificationPassed", "Published"} <= set(happened)
    assert happened.index("Accepted") < happened.index("Published")


def filled_in(written: Manifest, planned: Planned) -> Manifest:
    """The act that `explain` wrote, with its gaps filled in as `Planned` has them."""
    act = planned.act()
    made: Manifest = json.loads(json.dumps(written))
    assert made["spec"]["eService"] == act["spec"]["eService"]
    assert (made["spec"]["template"], made["spec"]["image"]) == (act["spec"]["template"], planned.image)
    assert set(made["spec"]) <= set(act["spec"])
    made["spec"] |= {
        field: act["spec"][field] for field in set(act["spec"]) - {"eService", "template", "image"}
    }
    return made


async def test_what_only_shows_imports_no_models_and_is_quick(site: Site, people_kubeconfig: Path) -> None:
    await site.prepare()
    planned = site.planned(version="2.0.0")
    await site.apply(planned.registration(), planned.eservice())
    await site.until(planned.ref, registered, "registered")
    environment = {"KUBECONFIG": str(people_kubeconfig), "KUBECTL": str(BIN / "kubectl")}
    for arguments in (["list", "-A"], ["status", *at(planned)], ["history", *at(planned)]):
        imported = imported_by(arguments, **environment)
        assert "json" in imported
        assert not imported & (HEAVY - {"yaml"}), arguments
        assert any(cost_of(arguments, **environment).own < QUICK for _ in range(5)), arguments


async def test_lists_are_filtered_and_sorted(site: Site, agency: Terminal) -> None:
    await site.prepare()
    public, waiting = site.planned("public"), site.planned("waiting", version="1.0.0")
    await site.apply(waiting.registration(), waiting.eservice())
    await site.published(public)
    await site.until(waiting.ref, lambda obj: "Accepted" in gates(obj), "gates")

    async def names(*arguments: str) -> list[str]:
        listed = await agency("list", "-n", site.namespace, "-o", "json", *arguments)
        return [item["metadata"]["name"] for item in listed.document()["items"]]

    assert await names() == [public.name, waiting.name]
    assert await names("--sort", "urgency") == [waiting.name, public.name]
    assert await names("--phase", "Published") == [public.name]
    assert await names("--version", "1.0.0") == [waiting.name]
    assert await names("--template", "other") == []
    table = await agency("list", "-A", "--template", site.template, "-o", "wide", code=0)
    assert table.out.splitlines()[0].split()[:3] == ["NAMESPACE", "NAME", "PHASE"]
    assert len(table.out.splitlines()) == 3
    empty = await agency("list", "-n", "nowhere", code=0)
    assert (empty.out, empty.err.split(":")[0]) == ("", "no e-services found in nowhere")
    unfit = await agency("list", "-n", site.namespace, "--template", "other", code=0)
    assert unfit.err == "no e-services found that fit the options\n"
    lost = await agency("status", public.name, code=1)
    assert "Without -n that is the namespace of the context: kubectl eservice list -A shows all" in lost.err
    unknown = await agency("forecast", "--template", "other", code=1)
    assert "there is no EServiceTemplate other" in unknown.err


async def test_every_format_says_the_same_and_a_context_is_kubectls(
    site: Site, agency: Terminal, people_kubeconfig: Path, tmp_path: Path
) -> None:
    await site.prepare()
    planned = site.planned(version="2.0.0")
    await site.apply(planned.registration(), planned.eservice())
    await site.until(planned.ref, registered, "registered")
    place = at(planned)
    for arguments in (("list", *place[1:]), ("status", *place), ("explain", *place)):
        before = (await agency(*arguments, "-o", "json")).document()
        read = yaml.safe_load((await agency(*arguments, "-o", "yaml", code=0)).out)
        after = (await agency(*arguments, "-o", "json")).document()
        assert read in (before, after), arguments
    for arguments in (("status", *place), ("explain", *place)):
        page, wide = [await agency(*arguments, "-o", output, code=0) for output in ("table", "wide")]
        assert timeless(wide.out) == timeless(page.out), "a page has no columns"
    title, line = (await agency("list", *place[1:], "-o", "wide", code=0)).out.splitlines()
    assert "UNMET GATES" in title
    assert "Accepted,Installed,Verified" in line

    elsewhere = Terminal(two_contexts(people_kubeconfig, tmp_path / "two", site.namespace))
    assert planned.name not in (await elsewhere("list", code=0)).out
    for arguments in (("list", "--context", "there"), ("--context=there", "status", planned.name)):
        assert planned.name in (await elsewhere(*arguments, code=0)).out, arguments
    unknown = await elsewhere("list", "--context", "nowhere", code=1)
    assert "specified context: nowhere" in unknown.err, "as kubectl says it"


def timeless(page: str) -> list[str]:
    """The lines of a page but for the one that says what time it is."""
    return [line for line in page.splitlines() if not line.endswith("  now")]


def two_contexts(kubeconfig: Path, copy: Path, namespace: str) -> Path:
    """A copy of a kubeconfig with a second context, ``there``, whose namespace is this."""
    document = yaml.safe_load(kubeconfig.read_text())
    (present,) = (one for one in document["contexts"] if one["name"] == document["current-context"])
    document["contexts"].append({"name": "there", "context": present["context"] | {"namespace": namespace}})
    copy.write_text(yaml.safe_dump(document))
    return copy


async def test_a_deferral_ends_when_the_plugin_said(site: Site, agency: Terminal) -> None:
    template = await site.prepare(enforceFrom=str(today() + timedelta(days=30)), maximumDeferral="P1M")
    planned = site.planned(version="1.0.0")
    await site.published(planned)
    await site.apply(with_instruction(template))
    scheduled = await site.until(
        planned.ref, lambda obj: obj["status"]["template"].get("unpublishAt"), "a decision"
    )
    before = scheduled["status"]["template"]["unpublishAt"]

    why = ("--reason", "the renewal is being tested", "--approved-by", "J. Ozols", "--ticket", "AG-1")
    until = str(today() + timedelta(days=200))
    late = await agency("defer", *at(planned), "--until", "2020-01-01", *why, code=1)
    assert "has passed" in late.err
    dry = await agency("defer", *at(planned), "--until", until, *why, "--dry-run", "-o", "yaml", code=0)
    assert await deferrals(agency, planned) == [], "nothing was written"
    made = await agency("defer", *at(planned), "--until", until, *why, code=0)
    (written,) = await deferrals(agency, planned)
    foreseen = yaml.safe_load(dry.out)
    assert foreseen["metadata"] == {"name": written["metadata"]["name"]}
    assert (foreseen["kind"], foreseen["spec"]) == (written["kind"], written["spec"])
    assert dry.err == made.err
    assert made.out.startswith("unpublishdeferral.eservice.dev/")
    assert "maximumDeferral makes it shorter" in made.err
    assert f"instead of {before}" in made.err
    deferred = await site.until(
        planned.ref, lambda obj: obj["status"]["template"].get("unpublishAt") != before, "deferred"
    )
    assert f"off the public route {deferred['status']['template']['unpublishAt']} " in made.err

    told = await explained(agency, planned)
    assert told["decision"]["state"] == "Scheduled"
    assert told["decision"]["reason"] == "Deferred"
    same = await agency("defer", *at(planned), "--until", until, *why, code=1)
    assert "AlreadyExists" in same.err


async def deferrals(agency: Terminal, planned: Planned) -> list[Manifest]:
    """The UnpublishDeferrals of one e-service."""
    listed = (await agency.kubectl("get", "unpublishdeferrals.eservice.dev", "-o", "json")).document()
    place = {"namespace": planned.namespace, "name": planned.name}
    return [item for item in listed["items"] if item["spec"]["eService"] == place]


async def test_it_is_right_where_the_status_is_out_of_date(
    site: Site, agency: Terminal, operator: OperatorProcess
) -> None:
    await site.prepare()
    planned = site.planned(version="2.0.0")
    await site.apply(planned.registration(), planned.eservice())
    await site.until(planned.ref, registered, "registered")
    operator.process.send_signal(signal.SIGSTOP)
    try:
        changed = planned.eservice(spec={"publication": {"support": None, "catalogue": None}})
        await site.apply(planned.act(), changed)
        told = await explained(agency, planned)
        page = await agency("explain", *at(planned), code=0)
    finally:
        operator.process.send_signal(signal.SIGCONT)
    assert "Accepted" not in unmet(told)
    assert unmet(told)["Catalogued"] == ("CatalogueIncomplete", "Institution")
    assert any("the status speaks of generation 1, the spec is at 2" in note for note in told["notes"])
    assert "! the operator has not written all of this into the status yet" in page.out
    (catalogued,) = (gate for gate in told["gates"] if gate["gate"] == "Catalogued")
    assert set(catalogued["toDo"]["write"]["spec"]["publication"]) == {"catalogue", "support"}
    caught_up = await site.until(
        planned.ref, lambda obj: up_to_date(obj) and "Installed" not in gates(obj), "it caught up"
    )
    assert gates(caught_up)["Catalogued"] == unmet(told)["Catalogued"]


async def test_a_developer_who_may_read_one_namespace_gets_a_useful_answer(
    site: Site, agency: Terminal, persona: Persona
) -> None:
    await site.prepare()
    planned = site.planned(version="2.0.0")
    await site.apply(planned.registration(), planned.eservice())
    await site.until(planned.ref, lambda obj: "Accepted" in gates(obj), "gates")
    name = f"developer-{secrets.token_hex(3)}"
    developer = persona(name)

    nothing = await developer("explain", *at(planned), code=1)
    assert nothing.err.startswith("Error from server (Forbidden): eservices.eservice.dev")
    await allow(agency, site.namespace, name)

    for verb in ("list", "forecast"):
        refused = await developer(verb, "-A", code=1)
        assert "eservices.eservice.dev is forbidden" in refused.err
        assert "-n NAMESPACE" in refused.err
    assert (await developer("forecast", "-n", site.namespace, code=0)).out.startswith("What happens")
    assert planned.name in (await developer("list", "-n", site.namespace, code=0)).out
    told = await explained(developer, planned)
    assert not told["decidedNow"]
    assert unmet(told)["Accepted"] == ("AwaitingAcceptance", "Agency"), "as the operator wrote it"
    assert any("you may not list AcceptanceAct, EServiceRegistration" in note for note in told["notes"])
    status = await developer("status", *at(planned), code=0)
    assert "✗ Accepted" in status.out
    assert "you may not read acceptanceacts: acts are not shown" in status.err
    history = await developer("history", *at(planned), code=0)
    assert "Pending" in history.out
    why = ("--reason", "r", "--approved-by", "me")
    deferred = await developer("defer", *at(planned), "--until", str(today()), *why, code=1)
    assert "the resulting day cannot be computed here" in deferred.err
    assert "unpublishdeferrals.eservice.dev is forbidden" in deferred.err


async def allow(agency: Terminal, namespace: str, user: str) -> None:
    """All of our kinds, and what ``view`` has, in one namespace."""
    rules = [{"apiGroups": ["eservice.dev"], "resources": ["*"], "verbs": ["*"]}]
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "developers", "namespace": namespace},
        "rules": rules,
    }
    for arguments, given in (
        (("create", "-f", "-"), json.dumps(role)),
        (("create", "rolebinding", "ours", f"--user={user}", "--role=developers", f"-n={namespace}"), ""),
        (("create", "rolebinding", "view", f"--user={user}", "--clusterrole=view", f"-n={namespace}"), ""),
    ):
        done = await agency.kubectl(*arguments, given=given)
        assert done.code == 0, done.err
    for resource in ("eservices.eservice.dev", "services"):  # the authorizer hears of it a moment later
        asked = ("auth", "can-i", "list", resource, f"--namespace={namespace}", f"--as={user}")
        await eventually(partial(may, agency, asked), f"the right to list {resource}")


async def may(agency: Terminal, asked: Sequence[str]) -> bool:
    """What ``kubectl auth can-i`` says."""
    answer = await agency.kubectl(*asked)
    assert answer.out.strip() in {"yes", "no"}, answer.out + answer.err
    return answer.code == 0


async def test_what_people_write_does_not_reach_the_terminal_as_a_command(
    site: Site, agency: Terminal
) -> None:
    await site.prepare()
    planned = site.planned(version="2.0.0")
    await site.apply(planned.registration(), planned.eservice(), planned.act())
    await site.settled(planned, "AwaitingVerification")
    await agency(
        "verify", *at(planned), "--outcome", "Failed", "--by", "A. Bērziņa", "--notes", ESCAPES, code=0
    )
    await site.until(
        planned.ref, lambda obj: gates(obj).get("Verified", ("",))[0] == "VerificationFailed", "failed"
    )
    for arguments in (
        ("explain",),
        ("status",),
        ("history",),
        ("explain", "-o", "json"),
        ("history", "-o", "yaml"),
    ):
        answer = await agency(arguments[0], *at(planned), *arguments[1:], code=0)
        assert not {"\x1b", "\x9b", "\x07", "\u202e"} & set(answer.out + answer.err), arguments
    history = (await agency("history", *at(planned), "-o", "json")).document()
    assert any(ESCAPES in entry["text"] for entry in history), "programs get what was written"
    missing = await agency("status", "\x1b[31m", code=1)
    assert "\x1b" not in missing.err


async def test_the_brake_is_released_by_its_token(site: Site, agency: Terminal) -> None:
    template = await site.prepare(brake={"percent": 0, "atLeast": 1})
    behind = [site.planned(name, version="1.0.0") for name in ("one", "two", "three")]
    for planned in behind:
        await site.published(planned)
    none = await agency("release-brake", site.template, code=1)
    assert "holds nothing" in none.err
    await site.apply(with_instruction(template))
    whole = await site.until(
        site.template_ref,
        lambda obj: [one["count"] for one in obj["status"].get("held", ())] == [len(behind)],
        "a held set of all",
    )
    (token,) = (one["token"] for one in whole["status"]["held"])
    for planned in behind:
        assert says(await site.see(planned.ref), "Published", "True"), "none of them is taken off"

    told = await explained(agency, behind[0])
    assert (told["decision"]["state"], told["decision"]["reason"]) == ("Held", "Brake")
    assert told["decision"]["run"] == [f"kubectl eservice release-brake {site.template} --token {token}"]
    wrong = await agency("release-brake", site.template, "--token", "ffff", "--yes", code=1)
    assert f"it holds {token}" in wrong.err
    unasked = await agency("release-brake", site.template, code=1)
    assert all(planned.name in unasked.out for planned in behind)
    assert "add --yes" in unasked.err
    dry = await agency("release-brake", site.template, "--dry-run", "-o", "yaml", code=0)
    assert yaml.safe_load(dry.out)["spec"] == {"lifecycle": {"brake": {"release": token}}}
    assert (await site.see(site.template_ref))["spec"]["lifecycle"]["brake"].get("release") is None

    done = await agency("release-brake", site.template, "--token", token, "--yes", code=0)
    assert f"eservicetemplate.eservice.dev/{site.template} patched" in done.out
    for planned in behind:
        await site.settled(planned, "Unpublished")
    told = await explained(agency, behind[0])
    assert told["decision"]["state"] == "Effective"
    assert "renew" in told["gates"][0]["message"]
    for verb in ("explain", "status"):
        assert f"Held set      {token}, released 20" in (await agency(verb, *at(behind[0]), code=0)).out


async def two_held_sets(site: Site) -> list[Planned]:
    """Two waves, one after the other, that the brake holds: a new version, then a recall."""
    template = await site.prepare(brake={"percent": 0, "atLeast": 1})
    fleet = [
        site.planned(f"{name}-{number[0]}", version=number)
        for number in ("1.0.0", "2.0.0")
        for name in ("one", "two")
    ]
    for planned in fleet:
        await site.apply(*planned.everything())
    for planned in fleet:
        await site.settled(planned, "Published")
    template = with_instruction(template)
    recall = {"at": days_ago(2), "reason": "a leak", "replaceBy": days_ago(1)}
    recalled = [
        one | ({"withdrawn": recall} if one["version"] == "2.0.0" else {})
        for one in template["spec"]["versions"]
    ]
    for sets, body in enumerate((template, merged(template, {"spec": {"versions": recalled}})), start=1):
        await site.apply(body)
        await site.until(site.template_ref, partial(held, sets), "a held set")
    return fleet


def held(sets: int, template: Manifest) -> bool:
    """Whether the brake holds so many sets of two."""
    return [one["count"] for one in template["status"].get("held", ())] == [2] * sets


async def test_no_release_is_lost_when_sets_are_let_go_one_after_another(
    site: Site, agency: Terminal, operator: OperatorProcess
) -> None:
    fleet = await two_held_sets(site)
    release = ("release-brake", site.template, "--yes")
    listed = (await agency("release-brake", site.template, "--list", "-o", "json")).document()
    first, second = (one["token"] for one in listed["sets"])
    assert [one["onRelease"]["now"] for one in listed["sets"]] == [2, 2]
    several = await agency(*release, code=1)
    assert f"name one with --token, or write --all: {first}, {second}" in several.err
    dry = await agency("release-brake", site.template, "--all", "--dry-run", "-o", "yaml", code=0)
    assert yaml.safe_load(dry.out)["spec"]["lifecycle"]["brake"]["release"] == first
    assert f"then do the same for {second}" in dry.err

    operator.process.send_signal(signal.SIGSTOP)
    try:
        await agency(*release, "--token", first, code=0)
        again = await agency(*release, "--token", first, code=0)
        assert f"releases {first} already" in again.err
        late = await agency(*release, "--token", second, "--timeout", "1s", code=1)
        assert f"waiting until the operator has noted the release of {first}: 2 to go" in late.err
        assert f"{second} is not released: the template releases {first}" in late.err
        assert (await site.see(site.template_ref))["spec"]["lifecycle"]["brake"]["release"] == first
        shown = await agency("release-brake", site.template, "--list", code=0)
        assert f"token {first}, released, and not noted by the operator yet" in shown.out
    finally:
        operator.process.send_signal(signal.SIGCONT)
    done = await agency(*release, "--all", "-o", "json", "--timeout", "1m", code=0)
    assert done.document()["released"][-1] == second
    for planned in fleet:
        await site.settled(planned, "Unpublished")


async def test_all_sets_are_let_go_at_one_word(site: Site, agency: Terminal) -> None:
    fleet = await two_held_sets(site)
    done = await agency("release-brake", site.template, "--all", "--yes", "--timeout", "1m", code=0)
    assert done.out.count("On release: 2 now, 0 later, 0 not public.") == 2
    assert done.out.count("patched: releases") == 2
    for planned in fleet:
        await site.settled(planned, "Unpublished")
    empty = await agency("release-brake", site.template, "--list", code=0)
    assert (empty.out, empty.err) == ("", f"the brake holds nothing of {site.template}\n")


async def test_a_set_is_taken_back_at_one_word_once_the_template_is_mended(
    site: Site, agency: Terminal
) -> None:
    fleet = await two_held_sets(site)
    look = ("release-brake", site.template, "--list", "-o", "json")
    first, second = (one["token"] for one in (await agency(*look)).document()["sets"])
    why = ("--reason", "the instruction was published by mistake")
    unasked = await agency("revoke", "--set", first, *why, code=1)
    assert "then add --yes" in unasked.err
    assert unasked.out.count("Held: Brake") == 2
    dry = await agency("revoke", "--set", first, *why, "--dry-run", "-o", "json")
    names = [one["metadata"]["name"] for one in dry.document()["items"]]
    assert len(names) == 2
    done = await agency("revoke", "--set", first, *why, "--yes", code=0)
    assert [line.partition("/")[2] for line in done.out.splitlines()[-2:]] == [
        f"{name} patched" for name in names
    ]
    for planned in fleet[:2]:
        await site.settled(planned, "Published")
        (decision,) = await site.decisions(planned)
        assert decision["spec"]["revoked"]["reason"] == why[1]
    left = [one for one in await foretold(agency, site) if one["action"] == "Hold"]
    assert {one["token"] for one in left} == {second}
    settled = await agency("revoke", names[0], *why, "--yes", code=1)
    assert "and that stays" in settled.err
    none = await agency("revoke", "--set", first, *why, "--yes", code=1)
    assert f"no open decision of the set {first} is there" in none.err


async def test_what_was_foreseen_is_what_is_decided_and_each_record_replays(
    site: Site, agency: Terminal
) -> None:
    template = await site.prepare(enforceFrom=str(today() + timedelta(days=30)))
    falling, deferred = (site.planned(name, version="1.0.0") for name in ("falling", "deferred"))
    staying = site.planned("staying", version="2.0.0")
    for planned in (falling, deferred, staying):
        await site.apply(*planned.everything())
    for planned in (falling, deferred, staying):
        await site.settled(planned, "Published")
    await site.apply(deferred.deferral(days=50))

    tried = ("--template", site.template, "--version", "3.0.0", "--published", str(today()))
    foreseen = await foretold(agency, site, *tried)
    off = {item["decision"]: (item["name"], item["at"]) for item in foreseen if item["action"] == "Unpublish"}
    assert {name for name, _ in off.values()} == {falling.name, deferred.name}
    assert await site.decisions(falling) == [], "nothing was written"
    await site.apply(with_instruction(template))
    for planned in (falling, deferred):
        await site.until(planned.ref, lambda obj: obj["status"]["template"].get("unpublishAt"), "a decision")
    assert await site.decisions(staying) == []
    decided = [one for planned in (falling, deferred) for one in await site.decisions(planned)]
    assert off == {
        one["metadata"]["name"]: (one["spec"]["eService"]["name"], one["status"]["effectiveAt"])
        for one in decided
    }
    assert to_come(await foretold(agency, site, "--template", site.template)) == to_come(foreseen)

    for one in decided:
        replayed = (await agency("replay", one["metadata"]["name"], "-o", "json")).document()
        assert replayed["reproduced"]
        assert {fact["fact"] for fact in replayed["facts"]} >= {"overdueSince", "effectiveAt", "inputsHash"}
    missing = await agency("replay", f"none-{site.mark}", code=1)
    assert missing.err.startswith("Error from server (NotFound): unpublishdecisions")


async def foretold(agency: Terminal, site: Site, *options: str) -> list[dict[str, str]]:
    """What a forecast of the whole cluster says of this site."""
    answer = await agency("forecast", "-A", "-o", "json", "--until", "P3M", *options)
    items: list[dict[str, str]] = answer.document()["items"]
    return [item for item in items if item["namespace"] == site.namespace]


def to_come(items: list[dict[str, str]]) -> list[dict[str, str]]:
    """What is not of today: today's instants are those at which each forecast was made."""
    return [item for item in items if item["at"] > f"{today() + timedelta(days=1)}"]


async def test_kubectl_completes_names_through_its_plugin(site: Site, agency: Terminal) -> None:
    await site.prepare()
    planned = site.planned(version="2.0.0")
    await site.apply(planned.registration(), planned.eservice())
    answer = await agency("__complete", "explain", "-n", site.namespace, "")
    assert answer.out.splitlines() == [planned.name, ":4"]
    for words in (["release-brake"], ["list", "--template"], ["forecast", "--template"]):
        templates = await agency("__complete", *words, site.template[:-1])
        assert site.template in templates.out.splitlines(), words
    await site.until(planned.ref, lambda obj: "Accepted" in gates(obj), "gates")

# SPDX-License-Identifier: Apache-2.0
"""What is said in Latvian of access to web services: to who asks for it, and to the holder (R3, R10)."""

from __future__ import annotations

from eservice_operator.api.reasons import Reason
from eservice_operator.notify.language import Facts, Saying, after, bracketed, sentences, spaced

ANSWER = (
    "Atbildiet ar WebServiceGrant vai tajā norādiet atteikuma iemeslu (spec.refused). Kas vēl gaida atbildi, "
    "redzams WebService statusā."
)
LIST = (
    "Atbildiet, iekļaujot iestādi AgentAssignment klientu sarakstā (spec.customers). Kas vēl gaida atbildi, "
    "redzams WebService statusā."
)
WHY: dict[str, str] = {
    Reason.CLOSING: "Turētājs atļauju ir atsaucis.",
    Reason.EXPIRED: "Atļauja bija spēkā līdz noteiktai dienai, un tā ir pagājusi.",
    Reason.REFUSED: "Turētājs piekļuvi atsaka.",
    Reason.CONTRACT_RETIRED: "Saskarnes versijas darbība ir beigusies.",
    Reason.VERSION_NOT_GRANTED: "Turētājs šo saskarnes versiju no atļaujas ir izņēmis.",
    Reason.CONTRACT_UNKNOWN: "Tīmekļa pakalpei šādas saskarnes versijas vairs nav.",
    Reason.WEB_SERVICE_UNKNOWN: "Tīmekļa pakalpes vairs nav.",
    Reason.ASSIGNMENT_ENDED: "Aģenta pilnvarojums ir beidzies.",
    Reason.ASSIGNMENT_NOT_FOUND: "Aģenta pilnvarojuma vairs nav.",
    Reason.ASSIGNMENT_PENDING: "Aģenta pilnvarojumam trūkst kāda nosacījuma.",
    Reason.OTHER_AGENT: "Pilnvarojums ir citam aģentam, nevis e-pakalpojuma iestādei.",
    Reason.NOT_REQUESTED: "E-pakalpojums to vairs nepieprasa.",
    Reason.TEST_MISSING: "Savienojuma pārbaudes apliecinājums vairs nav spēkā.",
    Reason.OTHER_REGISTRATION: "E-pakalpojumam tagad ir cita reģistrācija nekā tā, kurai atļauja dota.",
    Reason.CONSUMER_NOT_REGISTERED: "E-pakalpojuma reģistrācija vairs nav spēkā.",
    Reason.HOLDER_NOT_CONFIRMED: "Turētāja nosaukumtelpa vairs nav apstiprināta.",
    Reason.BACKEND_NOT_ALLOWED: "Turētāja norādītā adrese nav ārpus klastera.",
    Reason.BACKEND_NOT_FOUND: "Nav tā, uz kā tīmekļa pakalpe darbojas.",
}


def _which(f: Facts) -> str:
    """What follows the word for a web service, whatever its case."""
    version = f.fact("contractVersion")
    shown = bracketed(f"saskarnes versija {version}" if version else "")
    return f"{spaced(f.fact('webService'))}{shown}"


def _holder(f: Facts) -> str:
    contact = f.fact("holderContact")
    return f"tīmekļa pakalpes turētājam: {contact}" if contact else "tīmekļa pakalpes turētājam"


def _stated(f: Facts) -> str:
    reason = f.fact("reason").rstrip(".")
    return f"Norādītais iemesls: {reason}." if reason else ""


def access_requested(f: Facts) -> Saying:
    """An e-service asks for a web service (R3); to its holder."""
    asking, agent, count = f.fact("asking"), f.fact("agent"), f.fact("count")
    return Saying(
        f"pieprasīta piekļuve{': ' + asking if asking else ''}",
        f"Iestāde{spaced(asking)} savam e-pakalpojumam{spaced(f.fact('consumer'))} pieprasa piekļuvi tīmekļa "
        f"pakalpei{_which(f)}{' ar aģenta ' + agent + ' starpniecību' if agent else ''}.",
        "E-pakalpojums piekļuvi pieprasa, nosaucot tīmekļa pakalpi savā specifikācijā (spec.uses). Piekļuvi "
        "piešķir vienīgi turētājs.",
        sentences(LIST if agent else ANSWER, f"Neatbildēto pieprasījumu skaits: {count}." if count else ""),
        "Jums nekas nav jādara: atbild turētājs.",
    )


def access_granted(f: Facts) -> Saying:
    """The holder lets the e-service in (R3)."""
    until, holder = f.fact("until"), f.fact("holder")
    return Saying(
        "piešķirta piekļuve tīmekļa pakalpei",
        f"E-pakalpojums {f.title} tagad drīkst izsaukt tīmekļa pakalpi{_which(f)}."
        f"{' Pēdējā diena ir ' + until + '.' if until else ''}",
        f"Piekļuvi piešķīra tīmekļa pakalpes turētājs{spaced(holder)}.",
        "Nekas nav jāpārstartē: adrese un pilnvara atrodas sasaistes mapē zem $SERVICE_BINDING_ROOT.",
        "Jums nekas nav jādara.",
    )


def access_refused(f: Facts) -> Saying:
    """The holder says no (R3)."""
    return Saying(
        "atteikta piekļuve tīmekļa pakalpei",
        f"E-pakalpojumam {f.title} piekļuve tīmekļa pakalpei{_which(f)} netiek piešķirta.",
        sentences("Tīmekļa pakalpes turētājs to atteica.", _stated(f)),
        f"Jautājiet {_holder(f)}. Ja e-pakalpojums var iztikt bez tīmekļa pakalpes, izņemiet to no "
        "spec.uses.",
        "Jums nekas nav jādara: to kārto turētājs un iestāde.",
    )


def access_ending(f: Facts) -> Saying:
    """The last day of a grant comes nearer (R3)."""
    return Saying(
        f"piekļuve tīmekļa pakalpei beigsies{spaced(f.due_date)}",
        f"E-pakalpojums {f.title} drīkst izsaukt tīmekļa pakalpi{_which(f)}{after('līdz', f.due)}, šo dienu "
        "ieskaitot. Pēc tam tā izsaukumi tiks noraidīti.",
        "Turētāja atļauja vai aģenta pilnvarojums ir spēkā līdz šai dienai.",
        f"Ja e-pakalpojumam piekļuve vajadzīga ilgāk, jautājiet {_holder(f)}.",
        "Pārliecinieties, ka iestāde par to zina.",
    )


def access_ended(f: Facts) -> Saying:
    """The e-service may not call any more (R3)."""
    return Saying(
        "piekļuve tīmekļa pakalpei beigusies",
        f"E-pakalpojums {f.title} vairs nedrīkst izsaukt tīmekļa pakalpi{_which(f)}. Tas turpina darboties, "
        "bet tā izsaukumi tiek noraidīti.",
        sentences(WHY.get(f.fact("ended"), "Atļauja to vairs nepieļauj."), _stated(f)),
        "Noskaidrojiet, ko e-pakalpojums tagad nespēj. Ja piekļuve joprojām vajadzīga, jautājiet "
        f"{_holder(f)}.",
        "Pārliecinieties, ka iestāde par to zina.",
    )


def contract_retiring(f: Facts) -> Saying:
    """The last day of a contract version comes nearer (R10); to its holder with who is left."""
    version = f"saskarnes versija{spaced(f.fact('contractVersion'))}"
    if f.letter.source.startswith("WebService "):
        return _remaining(f, version)
    return Saying(
        f"saskarnes versijas darbība beigsies{spaced(f.due_date)}",
        f"Tīmekļa pakalpes{spaced(f.fact('webService'))} {version} darbojas{after('līdz', f.due)}, šo dienu "
        f"ieskaitot. E-pakalpojums {f.title} to tagad drīkst izsaukt; pēc šīs dienas tā izsaukumi tiks "
        "noraidīti.",
        "Saskarnes versijas darbības beigas noteicis turētājs.",
        "Ja e-pakalpojums izmanto šo versiju, savlaicīgi pārejiet uz citu: pieprasiet to laukā spec.uses un "
        f"saņemiet atļauju. Jautājumus uzdodiet {_holder(f)}.",
        "Pārliecinieties, ka iestāde par to zina.",
    )


def _remaining(f: Facts, version: str) -> Saying:
    count, consumers = f.fact("count"), f.letter.facts.get("consumers", "")
    return Saying(
        f"saskarnes versijas darbība beigsies{spaced(f.due_date)}",
        f"Tīmekļa pakalpes {f.title} {version} darbojas{after('līdz', f.due)}, šo dienu ieskaitot. Pēc tam "
        f"to neviens vairs nedrīkst izsaukt. E-pakalpojumi, kas to vēl drīkst izsaukt: {count or '0'}.",
        "Šī diena ir darbības beigas WebService specifikācijā (spec.contracts).",
        "Ar atlikušajiem vienojieties, kad tie pāries uz citu versiju. Ja diena ir kļūdaina, izlabojiet to."
        if consumers
        else "Jums nekas nav jādara. Ja diena ir kļūdaina, izlabojiet to.",
        "Jums nekas nav jādara: to kārto turētājs un iestādes.",
    )

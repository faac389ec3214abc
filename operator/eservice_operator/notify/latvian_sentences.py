# SPDX-License-Identifier: Apache-2.0
"""What each notice says in Latvian: one function for each kind, sentences only."""

from __future__ import annotations

from eservice_operator.notify.language import Facts, Saying, after, bracketed, sentences, spaced
from eservice_operator.notify.latvian_held import RENEW, TELL, held_by_brake
from eservice_operator.notify.latvian_reasons import cause, lag, reason, versions

NOTHING = "Jums nekas nav jādara."
GATES = (
    "Uzstādīšanu nodrošina Aģentūra. Ja kāds nosacījums vēl jāizpilda jūsu iestādei, izpildiet to: "
    "neizpildītie nosacījumi redzami e-pakalpojuma statusā."
)


def identifier_assigned(f: Facts) -> Saying:
    """A registration was given its number (R1)."""
    return Saying(
        "piešķirts numurs",
        f"E-pakalpojums {f.title} ir reģistrēts, un tam piešķirts numurs{spaced(f.number)}.",
        "Katram reģistrētam e-pakalpojumam ir savs numurs; citam e-pakalpojumam to nekad nepiešķir.",
        "Norādiet šo numuru saziņā ar Aģentūru.",
        NOTHING,
    )


def installation_due(f: Facts) -> Saying:
    """A release is to be installed within the term (R5)."""
    return Saying(
        f"jāuzstāda{after('līdz', f.due_date)}",
        f"E-pakalpojuma {f.title} laidiens jāuzstāda produkcijas vidē{after('līdz', f.due)}.",
        "Pieņemšanas akts ir parakstīts un uzstādīšana ir pieprasīta; laidiens jāuzstāda 10 darba dienu "
        "laikā.",
        GATES,
        "Izpildiet vēl neizpildītos nosacījumus, lai laidienu varētu uzstādīt laikā.",
    )


def installation_overdue(f: Facts) -> Saying:
    """The term of the installation is over (R5)."""
    return Saying(
        "uzstādīšana kavējas",
        f"E-pakalpojuma {f.title} laidienu vajadzēja uzstādīt produkcijas vidē{after('līdz', f.due)}; "
        "tas vēl nav uzstādīts.",
        "Laidiens jāuzstāda 10 darba dienu laikā pēc pieņemšanas akta parakstīšanas un uzstādīšanas "
        "pieprasīšanas.",
        GATES,
        "Noskaidrojiet, kurš nosacījums vēl nav izpildīts, un izpildiet to.",
    )


def verification_wanted(f: Facts) -> Saying:
    """An installed release waits for the institution (R6)."""
    return Saying(
        "jāpārbauda produkcijas vidē",
        f"E-pakalpojuma {f.title} laidiens ir uzstādīts produkcijas vidē un gaida jūsu iestādes "
        "pārbaudi. Šis laidiens vēl nav publiski pieejams.",
        "Pirms laidiens kļūst publiski pieejams, iestādes darbinieki to pārbauda produkcijas vidē.",
        "Pārbaudiet e-pakalpojumu un reģistrējiet pārbaudes rezultātu (ProductionVerification). Ja "
        "pārbaude ir sekmīga, laidiens kļūs publiski pieejams automātiski.",
        "Jums nekas nav jādara: pārbauda iestāde.",
    )


def migration_due(f: Facts) -> Saying:
    """The yearly move to the latest version is due by a day (R7)."""
    by = f.due or f.fact("migrateBy")
    return Saying(
        f"jāpārceļ uz jaunāku veidnes versiju{after('līdz', f.due_date)}",
        f"E-pakalpojums {f.title} jāpārceļ uz jaunāko veidnes versiju{after('līdz', by)}.",
        sentences(
            "E-pakalpojumu pārceļ uz jaunāko veidnes versiju vismaz reizi gadā.", versions(f), reason(f)
        ),
        RENEW,
        TELL,
    )


def migration_overdue(f: Facts) -> Saying:
    """That day is over (R7)."""
    by = f.due or f.fact("migrateBy")
    return Saying(
        "kavējas pāreja uz jaunāku veidnes versiju",
        f"E-pakalpojumu {f.title} vajadzēja pārcelt uz jaunāko veidnes versiju{after('līdz', by)}; tas "
        "vēl nav izdarīts.",
        sentences(
            "E-pakalpojumu pārceļ uz jaunāko veidnes versiju vismaz reizi gadā.", versions(f), reason(f)
        ),
        f"Sāciet pāreju tagad. {RENEW} Ja atpalicība pārsniegs pieļaujamo, e-pakalpojuma publicēšanu var "
        "pārtraukt.",
        TELL,
    )


def version_withdrawn(f: Facts) -> Saying:
    """The version in public use is recalled, and has no last day (R7)."""
    ground = f.fact("recallReason").rstrip(".")
    return Saying(
        "veidnes versija atsaukta",
        f"E-pakalpojuma {f.title} veidnes versija ir atsaukta{after('no', f.due)}. Diena, līdz kurai tā "
        "jāaizstāj, nav noteikta.",
        sentences(versions(f), f"Atsaukšanas iemesls: {ground}." if ground else ""),
        f"Pēc iespējas drīz pārejiet uz atbalstītu veidnes versiju. {RENEW}",
        TELL,
    )


def overdue_expected(f: Facts) -> Saying:
    """The version lags too far behind, and nobody is unpublished for it (R8 under Warn)."""
    return Saying(
        f"veidnes versija novecojusi{after('no', f.due_date)}",
        f"{'Sākot ar ' + f.due + ', e' if f.due else 'E'}-pakalpojuma {f.title} veidnes versija vairs "
        "neatbilst noteikumiem. Šis ir brīdinājums: e-pakalpojuma publicēšana netiek pārtraukta.",
        sentences(versions(f), cause(f), reason(f)),
        f"Pārejiet uz atbalstītu veidnes versiju. {RENEW}",
        TELL,
    )


def _stay(f: Facts) -> str:
    if f.fact("late"):
        return (
            "E-pakalpojuma publicēšana tiek pārtraukta šodien. Lai tas atkal būtu publiski pieejams, "
            f"publicējiet laidienu ar atbalstītu veidnes versiju. {RENEW}"
        )
    return (
        f"Lai e-pakalpojums paliktu publiski pieejams,{after('pirms', f.due)} jābūt publicētam laidienam "
        f"ar atbalstītu veidnes versiju. {RENEW} Ja to nevar izdarīt laikā, savlaicīgi lūdziet Aģentūrai "
        "atlikšanu."
    )


DEFER = f"{TELL} Ja ir pamats, pārtraukšanu var atlikt (UnpublishDeferral) vai lēmumu atsaukt."


def unpublish_scheduled(f: Facts) -> Saying:
    """The decision has been made (R8)."""
    if f.held:
        return held_by_brake(f)
    return Saying(
        f"publicēšana tiks pārtraukta{spaced(f.due_date)}",
        f"E-pakalpojuma {f.title} publicēšana tiks pārtraukta{spaced(f.due)}. No tā brīža tas vairs "
        "nebūs publiski pieejams.",
        lag(f),
        _stay(f),
        DEFER,
    )


def unpublish_warning(f: Facts) -> Saying:
    """Its day comes nearer (R8)."""
    if f.held:
        return held_by_brake(f)
    return Saying(
        f"atgādinājums: publicēšana tiks pārtraukta{spaced(f.due_date)}",
        f"Atgādinām: e-pakalpojuma {f.title} publicēšana tiks pārtraukta{spaced(f.due)}. No tā brīža tas "
        "vairs nebūs publiski pieejams.",
        lag(f),
        _stay(f),
        DEFER,
    )


def unpublish_moved(f: Facts) -> Saying:
    """Its day is another one (R8)."""
    if f.held:
        return held_by_brake(f)
    return Saying(
        f"publicēšanas pārtraukšana pārcelta{after('uz', f.due_date)}",
        f"E-pakalpojuma {f.title} publicēšanas pārtraukšanas datums ir mainīts. Publicēšana tiks "
        f"pārtraukta{spaced(f.due)}.",
        lag(f),
        _stay(f),
        DEFER,
    )


def unpublish_cancelled(f: Facts) -> Saying:
    """It is closed before its day (R8)."""
    return Saying(
        "publicēšana netiks pārtraukta",
        f"E-pakalpojuma {f.title} publicēšana netiks pārtraukta. Iepriekš paziņotais "
        f"datums{bracketed(f.due_date)} vairs nav spēkā.",
        reason(f) or "Lēmums par publicēšanas pārtraukšanu ir slēgts.",
        NOTHING,
    )


def unpublished(f: Facts) -> Saying:
    """It has been carried out (R8)."""
    return Saying(
        "publicēšana pārtraukta",
        f"E-pakalpojuma {f.title} publicēšana ir pārtraukta{spaced(f.due)}. Tas vairs nav publiski "
        "pieejams. Dati un piekļuves tiesības ir saglabātas.",
        lag(f),
        f"{RENEW} Pēc tam e-pakalpojums atkal kļūs publiski pieejams automātiski.",
        TELL,
    )


def republished(f: Facts) -> Saying:
    """The e-service is back."""
    return Saying(
        "atkal publiski pieejams",
        f"E-pakalpojums {f.title} atkal ir publiski pieejams.",
        reason(f) or "Visi publicēšanas nosacījumi atkal ir izpildīti.",
        NOTHING,
    )

# SPDX-License-Identifier: Apache-2.0
"""What is said in Latvian of an unpublication that was to come and is held."""

from __future__ import annotations

from eservice_operator.api.reasons import Reason
from eservice_operator.notify.language import Facts, Saying, after, bracketed, sentences, spaced
from eservice_operator.notify.latvian_reasons import lag, versions

RENEW = (
    "Sagatavojiet jaunu laidienu pēc migrācijas instrukcijas, saņemiet pieņemšanas aktu, pieprasiet "
    "uzstādīšanu un pārbaudiet laidienu produkcijas vidē."
)
TELL = "Pārliecinieties, ka iestāde par to zina."
NO_GROUND: dict[str, str] = {
    Reason.NO_LONGER_OVERDUE: "Pēc veidnes pašreizējiem datumiem izmantotā versija nav novecojusi.",
    Reason.NOT_ENFORCED: "Saskaņā ar veidnes politiku e-pakalpojumu publicēšana pašlaik netiek pārtraukta.",
    Reason.TEMPLATE_UNKNOWN: "Veidne vai izmantotā versija operatoram pašlaik nav zināma.",
}


def held_by_brake(f: Facts) -> Saying:
    """Too many were due at once: the Agency has to check first (R8)."""
    return Saying(
        f"publicēšanas pārtraukšana{spaced(f.due_date)} ir apturēta",
        f"Saskaņā ar noteikumiem e-pakalpojuma {f.title} publicēšana bija jāpārtrauc{spaced(f.due)} "
        "vienlaikus ar citiem e-pakalpojumiem. Tas viss ir apturēts, kamēr Aģentūra pārbauda, vai tas ir "
        "pareizi. Līdz tam neviena šī publicēšana netiek pārtraukta.",
        lag(f),
        "Par iznākumu jums paziņos. Ja iepriekš minētais ir pareizi, sāciet pāreju tagad: kad Aģentūra to "
        "atļaus, publicēšana tiks pārtraukta norādītajā dienā vai, ja tā jau pagājusi, nekavējoties. "
        f"{RENEW}",
        f"{TELL} Pārtraukšana paliek apturēta, līdz to atļauj vai lēmumus atsauc.",
    )


def unpublish_held(f: Facts) -> Saying:
    """A day was told, and it does not count (R8)."""
    if f.held == Reason.BRAKE:
        return held_by_brake(f)
    return Saying(
        "publicēšana pagaidām netiek pārtraukta",
        f"E-pakalpojuma {f.title} publicēšana pagaidām netiek pārtraukta. Iepriekš paziņotais "
        f"datums{bracketed(f.due_date)} vairs nav spēkā.",
        sentences(versions(f), NO_GROUND.get(f.held, "Tiek pārbaudīts, uz kā pārtraukšana balstās.")),
        "Jums šajā sakarā nekas nav jādara. Kamēr tas tā ir, e-pakalpojums paliek publiski pieejams.",
        f"{TELL} Ja lēmums bija kļūdains, atsauciet to.",
    )


def brake_engaged(f: Facts) -> Saying:
    """Too many at once: the Agency has to look."""
    count, token = f.fact("count"), f.fact("token")
    template = f.fact("template") or f.name
    release = f.language.quoted(f"kubectl eservice release-brake {template}{after('--token', token)}")
    revoke = f.language.quoted(f"kubectl eservice revoke --set {token or 'TOKEN'} --reason TEXT")
    return Saying(
        f"apturēta publicēšanas pārtraukšana, e-pakalpojumi: {count or 'vairāki'}",
        f"Pēc veidnes {template} noteikumiem 24 stundu laikā būtu jāpārtrauc vairāku e-pakalpojumu "
        "publicēšana, un to ir vairāk, nekā drīkst pārtraukt vienā reizē. Pārtraukšana ir apturēta, un "
        "e-pakalpojumi paliek publiski pieejami."
        f"{f' Šajā kopā apturēto skaits: {count}.' if count else ''}",
        sentences(
            f"Novecošanas cēlonis: versija {f.fact('cause')}." if f.fact("cause") else "",
            "Pārāk daudz pārtraukumu reizē var nozīmēt, ka kāds datums veidnē ir kļūdains, tāpēc tie "
            "jāapstiprina cilvēkam.",
        ),
        "Pārbaudiet veidnes versiju un migrācijas instrukciju datumus. Ja kāda versija publicēta kļūdaini, "
        "atsauciet to (versijas lauks withdrawn, ar kubectl edit vai Git) un atsauciet šīs kopas lēmumus ar "
        f"komandu {revoke}, bet pārtraukšanu neatļaujiet. Ar datuma labošanu nepietiek: publikācija, kas "
        "stājusies spēkā, paliek reģistrēta. Ja visi datumi ir pareizi, atļaujiet pārtraukšanu ar komandu "
        f"{release}.",
    )

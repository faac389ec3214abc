# SPDX-License-Identifier: Apache-2.0
"""The notice as a page, as a problem document and as text: one content, put in three ways.

The page has no script, no picture and no font of its own, and its style is let in by the hash of it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from html import escape
from typing import Any, Final

from eservice_operator.notice.content import Content
from eservice_operator.notice.languages import WORDS, Words

STYLE: Final = """
:root{color-scheme:light dark;--text:#1a1c1f;--page:#fff;--link:#0a4a8f;--line:#6b7280}
@media (prefers-color-scheme:dark){:root{--text:#f1f3f5;--page:#15181c;--link:#9cc7ff;--line:#9aa3ad}}
body{margin:0;background:var(--page);color:var(--text);font:1.125rem/1.6 system-ui,sans-serif}
body{overflow-wrap:anywhere}
main{max-width:40rem;margin:0 auto;padding:clamp(1.5rem,8vh,6rem) 1.25rem}
section+section{margin-top:2.5rem;padding-top:1.5rem;border-top:1px solid var(--line)}
h1,h2{margin:0 0 1rem;font-size:1.75rem;line-height:1.25}
p{margin:0 0 1rem}
a{color:var(--link);display:inline-block;padding:.25rem 0;text-underline-offset:.2em}
a:hover{text-decoration-thickness:.15em}
a:focus-visible{outline:3px solid var(--link);outline-offset:3px;border-radius:2px}
@media print{:root{--text:#000;--page:#fff;--link:#000}a::after{content:" (" attr(href) ")"}}
"""
POLICY: Final = (
    "default-src 'none'; "
    f"style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may do: show itself in this style, and be left by its link."""
PAGE: Final = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{sections}
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be said: to whom it does not matter, in these languages, the first of them foremost."""

    content: Content
    languages: Sequence[str]
    until: datetime | None
    """When it is expected back; only an instant to come."""
    lost: bool
    """Whether something was sent, which nobody has received."""

    @property
    def words(self) -> list[Words]:
        """The words of each language."""
        return [WORDS[code] for code in self.languages]

    def name(self, words: Words) -> tuple[str, str]:
        """What the e-service is called, with the language of that; empty when it is not known."""
        titles = self.content.titles
        for code in (words.code, *titles):
            if code in titles:
                return titles[code], code
        return "", words.code

    def heading(self, words: Words) -> str:
        """As plain text."""
        name, _ = self.name(words)
        return name.join(words.named) if name else words.heading

    def sentences(self, words: Words) -> list[str]:
        """Each a paragraph, as plain text."""
        when = words.again(self.until) if self.until is not None else words.later
        return [words.sorry, when, *([words.lost] if self.lost else [])]


def html(notice: Notice) -> str:
    """A page of its own; every word from outside is escaped."""
    return PAGE.format(
        language=notice.languages[0],
        title=escape(" / ".join(map(notice.heading, notice.words))),
        style=STYLE,
        sections="\n".join(
            _section(notice, words, f"h{min(place, 2)}") for place, words in enumerate(notice.words, start=1)
        ),
    )


def problem(notice: Notice) -> str:
    """A problem document (RFC 9457) with the name, the catalogue and the day as members of their own."""
    content = notice.content
    told: dict[str, Any] = {
        "type": "about:blank",
        "title": " / ".join(words.heading for words in notice.words),
        "status": 503,
        "detail": " ".join(
            sentence
            for words in notice.words
            for sentence in (f"{notice.heading(words)}.", *notice.sentences(words))
        ),
    }
    if content.titles:
        told["eservice"] = dict(content.titles)
    if content.catalogue:
        told["catalogue"] = content.catalogue
    if notice.until is not None:
        told["until"] = notice.until.isoformat().replace("+00:00", "Z")
    return json.dumps(told, ensure_ascii=False)


def plain(notice: Notice) -> str:
    """For who reads no HTML."""
    parts = []
    for words in notice.words:
        link = [f"{words.catalogue}: {notice.content.catalogue}"] if notice.content.catalogue else []
        parts.append("\n".join([f"{notice.heading(words)}.", *notice.sentences(words), *link, ""]))
    return "\n".join(parts)


def _section(notice: Notice, words: Words, level: str) -> str:
    lines = [f"<{level}>{_heading(notice, words)}</{level}>"]
    lines += [f"<p>{escape(sentence)}</p>" for sentence in notice.sentences(words)]
    if notice.content.catalogue:
        lines.append(f'<p><a href="{escape(notice.content.catalogue)}">{escape(words.catalogue)}</a></p>')
    return "\n".join([f'<section lang="{words.code}">', *lines, "</section>"])


def _heading(notice: Notice, words: Words) -> str:
    """A name in another language says in which."""
    name, code = notice.name(words)
    if not name:
        return escape(words.heading)
    marked = escape(name) if code == words.code else f'<span lang="{code}">{escape(name)}</span>'
    return marked.join(map(escape, words.named))

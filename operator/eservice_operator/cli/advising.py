# SPDX-License-Identifier: Apache-2.0
"""What advice on an unmet gate is given on, and what it consists of."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import Any, Final

from eservice_operator.api.eservice import EService
from eservice_operator.core.access.using import UseStanding

UNKNOWN_VERSION: Final = "<version>"
DIGEST: Final = "<64 hexadecimal digits>"


@dataclass(frozen=True)
class Advice:
    """What to do: a sentence, then commands, then what to write (and where)."""

    do: str
    run: tuple[str, ...] = ()
    write: dict[str, Any] = field(default_factory=dict)
    into: str = ""
    """The object that the YAML belongs to; empty for an object of its own."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        told = {"do": self.do, "run": list(self.run), "write": self.write, "into": self.into}
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True)
class Case:
    """What advice is given on."""

    service: EService
    reason: str
    today: str
    current: str = UNKNOWN_VERSION
    """The current version of its template."""
    missing: tuple[UseStanding, ...] = ()
    """The web services that it may not call, where that was found out."""

    @property
    def namespace(self) -> str:
        """Where the e-service is."""
        return self.service.metadata.namespace

    @property
    def name(self) -> str:
        """Its name."""
        return self.service.metadata.name

    @property
    def this(self) -> str:
        """The EService as one would name it."""
        return f"EService {self.namespace}/{self.name}"

    @property
    def place(self) -> str:
        """``NAME -n NAMESPACE`` as arguments of a command."""
        return f"{shlex.quote(self.name)} -n {shlex.quote(self.namespace)}"

    @property
    def release(self) -> dict[str, Any]:
        """The release as acts name it."""
        template = self.service.spec.template
        return {
            "template": {"name": template.name, "version": template.version},
            "image": self.service.spec.release.image,
        }

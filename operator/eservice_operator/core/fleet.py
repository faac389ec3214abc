# SPDX-License-Identifier: Apache-2.0
"""The e-services of one template in Production, as far as the brake has to count them."""

from __future__ import annotations

from dataclasses import dataclass

from eservice_operator.api.decisions import UnpublishDecision


@dataclass(frozen=True, slots=True)
class PublicService:
    """An EService in Production that has a public release on the template."""

    registration: str
    version: str
    """The template version in public use."""
    published: bool
    """Whether its Published condition is True."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """All e-services of one template in Production, and all decisions ever made about them."""

    services: tuple[PublicService, ...] = ()
    decisions: tuple[UnpublishDecision, ...] = ()

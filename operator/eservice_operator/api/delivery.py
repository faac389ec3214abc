# SPDX-License-Identifier: Apache-2.0
"""What an institution delivers: the image, its source, and the documents (R4)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from eservice_operator.api.base import Model
from eservice_operator.api.fields import Image, Name, Sha256, Short, Url, list_map


class Source(Model):
    """The source from which the release was built (R4)."""

    repository: Url
    """Where the source is kept."""
    revision: Short
    """The commit, or the tag."""


class DocumentKind(StrEnum):
    """The documents of a full delivery (R4)."""

    INSTRUCTIONS = "Instructions"
    DESCRIPTION = "Description"
    TERMS = "Terms"
    REQUIREMENTS_SPECIFICATION = "RequirementsSpecification"
    DESIGN_DESCRIPTION = "DesignDescription"


class Document(Model):
    """A document of the delivery, pinned by its digest."""

    kind: DocumentKind
    """Which document it is: Instructions (for users and operators), Description (of the e-service), Terms
    (of use), RequirementsSpecification (SRS) or DesignDescription (SDD)."""
    url: Url
    """Where it is kept; never fetched by the operator."""
    sha256: Sha256
    """SHA-256 of the document, 64 hexadecimal digits in lower case."""


Documents = Annotated[tuple[Document, ...], Field(max_length=5, json_schema_extra=list_map("kind"))]


class DeliveredWebService(Model):
    """A web service made within the e-service; its documents belong to the delivery (R4)."""

    name: Name
    """Name of the web service."""
    documents: Documents = ()
    """Its RequirementsSpecification and DesignDescription."""


class Release(Model):
    """What is delivered: with the template version it is the release that acts and verifications name."""

    image: Image
    """The container image; in Production by digest: repository@sha256:…"""
    source: Source | None = None
    """The source it was built from."""
    documents: Documents = ()
    """The documents of the delivery; Production needs one of each kind."""
    web_services: Annotated[
        tuple[DeliveredWebService, ...], Field(max_length=32, json_schema_extra=list_map("name"))
    ] = ()
    """Web services made within the e-service; each comes with its own documents."""

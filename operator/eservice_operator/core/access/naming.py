# SPDX-License-Identifier: Apache-2.0
"""What the objects of access are called, each by what it is for alone."""

from __future__ import annotations

from eservice_operator.api import names
from eservice_operator.api.uses import Use, WebServiceRef
from eservice_operator.core.releases import short_hash

USE_HASH = 6


def grant_child(grant: str) -> str:
    """Name of everything that a grant has in the holder's namespace; no e-service has a dot in its name."""
    return f"grant.{grant}"


def wall_of(web_service: str) -> str:
    """Name of the NetworkPolicy that closes a WebService's Pods."""
    return f"webservice.{web_service}"


def binding_of(service: str, use: Use) -> str:
    """Name of the ConfigMap with a binding, and of the Secret beside it: two releases may differ in a use.

    The hash tells apart what the rest does not: use ``b-c`` of e-service ``a``, and use ``c`` of ``a-b``.
    """
    place = use.web_service
    what = [service, use.name, place.namespace, place.name, use.contract_version, use.agent]
    what += [use.as_agent] if use.as_agent else []
    return f"{service}-{use.name}-{short_hash(what, USE_HASH)}"


def access_policy(service: str) -> str:
    """Name of the NetworkPolicy of an e-service with what grants open for it."""
    return f"access.{service}"


def named(use: Use) -> str:
    """A use as people read it: the web service, the contract version, and through whom or as whose agent."""
    version = f" {use.contract_version}" if use.contract_version else ""
    through = f" through {use.agent}" if use.agent else ""
    role = f" as the agent of {use.as_agent}" if use.as_agent else ""
    return f"{use.web_service.namespace}/{use.web_service.name}{version}{through}{role}"


def audience_of(web_service: WebServiceRef) -> str:
    """The audience of the tokens with which a web service is called."""
    return audience_at(web_service.namespace, web_service.name)


def audience_at(namespace: str, name: str) -> str:
    """The same by where the web service is, whether there is one or not."""
    return f"webservice.{names.GROUP}/{namespace}/{name}"


def audience_for(use: Use) -> str:
    """The audience of the token of a use: an agent never gets one that the web service itself would take."""
    if use.agent is None:
        return audience_of(use.web_service)
    return f"agent.{names.GROUP}/{use.web_service.namespace}/{use.agent}"

# SPDX-License-Identifier: Apache-2.0
"""The options about public routes: gateways, the notice page, and the look from outside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import click

from eservice_operator.core.policy import PublishBy
from eservice_operator.runtime import route_settings, settings
from eservice_operator.runtime.options import DEFAULTS, duration, option
from eservice_operator.runtime.settings import Settings
from eservice_operator.serving.options import Parsed

ROUTE_OPTIONS = (
    option(
        "publish-by",
        click.Choice([kind.value for kind in PublishBy]),
        "By what the public is served: gateway, an HTTPRoute; ingress, for clusters without the Gateway API.",
    ),
    option(
        "ingress-class",
        Parsed("NAME", route_settings.parse_class),
        "The IngressClass of the public routes, with --publish-by ingress.",
    ),
    option(
        "ingress-annotations",
        Parsed("NAME[,…]", route_settings.parse_annotations),
        "Annotations that others may write on them; a * at the end stands for any. Every other is taken off.",
        "",
    ),
    option(
        "gateway",
        Parsed("NAMESPACE/NAME[/SECTION]", settings.parse_gateway),
        "The Gateway that public routes attach to.",
        str(DEFAULTS.gateway),
    ),
    option(
        "routes-namespace",
        Parsed("NAMESPACE", settings.parse_namespace),
        "The Agency's namespace in which the public routes live.",
    ),
    option(
        "allowed-gateways",
        Parsed("NAMESPACE/NAME[/SECTION][,…]", route_settings.parse_gateways),
        "Other Gateways that an EService may choose (spec.publication.gateway).",
        "",
    ),
    option(
        "traffic-from",
        Parsed("NAMESPACE[,…]", settings.parse_namespaces),
        "Where the gateway's Pods run, if elsewhere than the Gateway object: their requests are let in.",
        "",
    ),
    option(
        "preview-gateway",
        Parsed("NAMESPACE/NAME[/SECTION]", settings.parse_gateway),
        "An internal Gateway on which candidates can be looked at before the public sees them.",
    ),
    option(
        "preview-domain",
        Parsed("DOMAIN", route_settings.parse_domain),
        "Their hosts are NAME--NAMESPACE.DOMAIN.",
    ),
    option(
        "preview-header",
        Parsed("NAME=VALUE", route_settings.parse_header),
        "A header that a request to a candidate needs as well.",
    ),
    option(
        "notice-service",
        Parsed("NAME[:PORT]", route_settings.parse_notice),
        "The Service, in the routes namespace, of the page shown while an e-service is off; without it its"
        " route is deleted.",
    ),
    option(
        "route-mark",
        click.Choice(["on", "off"]),
        "While the probe is on, mark answers with the header EService-Route; off for gateways that cannot.",
    ),
    option(
        "probe",
        click.Choice(["off", "https", "http"]),
        "Ask the public hosts from outside, and let what is seen count. Needs a way out to them.",
    ),
    option(
        "probe-address",
        Parsed("HOST:PORT", route_settings.parse_probe_address),
        "Where to connect in the place of what DNS says, such as the gateway's own address.",
    ),
    option(
        "probe-allow",
        Parsed("CIDR[,…]", route_settings.parse_networks),
        "Private networks that the probe may connect to; without it none.",
        "",
    ),
    option(
        "probe-interval",
        Parsed("DURATION", duration(timedelta(seconds=10), timedelta(hours=24))),
        "How often a host is asked again once all agrees.",
        settings.format_duration(DEFAULTS.probe_interval),
    ),
)


def contradictions(given: Settings) -> Iterator[str]:
    """What does not go together, one sentence each."""
    if given.gateway in given.allowed_gateways:
        yield f"--allowed-gateways names {given.gateway}, which is the public one already; leave it out"
    yield from _about_previews(given)
    yield from _about_ingresses(given)
    if given.probe == "off" and (given.probe_address is not None or given.probe_allow):
        yield "--probe-address and --probe-allow need --probe https or --probe http"


def _about_previews(given: Settings) -> Iterator[str]:
    """Candidates never come onto a Gateway of the public, by whatever listener."""
    preview = given.preview_gateway
    if preview is None:
        if given.preview_domain is not None or given.preview_header is not None:
            yield "--preview-domain and --preview-header need --preview-gateway"
        return
    if given.preview_domain is None:
        yield "--preview-gateway needs --preview-domain, under which the hosts of candidates are"
    public = {(one.namespace, one.name) for one in (given.gateway, *given.allowed_gateways)}
    if (preview.namespace, preview.name) in public:
        yield (
            f"--preview-gateway names {preview.namespace}/{preview.name}, on which the public is served; take"
            " another Gateway, not another listener of this one"
        )


def _about_ingresses(given: Settings) -> Iterator[str]:
    """What only one kind of public route has, or cannot do without."""
    if given.publish_by == PublishBy.GATEWAY:
        if given.ingress_class is not None:
            yield "--ingress-class needs --publish-by ingress"
        if given.ingress_annotations:
            yield "--ingress-annotations needs --publish-by ingress"
        return
    if given.ingress_class is None:
        yield "--publish-by ingress needs --ingress-class, or several controllers may serve the same Ingress"
    if not given.traffic_from:
        yield (
            "--publish-by ingress needs --traffic-from, the namespace of the Ingress controller's Pods: an"
            " Ingress does not say where they run, and NetworkPolicies let in nothing else"
        )
    if given.notice_service is not None:
        yield "--notice-service does not go with --publish-by ingress: an Ingress reaches no other namespace"
    if given.allowed_gateways:
        yield "--allowed-gateways does not go with --publish-by ingress: an Ingress has no Gateway"

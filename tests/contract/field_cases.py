# SPDX-License-Identifier: Apache-2.0
"""For every rule of a single field: values that it refuses, with its message, and values that pass."""

from __future__ import annotations

from tests.contract.manifests import IMAGE
from tests.contract.rule_cases import Rule

LINE = "write a single line without control characters"

INSIDE = (
    *("localhost", "api.localhost", "api", "kubernetes", "metadata"),
    *("127.1", "2130706433", "0x7f000001", "0x7f.1", "127.0.0.0x1", "0177.0.0.1", "127.0.0.01", "1.2.3.256"),
    *("1.2.3.4.5", "kubernetes.default.svc", "register.ur-production.svc.cluster.local"),
    *("register.ur-production.svc.k8s.example", "metadata.google.internal", "printer.local"),
)
"""Hosts that lead to the Pod itself, to its node or into the cluster, in ways that clients read them."""

FIELDS = (
    Rule(
        "write a contract version of a-z, 0-9, - and ., such as v5",
        "WebService",
        "spec.contracts",
        ([{"version": "V5"}], [{"version": "-"}], [{"version": "*"}], [{"version": "v5/"}]),
        ([{"version": "v5"}, {"version": "5.1-rc.2", "endOfLife": "2027-06-30"}],),
    ),
    Rule(
        "write a name of at most 48 of a-z, 0-9 and -, with a letter or a digit at both ends",
        "EService",
        "spec.uses",
        tuple(
            [{"name": name, "webService": {"namespace": "pmlp-test", "name": "population-register"}}]
            for name in ("Persons", "persons.v5", "../persons", "-persons")
        ),
        (
            [{"name": "1-a", "webService": {"namespace": "pmlp-test", "name": "population-register"}}],
            [{"name": "a" * 48, "webService": {"namespace": "pmlp-test", "name": "population-register"}}],
        ),
    ),
    Rule(
        "write a path that begins with /, such as /services/persons",
        "WebService",
        "spec.backend.path",
        ("persons", "/per sons", "/\u0101", "/a\n"),
        ("/", "/services/persons", "/persons?wsdl"),
    ),
    Rule(
        "write an address such as https://api.vzd.example/v2, with an IPv4 address or a full host name in"
        " lower case that is none of the Pod or the cluster (.localhost, .local, .internal, .svc), and"
        " without a user",
        "WebService",
        "spec.backend",
        tuple(
            {"url": url}
            for url in (
                "api.vzd.example",
                "ftp://api.vzd.example",
                "https://",
                "https:///v2",
                "https://user:password@api.vzd.example/v2",
                "https://api.vzd.example:99999/",
                "https://api.vzd.example:0",
                "https://API.vzd.example/",
                "https://[2001:db8::1]/",
                "https://api.vzd.example/a b",
                "https://api.vzd.example#v2",
                *(f"http://{host}:15000/quitquitquit" for host in INSIDE),
                *(f"https://{host}" for host in INSIDE),
            )
        ),
        (
            {"url": "https://api.vzd.example/v2?wsdl"},
            {"url": "http://198.51.100.7:65535"},
            {"url": "https://svc.vzd.example", "networks": ["2001:db8::/32"]},
            {"url": "https://internal.local-api.vzd.xn--9caa/"},
            {"url": "https://10.vzd.example:8443/", "networks": ["198.51.100.0/28", "10.0.0.0/8"]},
        ),
    ),
    Rule(
        "write a network such as 198.51.100.0/28 or 2001:db8::/32: /8 at the widest (IPv6: /16), with no bits"
        " beyond its prefix, without unspecified, loopback, link-local, multicast and reserved addresses",
        "WebService",
        "spec.backend",
        tuple(
            {"url": "https://api.vzd.example", "networks": [network]}
            for network in (
                "0.0.0.0/0",
                "128.0.0.0/1",
                "10.0.0.0/7",
                "::/0",
                "2000::/3",
                "127.0.0.0/8",
                "127.0.0.1/32",
                "169.254.169.254/32",
                "169.0.0.0/8",
                "0.0.0.0/32",
                "224.0.0.0/8",
                "255.255.255.255/32",
                "::/128",
                "::1/128",
                "::ffff:10.96.0.1/128",
                "ff02::/16",
                "::/16",
                "fe80::/64",
                "fe80::/16",
                "198.51.100.1/28",
                "198.51.100.1",
                "198.51.100.0/33",
            )
        ),
        (
            {
                "url": "https://api.vzd.example",
                "networks": ["198.51.100.7/32", "11.0.0.0/8", "2001::/16", "2001:db8::1/128"],
            },
        ),
    ),
    Rule("write 16 hexadecimal digits", "UnpublishDecision", "spec.inputsHash", ("0123456789ABCDEF",), ()),
    Rule(
        "write 64 hexadecimal digits in lower case",
        "AcceptanceAct",
        "spec.report.sha256",
        ("F" * 64, "sha256:" + "f" * 57),
        ("0123456789abcdef" * 4,),
    ),
    Rule(
        "write EP- and six digits, such as EP-000042",
        "EServiceRegistration",
        "spec.identifier",
        ("EP-7", "ep-000007", "EP-00000A"),
        ("EP-000001", "EP-999999"),
    ),
    Rule(
        "write a SemVer 2.0 version without build metadata, such as 3.0.0 or 3.1.0-rc.1",
        "EService",
        "spec.template.version",
        ("3.0.0+build.7", "v3.0.0", "3.0.0.0", "03.0.0", "3.1.0-rc.01", "latest"),
        ("0.0.1", "10.20.30", "3.1.0-rc.1", "1.0.0-0.3.7", "1.0.0--", "1.0.0-0a"),
    ),
    Rule(
        "write a duration of whole years, months, weeks and days, such as P18M or P7D",
        "EServiceTemplate",
        "spec.lifecycle.maximumLag",
        ("18M", "P1.5Y", "PT36H", "P7D1M", "P1000D", "p18m", "P-1M"),
        ("P18M", "P1Y6M", "P2W", "P0D", "P1Y2M3W4D"),
    ),
    Rule(
        "write a host name in lower case without scheme, port or wildcard, such as address.latvija.example",
        "EService",
        "spec.publication.hosts",
        (
            ["https://a.example"],
            ["A.example"],
            ["a.example:443"],
            ["*.example"],
            ["localhost"],
            ["-a.example"],
        ),
        (["a.example", "xn--bta.example", "1.a.example"],),
    ),
    Rule(
        "write a host name in lower case, or *. and a domain, such as *.test.latvija.example",
        "EServiceRegistration",
        "spec.hosts",
        ([{"environment": "Test", "host": "a.*.example"}], [{"environment": "Test", "host": "*example"}]),
        ([{"environment": "Test", "host": "*.example.org"}, {"environment": "Test", "host": "a.example"}],),
    ),
    Rule(
        "write a key of letters, digits, -, _ and .",
        "EService",
        "spec.workload.env",
        ([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "x", "key": "a/b"}}}],),
        ([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "x", "key": "a.B_c-1"}}}],),
    ),
    Rule(
        "write a label value of letters, digits, -, _ and ., with a letter or a digit at both ends",
        "EService",
        "spec.workload.scheduling.nodeSelector",
        ({"zone": "-a"}, {"zone": "a b"}),
        ({"topology.kubernetes.io/zone": "Riga_1.a", "empty": ""},),
    ),
    Rule(
        "write a name of a-z, 0-9 and -, with a letter or a digit at both ends",
        "EServiceRegistration",
        "spec.namespaces",
        tuple(
            [{"environment": "Test", "name": name}] for name in ("Pmlp", "pmlp_test", "-pmlp", "pmlp-", "a.b")
        ),
        ([{"environment": "Test", "name": "a"}], [{"environment": "Test", "name": "1-a"}]),
    ),
    Rule(
        "write a name of a-z, 0-9, - and ., with a letter or a digit at both ends",
        "EService",
        "spec.registration",
        ("Address", "address_declaration", ".address", "address-"),
        ("a", "address.declaration-2"),
    ),
    Rule(
        "write a name of letters, digits, _, . and -, without a digit first",
        "EService",
        "spec.workload.env",
        ([{"name": "1A", "value": ""}], [{"name": "A B", "value": ""}], [{"name": "-A", "value": ""}]),
        ([{"name": "_a.b-C", "value": ""}],),
    ),
    Rule(
        "write a network such as 192.0.2.0/24 or 2001:db8::/32, with no bits beyond its prefix",
        "EService",
        "spec.workload.egress",
        (
            [{"cidr": "192.0.2.1"}],
            [{"cidr": "192.0.2.0/33"}],
            [{"cidr": "300.0.0.0/8"}],
            [{"cidr": "a.example/8"}],
            [{"cidr": "192.0.2.1/24"}],
            [{"cidr": "2001:db8::1/32"}],
        ),
        ([{"cidr": "192.0.2.0/24", "ports": [{"port": 53, "protocol": "UDP"}]}, {"cidr": "2001:db8::/32"}],),
    ),
    Rule(
        "write a path such as / or /declare, without //, . and .. as parts of it",
        "EService",
        "spec.publication.path",
        ("declare", "//", "/a//b", "/a/../b", "/..", "/.", "/./a", "/a b", "/a?b", "/ā"),
        ("/", "/declare", "/a/b/", "/.well-known/a.b", "/~user/x-y_z"),
    ),
    Rule(
        "write a path that begins with /, such as /ready",
        "EService",
        "spec.workload.probes.readiness.httpGet",
        ({"path": "ready"}, {"path": "/re ady"}, {"path": "/re\u00a0ady"}),
        ({"path": "/ready?full=1", "port": 9090},),
    ),
    Rule(
        LINE,
        "AcceptanceAct",
        "spec.signatories[0].name",
        ("A\nB", "A\r\nBcc: x", "A\u0000", "A\u2028B", "A\u0085B", "\u001b[31m"),
        ("Anna Bērziņa", "Δ 漢字 🙂", 'O\'Neil "quoted" \\ %s {x}'),
    ),
    Rule(
        "write a telephone number with digits, spaces and +()- only",
        "EService",
        "spec.publication.support.phone",
        ("call us", "+371.67"),
        ("+371 6700 0100", "(371) 67-00"),
    ),
    Rule(
        "write a year from 1990 to 2199",
        "AcceptanceAct",
        "spec.demonstratedAt",
        ("1989-12-31", "2200-01-01", "0001-01-01", "9999-12-31"),
        ("1990-01-01", "2199-12-31", "2028-02-29"),
    ),
    Rule(
        "write an absolute path without a colon, such as /var/cache/app",
        "EService",
        "spec.workload.volumes",
        tuple([{"name": "a", "mountPath": path, "emptyDir": {}}] for path in ("data", "/a:b")),
        ([{"name": "a", "mountPath": "/Data dir/ā", "emptyDir": {}}],),
    ),
    Rule(
        "write an address that begins with https:// or http://",
        "AcceptanceAct",
        "spec.document.url",
        (
            "documents.example/1",
            "ftp://documents.example",
            "https://a b",
            "https://a\u00a0b",
            "javascript:alert(1)",
        ),
        ("https://documents.example/1?a=b#c", "http://documents.example"),
    ),
    Rule(
        "write an amount such as 500m, 2, 512Mi or 1.5Gi, with three decimals at most",
        "EService",
        "spec.workload.resources.limits",
        (
            {"cpu": -1},
            {"cpu": "-1"},
            {"memory": "1 Gi"},
            {"memory": "1GB"},
            {"memory": "lots"},
            {"cpu": "1e3"},
            {"cpu": "0.0001"},
            {"cpu": "0.5m"},
        ),
        (
            {"cpu": 2, "memory": "1.5Gi", "ephemeral-storage": "100M"},
            {"cpu": "500m"},
            {"cpu": 0},
            {"cpu": "0.125"},
        ),
    ),
    Rule(
        "write an e-mail address, such as help@pmlp.example",
        "EService",
        "spec.publication.support.email",
        ("help", "help@", "a@b, c@d", "Help <help@pmlp.example>", "a@b\nBcc: x", "a@b\u3000c"),
        ("help@pmlp.example", "palīdzība+1@pmlp.example"),
    ),
    Rule(
        "write an image reference without spaces",
        "UnpublishDecision",
        "spec.release.image",
        ("registry.example/a b", "registry.example/a\u2003b", "registry.example/a\n"),
        (IMAGE, "registry.example/a:1"),
    ),
    Rule(
        "name the image by digest: write <repository>@sha256:<64 hexadecimal digits>",
        "AcceptanceAct",
        "spec.image",
        (
            "registry.example/a:1",
            "@sha256:" + "a" * 64,
            "a@sha512:" + "a" * 64,
            IMAGE[:-1],
            "a\u00a0" + IMAGE,
        ),
        (IMAGE,),
    ),
    Rule(
        "write the code with letters, digits, -, _ and . only, such as 90000054163",
        "EServiceRegistration",
        "spec.institution.code",
        ("90 000", "-9", "9/1"),
        ("90000054163", "LV_90000054163", "A"),
    ),
)

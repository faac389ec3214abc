# SPDX-License-Identifier: Apache-2.0
"""The command line: up, down, status, build, kubeconfig."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import get_args

from localcluster import build, cluster, contour, process
from localcluster.cluster import Cluster
from localcluster.errors import ClusterError
from localcluster.existing import use_existing
from localcluster.gateways import PublicGateway
from localcluster.layout import Layout, State
from localcluster.startup import PROJECT_CRDS, Options

DEFAULT_FOLDER = Path(".cluster")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    arguments = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    command: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return command(arguments)
    except ClusterError as error:
        print(f"controlplane: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("controlplane: interrupted; what was started has been stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # as in: status | head -1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="controlplane.py", description="A real Kubernetes control plane on this machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    up = command("up", _up, "Start an empty cluster; the one that runs in the same folder is stopped first.")
    up.add_argument("--port", type=int, help="the API server's port (default: a free one)")
    up.add_argument("--audit", action=argparse.BooleanOptionalAction, default=True, help="write audit.log")
    up.add_argument("--gateway", action=argparse.BooleanOptionalAction, default=True, help="run Traefik")
    up.add_argument(
        "--kwok", action=argparse.BooleanOptionalAction, default=True, help="fake nodes that run pods"
    )
    up.add_argument("--crds", type=Path, default=PROJECT_CRDS, help="folder of CRDs to apply (default: crds)")
    up.add_argument("--bin-dir", type=Path, help="folder of kubectl and traefik")
    up.add_argument("--kubeconfig", type=Path, help="start nothing: prepare the cluster that this file names")
    down = command("down", _down, "Stop the cluster and remove its data; the logs stay.")
    status = command("status", _status, "What runs, where, and how much memory it takes.")
    binaries = command("build", _build, "Build the binaries into the user's cache, if they are not there.")
    for added in (up, binaries):
        added.add_argument(
            "--public-gateway",
            choices=get_args(PublicGateway),
            default="traefik",
            help="what serves the Gateway public (default: traefik)",
        )
    kubeconfig = command("kubeconfig", _kubeconfig, "Write a kubeconfig for any user of the cluster.")
    kubeconfig.add_argument("--user", required=True)
    kubeconfig.add_argument("--group", action="append", default=[], help="may be given several times")
    kubeconfig.add_argument("--out", type=Path, required=True)
    for added in (up, down, status, kubeconfig):
        added.add_argument(
            "--dir", type=Path, default=DEFAULT_FOLDER, help="the cluster's folder (default: .cluster)"
        )
    return parser


def _up(arguments: argparse.Namespace) -> int:
    if arguments.kubeconfig is not None:
        up = use_existing(arguments.dir, arguments.kubeconfig, arguments.crds, arguments.bin_dir, print)
    else:
        _explain_kubeconfig_variable(arguments.dir)
        options = Options(
            port=arguments.port,
            audit=arguments.audit,
            gateway=arguments.gateway,
            public_gateway=arguments.public_gateway,
            kwok=arguments.kwok,
            crds=arguments.crds,
            bin_dir=arguments.bin_dir,
        )
        up = Cluster.up(arguments.dir, options, print)
    print(f"Kubernetes {up.version} at {up.server}")
    print(f"  export KUBECONFIG={_shown(up.kubeconfig)}")
    for name, url in up.gateways.items():
        print(f"  gateway {name}: {url}")
    return 0


def _shown(path: Path) -> Path:
    """The path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _explain_kubeconfig_variable(folder: Path) -> None:
    # What happens to be in the environment may be somebody's production cluster: nothing goes there unasked.
    named = os.environ.get("KUBECONFIG")
    if named and Path(named).resolve() != Layout.of(folder).kubeconfig:
        print(f"KUBECONFIG={named} is not used; to prepare that cluster instead: --kubeconfig {named}")


def _down(arguments: argparse.Namespace) -> int:
    stopped = cluster.down(arguments.dir)
    print(f"stopped: {', '.join(stopped)}" if stopped else f"nothing ran in {arguments.dir}")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    layout = Layout.of(arguments.dir)
    state = State.load(layout)
    if state is None:
        print(f"no cluster was started in {arguments.dir}")
        return 1
    print(f"Kubernetes {state.version} at {state.server}")
    for name, url in state.gateways.items():
        print(f"gateway {name} at {url}")
    total = 0
    for one in state.processes:
        memory = process.memory_bytes(one)
        total += memory
        running = f"process {one.pid}" if one.alive() else "NOT RUNNING"
        print(f"  {one.name:<24} {running:<16} {memory / 2**20:6.0f} MiB")
    print(f"  {'together':<41} {total / 2**20:6.0f} MiB")
    return 0 if all(one.alive() for one in state.processes) else 1


def _build(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    folders = [build.build(print)]
    if arguments.public_gateway == "contour":
        folders.append(contour.build(print))
    for folder in folders:
        print(f"binaries: {folder / 'bin'}")
    print(f"({time.monotonic() - started:.1f} s)")
    return 0


def _kubeconfig(arguments: argparse.Namespace) -> int:
    target = Cluster.attach(arguments.dir).user_kubeconfig(arguments.user, arguments.group, arguments.out)
    print(f"{target}: {arguments.user}{''.join(f', group {group}' for group in arguments.group)}")
    return 0

# SPDX-License-Identifier: Apache-2.0
"""Building the control plane's binaries from Go modules into the user's cache.

The cache folder has `bin/`, in the layout of `KUBEBUILDER_ASSETS` (etcd, kube-apiserver, …), and `share/`,
with files that come from the same modules: kwok's stages and the CRDs of the Gateway API.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from localcluster.errors import ClusterError
from localcluster.layout import CONTROLPLANE

Say = Callable[[str], None]

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
PACKAGES = (".", "sigs.k8s.io/kwok/cmd/kwok")
_FLAGS = ("-trimpath", "-buildvcs=false", "-mod=readonly")
_PROGRESS_SECONDS = 15.0

# Files of the modules that are kept beside the binaries: module, pattern in it, folder under share/.
_SHARED = (
    ("sigs.k8s.io/kwok", "kustomize/stage/pod/fast/*.yaml", "kwok"),
    ("sigs.k8s.io/kwok", "kustomize/stage/node/fast/*.yaml", "kwok"),
    ("sigs.k8s.io/kwok", "kustomize/stage/node/heartbeat-with-lease/*.yaml", "kwok"),
    ("sigs.k8s.io/gateway-api", "config/crd/standard/*.yaml", "gateway-api"),
)
_MODULES = ("k8s.io/kubernetes", *dict.fromkeys(module for module, _, _ in _SHARED))
# A line of `go build -v` that names the package being compiled.
_PACKAGE = re.compile(r"[^\s:]+")

ALTERNATIVES = """\
Without Go there are two other ways:
  - a cluster that exists:
      .venv/bin/python tools/controlplane/controlplane.py up --kubeconfig "$KUBECONFIG"
  - binaries that you have, in a folder with etcd and kube-apiserver; with kube-controller-manager,
    kube-scheduler and kwok in it too, pods run:
      KUBEBUILDER_ASSETS=/that/folder make cluster-up"""


def cache_folder() -> Path:
    """Where the binaries for this very source are, or will be.

    Go's own version is no part of the name: who has the binaries does not need Go any more.
    """
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update((CONTROLPLANE / name).read_bytes())
    digest.update(
        repr((COMPONENTS, PACKAGES, _FLAGS, _SHARED, platform.system(), platform.machine())).encode()
    )
    return _cache_root() / digest.hexdigest()[:16]


def cached() -> Path | None:
    """The cache folder if it is complete; it is moved into place whole, so being there is being complete."""
    folder = cache_folder()
    return folder if folder.is_dir() else None


def build(say: Say) -> Path:
    """Build what is missing and give back the cache folder."""
    if (folder := cached()) is not None:
        return folder
    go = _go()
    folder = cache_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder.parent, say):
        if cached() is None:
            for leftover in folder.parent.glob("building-*"):
                shutil.rmtree(leftover)
            draft = Path(tempfile.mkdtemp(prefix="building-", dir=folder.parent))
            draft.chmod(0o755)
            _build_into(draft, go, say)
            for log in (draft / "stdout", draft / "stderr"):
                log.unlink()
            draft.rename(folder)
    return folder


def _build_into(draft: Path, go: str, say: Say) -> None:
    started = time.monotonic()
    say("building the control plane from Go modules: minutes, once for each version of them.")
    say("It can be interrupted; the next build goes on where this one was")
    modules = _modules(_go_run(go, ["mod", "download", "-json", *_MODULES], _downloaded, draft, say))
    stale = ["list", *_FLAGS, "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", *PACKAGES]
    total = len(_go_run(go, stale, _downloaded, draft, say).split())
    version = f"-X k8s.io/component-base/version.gitVersion={modules['k8s.io/kubernetes'][0]}"
    target = draft / "bin"
    target.mkdir()
    compile_all = ["build", "-v", *_FLAGS, "-ldflags", f"-s -w {version}", "-o", f"{target}/", *PACKAGES]
    _go_run(go, compile_all, lambda lines: f"{_compiled(lines)} of {total} packages compiled", draft, say)
    for component in COMPONENTS:
        (target / component).symlink_to("controlplane")
    for module, pattern, name in _SHARED:
        _copy(Path(modules[module][1]).glob(pattern), draft / "share" / name)
    say(f"built in {time.monotonic() - started:.0f} s")


def _copy(sources: Iterable[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        if source.name != "kustomization.yaml":
            shutil.copyfile(source, folder / source.name)


def _go_run(
    go: str, arguments: list[str], progress: Callable[[list[str]], str], draft: Path, say: Say
) -> str:
    """Run a go command, saying every few seconds how far its stderr shows it to be; its output."""
    started = time.monotonic()
    with (draft / "stdout").open("w+") as stdout, (draft / "stderr").open("w+") as stderr:
        command = subprocess.Popen(
            [go, *arguments], cwd=CONTROLPLANE, env=_environment(), stdout=stdout, stderr=stderr
        )
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    status = command.wait(_PROGRESS_SECONDS)
                    break
                lines = (draft / "stderr").read_text().splitlines()
                say(f"{time.monotonic() - started:5.0f} s  {progress(lines)}")
        except BaseException:
            command.terminate()
            command.wait()
            raise
        said, complaints = (draft / "stdout").read_text(), (draft / "stderr").read_text().splitlines()
    if status != 0:
        problem = "\n".join(line for line in complaints if not _PACKAGE.fullmatch(line))
        raise ClusterError(f"go {arguments[0]} failed with status {status}:\n{problem[-4000:]}")
    return said


def _downloaded(lines: list[str]) -> str:
    return f"{sum(1 for line in lines if line.startswith('go: downloading'))} modules downloaded"


def _compiled(lines: list[str]) -> int:
    return sum(1 for line in lines if _PACKAGE.fullmatch(line))


def _modules(text: str) -> dict[str, tuple[str, str]]:
    """Version and folder of each module, from the JSON objects that `go mod download` prints."""
    decoder = json.JSONDecoder()
    found: dict[str, tuple[str, str]] = {}
    while text := text.lstrip():
        module, end = decoder.raw_decode(text)
        text = text[end:]
        found[module["Path"]] = (module["Version"], module["Dir"])
    return found


def _go() -> str:
    """The go command, new enough for go.mod."""
    needed = _version(re.search(r"^go (\d+)\.(\d+)", (CONTROLPLANE / "go.mod").read_text(), re.MULTILINE))
    wanted = f"Go {needed[0]}.{needed[1]} or newer is needed to build the local control plane"
    go = shutil.which("go")
    if go is None:
        raise ClusterError(f"{wanted}, and there is no go command.\n{ALTERNATIVES}")
    asked = [go, "env", "GOVERSION"]
    # Outside of the module: within it, a go that is too old says so instead of answering.
    told = subprocess.run(asked, cwd="/", env=_environment(), capture_output=True, text=True, check=False)
    if _version(re.match(r"go(\d+)\.(\d+)", told.stdout)) < needed:
        raise ClusterError(f"{wanted}, and {go} is {told.stdout.strip() or 'broken'}.\n{ALTERNATIVES}")
    return go


def _version(found: re.Match[str] | None) -> tuple[int, int]:
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _environment() -> dict[str, str]:
    # Without cgo no C compiler or headers are needed, and the binaries run on any Linux.
    return {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"}


def _cache_root() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "eservice-operator" / "controlplane"


@contextlib.contextmanager
def _lock(folder: Path, say: Say) -> Iterator[None]:
    """Two builds at once would only halve each other's speed: the second waits for the first."""
    with (folder / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build is under way; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield

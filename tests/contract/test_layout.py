# SPDX-License-Identifier: Apache-2.0
"""The promises of the checkout itself: its folders, its lock files, what no file may hold."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from eservice_operator import __version__

ROOT = Path(__file__).parents[2]
RUNTIME_LOCK = ROOT / "requirements.txt"
DEV_LOCK = ROOT / "requirements-dev.txt"
BUILD_LOCK = ROOT / "requirements-build.txt"
LOCKS = [RUNTIME_LOCK, DEV_LOCK, BUILD_LOCK]
INDEX = re.compile(
    r"--(?:extra-)?index-url[ =]|--find-links[ =]|--trusted-host[ =]"  # options of pip and uv
    r"|\bindex[-_]url\s*=|\bGOPROXY\s*=\s*\w|\bregistry\s*=\s*\w*:?//"  # settings of pip, Go and npm
    r"|https?://[^\s\"'`)]*/simple(?:/|\b)",  # the address itself
    re.IGNORECASE,
)


def pyproject() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def locked(path: Path) -> dict[str, tuple[str, list[str]]]:
    """Name of each locked distribution -> its version and hashes."""
    entries: dict[str, tuple[str, list[str]]] = {}
    for entry in re.split(r"\n(?=\S)", path.read_text().strip()):
        head, *rest = entry.split(" \\\n")
        name, version = head.split(";")[0].strip().split("==")
        entries[canonicalize_name(name)] = (version, [line.strip() for line in rest])
    return entries


def declared(groups: dict[str, list[object]], name: str) -> Iterator[Requirement]:
    for item in groups[name]:
        if isinstance(item, dict):
            yield from declared(groups, item["include-group"])
        else:
            yield Requirement(str(item))


def requirements(path: Path) -> Iterator[Requirement]:
    """What pyproject.toml asks of one lock file."""
    document: dict[str, object] = pyproject()
    project, groups, build = document["project"], document["dependency-groups"], document["build-system"]
    assert isinstance(project, dict)
    assert isinstance(groups, dict)
    assert isinstance(build, dict)
    if path != BUILD_LOCK:
        yield from (Requirement(item) for item in project["dependencies"])
    if path != RUNTIME_LOCK:
        yield from (Requirement(item) for item in build["requires"])
        yield from declared(groups, "build" if path == BUILD_LOCK else "dev")


def committed() -> Iterator[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    yield from (path for name in names.split("\0") if name and (path := ROOT / name).is_file())


def test_the_source_root_is_not_a_package() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists(), (
        "operator/ is a source root: it must not be a package"
    )


def test_import_operator_is_the_standard_library_from_the_root() -> None:
    code = "import operator, sys; sys.exit(operator.add(1, 1) != 2)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_python_m_pytest_runs_from_the_root() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/contract/test_layout.py"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_version_has_one_place() -> None:
    project = pyproject()["project"]
    assert isinstance(project, dict)
    assert "version" in project["dynamic"]
    assert re.fullmatch(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?", __version__)


def test_documents_name_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documents = [path for path in committed() if path.suffix == ".md"]
    named = {
        (target, str(path.relative_to(ROOT)))
        for path in documents
        for command in re.findall(r"(?:`|^|: )make ([a-z][a-z -]*)", path.read_text(), re.MULTILINE)
        for target in command.split("  ")[0].split()
    }
    assert {"test", "demo"} <= {target for target, _ in named}
    assert not [(target, document) for target, document in sorted(named) if target not in targets]


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_locked_distribution_has_its_hashes(path: Path) -> None:
    entries = locked(path)
    assert entries
    for name, (_, hashes) in entries.items():
        assert hashes, f"{name} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in hashes), name


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_the_lock_answers_what_the_project_declares(path: Path) -> None:
    entries = locked(path)
    for requirement in requirements(path):
        version, _ = entries.get(canonicalize_name(requirement.name), ("", []))
        assert version, f"{requirement} is not in {path.name}; run: make lock"
        assert version in requirement.specifier, (
            f"{path.name} has {version} for {requirement}; run: make lock"
        )


@pytest.mark.parametrize("path", [RUNTIME_LOCK, BUILD_LOCK], ids=lambda path: path.name)
def test_tests_run_on_the_versions_that_ship(path: Path) -> None:
    development = locked(DEV_LOCK)
    for name, entry in locked(path).items():
        assert development[name] == entry, (
            f"{name} differs between {path.name} and {DEV_LOCK.name}; run: make lock"
        )


def test_no_file_names_a_package_index() -> None:
    found = []
    for path in committed():
        text = path.read_bytes().decode(errors="replace")
        found += [f"{path.relative_to(ROOT)}: {match.group(0)}" for match in INDEX.finditer(text)]
    assert not found, "an address or option of a package index belongs to the machine: " + "; ".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "--" + "index-url https://packages.example/",
        "pip install --extra-index" + "-url=https://packages.example/",
        "index" + "-url = https://packages.example/",
        "https://packages.example/root/" + "simple/",
        "GOPROXY" + "=https://modules.example",
    ],
)
def test_the_search_for_a_package_index_finds_one(line: str) -> None:
    assert INDEX.search(line)

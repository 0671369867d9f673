"""Facts about `make setup`: it takes a Python that really runs, or says in one sentence why there is none."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A directory with the set-up script and the locks, and no environment yet."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "setup.sh", tmp_path / "tools")
    for lock in ("requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / lock, tmp_path)
    return tmp_path


def setup(clone: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(clone), **environment}
    command = ["sh", "tools/setup.sh", *arguments]
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)


def program(path: Path, text: str) -> str:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_python_that_does_not_run_is_refused_in_one_sentence(clone: Path) -> None:
    shim = program(clone / "python3.12", "echo 'pyenv: python3.12: command not found' >&2; exit 127")
    done = setup(clone, PYTHON=shim)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "install Python 3.12" in done.stderr
    assert not (clone / ".venv").exists()


def test_a_shim_that_does_not_run_is_passed_over(clone: Path) -> None:
    shims = clone / "a folder of shims"
    shims.mkdir()
    for name in ("python3.12", "python3.13", "python3.11", "python"):
        program(shims / name, "exit 127")
    program(shims / "python3", f'exec "{sys.executable}" "$@"')
    done = setup(clone, "python", PATH=f"{shims}:/usr/bin:/bin")
    assert done.returncode == 0
    version = subprocess.run([done.stdout.strip(), "-V"], capture_output=True, text=True, check=True).stdout
    assert version.startswith(("Python 3.11", "Python 3.12", "Python 3.13"))


def test_what_an_interrupted_install_left_does_not_pass_for_whole(clone: Path) -> None:
    left = clone / ".venv" / "bin"
    left.mkdir(parents=True)
    program(left / "python", f'exec "{sys.executable}" "$@"')
    done = setup(clone, PYTHON="/nonexistent")
    assert done.returncode == 2


def test_an_environment_that_stands_is_left_as_it_is(clone: Path) -> None:
    left = clone / ".venv" / "bin"
    left.mkdir(parents=True)
    program(left / "python", f'exec "{sys.executable}" "$@"')
    version = subprocess.run([sys.executable, "-V"], capture_output=True, text=True, check=True).stdout
    lock = clone / "requirements.txt"
    (clone / ".venv" / "requirements.txt.done").write_text(version + lock.read_text())
    assert (setup(clone).returncode, setup(clone).stdout) == (0, "")
    assert setup(clone, PYTHON="/nonexistent").returncode == 2
    assert (setup(clone).returncode, setup(clone).stdout) == (0, "")
    lock.write_text(lock.read_text() + "# changed\n")
    assert "Making .venv" in setup(clone, PYTHON=sys.executable, CC="sh", PIP_NO_INDEX="1", PIP_FIND_LINKS="").stdout


def test_an_unknown_word_is_refused(clone: Path) -> None:
    assert setup(clone, "everything").returncode == 2


def test_both_locks_pin_the_same_versions() -> None:
    product, checks = (
        {line.split(" ")[0] for line in (ROOT / lock).read_text().splitlines() if "==" in line and line[0].isalnum()}
        for lock in ("requirements.txt", "requirements-dev.txt")
    )
    assert product < checks

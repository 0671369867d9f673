"""The documents and the program agree: what is written exists, and what exists is written."""

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from permissions import COMMANDS, Role, Viewer
from settings import Settings
from tools import data_quality, segment_tables

Where = Callable[[], Iterator[tuple[str, str]]]

ROOT = Path(__file__).parents[1]
PACKAGES = ("auth", "db", "etl", "models", "dashboard")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"python -m (\w+)((?: (?:--?)?[\w./-]+)*)")
TARGET = re.compile(r"[`\s]make ([a-z][a-z-]*)(?=[`\s])")
VARIABLE = re.compile(r"\bSPECTRUM_[A-Z]+(?:_[A-Z]+)*\b")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def documents() -> Iterator[tuple[str, str]]:
    """(name, text) of every document."""
    for path in DOCUMENTS:
        yield path.relative_to(ROOT).as_posix(), path.read_text()


def code_of_documents() -> Iterator[tuple[str, str]]:
    """(name, text) of what stands as code in the documents: fenced blocks and `backticked` words."""
    for name, text in documents():
        yield name, "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


def messages() -> Iterator[tuple[str, str]]:
    """(name, text) of the program's own files, whose messages tell users which command to run."""
    for path in [*ROOT.glob("*.py"), *(path for area in PACKAGES for path in (ROOT / area).rglob("*.py"))]:
        text = path.read_text()
        yield path.relative_to(ROOT).as_posix(), "\n".join(re.findall(r"`[^`\n]+`", text))


def commands() -> dict[tuple[str, str], set[str]]:
    """(package, subcommand or nothing) -> its options."""
    found: dict[tuple[str, str], set[str]] = {}
    for package in PACKAGES:
        command = typer.main.get_command(importlib.import_module(f"{package}.__main__").app)
        subs = dict(command.commands) if isinstance(command, TyperGroup) else {}
        if not subs or (isinstance(command, TyperGroup) and command.invoke_without_command):
            subs[""] = command
        for name, sub in subs.items():
            found[package, name] = {"--help"}.union(*(option.opts + option.secondary_opts for option in sub.params))
    return found


def targets() -> set[str]:
    """The Makefile's targets that `make help` lists."""
    return set(re.findall(r"^([a-z-]+):.*  ## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def variables() -> set[str]:
    return {f"SPECTRUM_{name}".upper() for name in Settings.model_fields if name != "database_url"}


def test_each_document_is_there() -> None:
    for path in (*DOCUMENTS, ROOT / "CHANGELOG.md", ROOT / "LICENSE", ROOT / "docs" / "architecture.md"):
        assert path.exists(), f"{path.name} is missing"


@pytest.mark.parametrize("where", [code_of_documents, messages], ids=["documents", "messages"])
def test_every_command_that_is_written_exists(where: Where) -> None:
    known = commands()
    for name, text in where():
        for package, rest in COMMAND.findall(text):
            if package not in PACKAGES:
                continue
            words = rest.split()
            sub = words[0] if words and (package, words[0]) in known else ""
            assert (package, sub) in known, f"{name}: `python -m {package}{rest}` does not exist"
            unknown = {word for word in words if word.startswith("--")} - known[package, sub]
            assert not unknown, f"{name}: `python -m {package} {sub}` has no {unknown}"


@pytest.mark.parametrize("where", [code_of_documents, messages], ids=["documents", "messages"])
def test_every_make_target_that_is_written_exists(where: Where) -> None:
    for name, text in where():
        assert set(TARGET.findall(text)) <= targets(), name


def test_every_command_is_documented() -> None:
    text = "\n".join(text for _, text in documents())
    for package, sub in commands():
        words = f"python -m {package} {sub}".strip()
        assert words in text, f"`{words}` is in no document; tell in README.md or docs what it is for"


def test_every_command_asks_for_a_right_of_the_role_that_it_is_called_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serve = importlib.import_module("dashboard.__main__")._serve
    wrapped: dict[str, Callable[[], None]] = {"dashboard._serve": serve}
    for package in PACKAGES:
        module = importlib.import_module(f"{package}.__main__")
        of_package = [of.callback for of in module.app.registered_commands]
        wrapped |= {f"{package}.{of.__name__}": of for of in of_package}
    assert set(wrapped) == set(COMMANDS)
    for role in Role:
        monkeypatch.setenv("SPECTRUM_ROLE", role.value)
        for name, command in wrapped.items():
            if not Viewer("", role).may(COMMANDS[name]):
                with pytest.raises(SystemExit) as ended:  # before it looks at what it was given
                    command()
                assert ended.value.code == 2
                assert f"may not call this command ({name})" in capsys.readouterr().err


def test_every_make_target_is_documented() -> None:
    written = {target for _, text in code_of_documents() for target in TARGET.findall(text)}
    assert targets() - {"help"} <= written


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    compose_alone = {"SPECTRUM_FILES"}
    example = set(VARIABLE.findall((ROOT / ".env.example").read_text()))
    assert example == variables() | compose_alone
    written = {variable for _, text in documents() for variable in VARIABLE.findall(text)}
    assert written - compose_alone == variables()
    for name, text in messages():
        assert set(VARIABLE.findall(text)) <= variables(), name


def test_every_link_leads_somewhere() -> None:
    for path in DOCUMENTS:
        for link in LINK.findall(path.read_text()):
            assert (path.parent / link).exists(), f"{path.name} links to {link}, which is not there"


def test_the_page_of_data_quality_is_what_the_rules_say() -> None:
    assert data_quality.PAGE.read_text(encoding="utf-8") == data_quality.page(), "run `make docs`"


def test_the_tables_of_groups_are_those_of_the_default_file() -> None:
    assert segment_tables.PAGE.read_text(encoding="utf-8") == segment_tables.page(), "run `make docs`"


def test_the_image_holds_every_module_of_the_ground_and_every_area() -> None:
    taken = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines()}
    assert {path.name for path in ROOT.glob("*.py")} | set(PACKAGES) <= taken

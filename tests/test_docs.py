"""The documentation agrees with the code."""

import re
from pathlib import Path

import pytest

from service.access import SCOPES
from service.settings import Settings
from tests.support.documents import DOCUMENTS, ROOT, anchors, blocks, links, read

NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]


@pytest.mark.parametrize("name", NAMES)
def test_every_relative_link_leads_somewhere(name):
    source = ROOT / name
    for target in links(source):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (source.parent / path).resolve() if path else source
        assert found.exists(), target
        assert found.is_relative_to(ROOT), target
        if anchor:
            assert anchor in anchors(found), target


def rows(name: str, pattern: str) -> set[str]:
    """First cells of the table rows that match."""
    return set(re.findall(rf"^\| `({pattern})`", read(ROOT / name), re.MULTILINE))


def test_every_setting_is_documented_and_no_other():
    expected = {f"ABSCOPE_{name.upper()}" for name in Settings.model_fields}
    assert rows("docs/operations.md", r"ABSCOPE_\w+") == expected


def test_defaults_of_settings_are_the_documented_ones():
    table = dict(re.findall(r"^\| `ABSCOPE_(\w+)` \| ([^|]*) \|", read(ROOT / "docs/operations.md"), re.MULTILINE))
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        assert table[name.upper()].strip() == shown, name


def test_every_scope_is_documented():
    assert rows("docs/security.md", r"[a-z]+:[a-z]+") == set(SCOPES)


@pytest.fixture(scope="module")
def openapi():
    from api.app import create_app

    return create_app(Settings()).openapi()


def test_the_openapi_document_is_valid(openapi):
    from openapi_spec_validator import OpenAPIV31SpecValidator

    assert openapi["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(openapi).iter_errors()) == []


def test_every_route_is_documented(openapi):
    text = read(ROOT / "docs/api.md")
    missing = [
        f"{method.upper()} {path}"
        for path, operations in openapi["paths"].items()
        for method in operations
        if f"`{method.upper()} {path}`" not in text
    ]
    assert missing == []


def test_every_kind_of_run_has_a_request_to_paste():
    from service.catalog import KINDS

    commands = " ".join(block.text for block in blocks(ROOT / "docs/api.md") if block.language == "bash")
    assert [name for name, kind in KINDS.items() if f"/v1{kind.path} " not in commands] == []


def test_every_metric_is_documented():
    from service.telemetry import REGISTRY

    text = read(ROOT / "docs/operations.md")
    assert [family.name for family in REGISTRY.collect() if f"`{family.name}" not in text] == []


def test_every_command_is_documented():
    from typer.main import get_command

    from service.cli import app

    text = read(ROOT / "docs/operations.md")
    group = get_command(app)
    for name, command in group.commands.items():
        for sub in getattr(command, "commands", {"": None}):
            assert f"`abscope {name} {sub}".rstrip() in text, f"{name} {sub}"


def test_every_kind_of_problem_is_documented():
    from api.problems import PAGES

    assert rows("docs/api.md", r"[a-z-]+") >= set(PAGES)


def test_every_dependency_has_its_line():
    table = read(ROOT / "docs/dependencies.md")
    listed = {name for row in re.findall(r"^\| ([a-z][^|]*) \|", table, re.MULTILINE) for name in row.split(", ")}
    wanted = {
        re.split(r"[>=]", line)[0]
        for file in Path(ROOT / "requirements").glob("*.in")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith(("-", "#"))
    }
    assert listed - {"package"} == wanted


def test_every_decision_is_listed_and_has_its_parts():
    pages = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    index = read(ROOT / "docs/adr/README.md")
    for number, page in enumerate(pages, start=1):
        assert page.name.startswith(f"{number:04d}-")
        assert f"]({page.name})" in index
        for part in ("Context", "Decision", "Consequences", "Alternatives"):
            assert f"\n## {part}\n" in read(page), page.name

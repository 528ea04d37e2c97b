"""The house rules that no other tool checks."""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import simulation
from scripts.check_docstrings import findings

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("api", "service", "schemas", "db", "simulation")
TOP_LEVEL = {
    *PACKAGES, "tests", "docs", "examples", "benchmarks", "scripts", "requirements", ".ci",
    "Dockerfile", "docker-compose.yml", ".dockerignore", ".gitignore", "Makefile", "pyproject.toml",
    ".pre-commit-config.yaml", "README.md", "LICENSE", "CITATION.cff", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md",
}  # fmt: skip
DISTRIBUTION = {"jwt": "pyjwt", "ulid": "python-ulid", "starlette": "fastapi", "pydantic_core": "pydantic"}
SPLIT_AT_LINES = 400
LONGEST_LINES = 600
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|Users)/[\w.]")
INDEX_ADDRESS = re.compile(
    r"--(?:extra-)?index-url|--find-links|pypi\.org/simple|files\.pythonhosted\.org|registry\.npmjs"
)
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


def tracked_files() -> list[Path]:
    """Every file of the project: what git tracks and what it would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return sorted({ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()})


FILES = tracked_files()
MODULES = [path for path in FILES if path.suffix == ".py"]


def texts() -> list[tuple[str, str]]:
    return [
        (str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
        for path in FILES
        if path.suffix in {".py", ".md", ".toml", ".yml", ".yaml", ".cff", ".in", ".txt", ".sh", ".mako", ".cfg", ""}
        and path.name != "LICENSE"
    ]


def test_the_top_level_is_the_fixed_one():
    assert {path.relative_to(ROOT).parts[0] for path in FILES} <= TOP_LEVEL


def test_no_module_is_longer_than_the_limit():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    to_split = {name: lines for name, lines in lengths.items() if lines > SPLIT_AT_LINES}
    if to_split:
        print(f"to split, over {SPLIT_AT_LINES} lines: {to_split}")
    assert {name: lines for name, lines in to_split.items() if lines > LONGEST_LINES} == {}


def test_layers_hold():
    lint_imports = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("rule", [UNFINISHED, MACHINE_PATH, INDEX_ADDRESS], ids=["unfinished", "path", "index"])
def test_nothing_of_this_is_in_any_file(rule):
    found = [
        f"{name}: {hit.group()}"
        for name, text in texts()
        if name != "tests/test_architecture.py"
        for hit in rule.finditer(text)
    ]
    assert found == []


def test_every_public_object_of_simulation_is_documented():
    assert findings() == []


@pytest.mark.parametrize(
    ("code", "rules"),
    [
        ('def dose(a_gy):\n    """Return it."""', []),
        ("def dose(a_gy):\n    return a_gy", ["GL08"]),
        ('def dose(a, b, c, d):\n    """Sum of doses."""\n    return a', ["PR01", "RT01"]),
        ('def dose(a):\n    """Return it.\n\n    Parameters\n    ----------\n    b : float\n    """', ["PR01", "PR02"]),
        ("def _dose(a, b, c, d):\n    return a", []),
    ],
)
def test_the_docstring_check_can_fail(tmp_path, code, rules):
    (tmp_path / "module.py").write_text(f'"""A module."""\n\n\n{code}\n', encoding="utf-8")
    assert sorted(line.split(": ")[2].split()[0] for line in findings(tmp_path)) == rules


def test_every_module_of_simulation_says_what_it_is():
    silent = [
        info.name
        for info in walk_packages(simulation.__path__, "simulation.")
        if not info.name.rpartition(".")[2].startswith("_") and not import_module(info.name).__doc__
    ]
    assert silent == []


def test_every_kind_of_run_has_examples_that_fit_its_schema():
    from service.catalog import KINDS

    assert KINDS
    for name, kind in KINDS.items():
        assert kind.examples, f"{name} has no example"
        assert kind.name == name
        for body in kind.examples.values():
            kind.request.model_validate(body)


def test_a_package_imports_only_what_is_declared():
    """Every third-party import of the shipped packages is a line of requirements/runtime.in, or of its maker."""
    lines = (ROOT / "requirements/runtime.in").read_text(encoding="utf-8").splitlines()
    declared = {re.split(r"[\[<>=~! ]", line)[0] for line in lines}
    unknown = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in MODULES
        if path.relative_to(ROOT).parts[0] in PACKAGES
        for module in imported(path)
        if module not in sys.stdlib_module_names
        and module not in PACKAGES
        and DISTRIBUTION.get(module, module.replace("_", "-")) not in declared
    }
    assert unknown == set()


def imported(path: Path) -> set[str]:
    """Top-level names of what a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_pinned_requirements_have_hashes_for_every_line():
    for name in ("runtime", "build", "dev"):
        text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
        pins = [block for block in re.split(r"\n(?=\S)", text.strip()) if not block.startswith("#")]
        assert pins
        for block in pins:
            assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+", block), block[:60]
            assert "--hash=sha256:" in block, block[:60]


def test_the_two_pinned_sets_agree():
    def pins(name):
        text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
        return set(re.findall(r"^([a-z0-9._-]+==[^ ;\\]+)", text, re.MULTILINE))

    assert pins("runtime") | pins("build") <= pins("dev")


def test_the_wheel_carries_every_data_file(tmp_path):
    """What a package reads at run time must be in the image, which installs a wheel."""
    source = tmp_path / "source"
    wanted = [path.relative_to(ROOT) for path in FILES if path.relative_to(ROOT).parts[0] in PACKAGES]
    for path in [*wanted, *map(Path, ("pyproject.toml", "README.md", "LICENSE", "requirements/runtime.in"))]:
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, source / path)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--wheel-dir", tmp_path, source],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    assert {str(path) for path in wanted} - packed == set()

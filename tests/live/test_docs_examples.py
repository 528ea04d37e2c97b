"""Every `bash` block with a `curl` in the documentation is executed against a real server.

The blocks of one document run in order in one shell, in a folder that has the examples. A status below 400 is
expected, unless a line of the block says `# answers 422`. A `json` block right after it is compared with what the
block printed: every member that the documentation shows must be there with that value, rounded as shown; "…" stands
for anything.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from tests.support.documents import DOCUMENTS, ROOT, Block, blocks, read
from tests.support.live_server import LiveServer, serve
from tests.support.synthetic_rt import Shape, dose_file, linear, plan_file, structure_file

pytestmark = pytest.mark.live
WRITTEN_BASE = "http://127.0.0.1:8000"
MARK = "@@block@@"
STATUS = "@@status@@"
PRELUDE = f"""set -euo pipefail
curl() {{ command curl --no-progress-meter --max-time 120 --write-out '%{{stderr}}{STATUS}%{{http_code}}\\n' "$@"; }}
"""


@dataclass(frozen=True)
class Example:
    """A block of commands, and the answer that the documentation shows for it."""

    commands: Block
    answer: Block | None

    @property
    def expected(self) -> int | None:
        """The status that the block announces."""
        announced = re.search(r"# answers (\d{3})", self.commands.text)
        return int(announced[1]) if announced else None


def examples_of(path: Path) -> list[Example]:
    found = blocks(path)
    return [
        Example(block, after if after is not None and after.language == "json" else None)
        for block, after in zip_longest(found, found[1:])
        if block.language == "bash" and "curl " in block.text
    ]


DOCUMENTED = [path for path in DOCUMENTS if examples_of(path)]


def settings_of(path: Path) -> dict[str, str]:
    """Settings of the server that a document talks to: `<!-- server: auth=keys -->`."""
    told = re.search(r"<!-- server: (.*) -->", read(path))
    return dict(pair.split("=", 1) for pair in told[1].split()) if told else {}


def run(examples: list[Example], server: LiveServer, scratch: Path) -> list[tuple[str, list[int]]]:
    """Return what each block printed and the statuses of its requests."""
    script = PRELUDE + "".join(
        f"{example.commands.text.replace(WRITTEN_BASE, server.base_url)}\necho; echo '{MARK}'; echo '{MARK}' >&2\n"
        for example in examples
    )
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=scratch, env=server.environment | {"PATH": tools}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"block {done.stdout.count(MARK) + 1} failed:\n{done.stdout[-2000:]}\n{done.stderr}"
    printed = done.stdout.split(MARK)[:-1]
    statuses = [[int(code) for code in re.findall(rf"{STATUS}(\d+)", part)] for part in done.stderr.split(MARK)[:-1]]
    return list(zip(printed, statuses, strict=True))


def differences(shown: Any, real: Any, where: str = "") -> list[str]:
    """Where the documented answer is not a part of the real one."""
    if shown == "…":
        return []
    if isinstance(shown, dict) and isinstance(real, dict):
        absent = [f"{where}/{name}: absent" for name in shown if name not in real]
        common = [name for name in shown if name in real]
        return absent + [d for name in common for d in differences(shown[name], real[name], f"{where}/{name}")]
    if isinstance(shown, list) and isinstance(real, list):
        if shown and shown[-1] == "…":
            shown, real = shown[:-1], real[: len(shown) - 1]
        if len(shown) != len(real):
            return [f"{where}: {len(shown)} members shown, {len(real)} real"]
        pairs = enumerate(zip(shown, real, strict=True))
        return [found for i, (one, other) in pairs for found in differences(one, other, f"{where}/{i}")]
    if isinstance(shown, float) and isinstance(real, float):
        real = round(real, len(str(shown).partition(".")[2]))
    return [] if shown == real else [f"{where}: shown {shown!r}, real {real!r}"]


def complaints(example: Example, printed: str, statuses: list[int]) -> list[str]:
    """What is not as the documentation says."""
    wanted = [example.expected] if example.expected else [status for status in statuses if status < 400]
    if not statuses or statuses != wanted:
        return [f"answered {statuses}: {printed[:400]}"]
    return [] if example.answer is None else differences(json.loads(example.answer.text), json.loads(printed))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the documentation posts: the examples, and an invented DICOM export."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "examples", folder / "examples")
    lungs = Shape(name="Lungs", radius_mm=24.0)
    (folder / "rtdose.dcm").write_bytes(dose_file(linear((0.2, 0.0, 0.0))).getvalue())
    (folder / "rtstruct.dcm").write_bytes(structure_file([(lungs.name, lungs.contours(5.0))]).getvalue())
    (folder / "rtplan.dcm").write_bytes(plan_file().getvalue())
    return folder


def test_examples_are_found():
    assert {"README.md", "quickstart.md", "api.md", "security.md"} <= {path.name for path in DOCUMENTED}


@pytest.mark.parametrize("path", DOCUMENTED, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTED])
def test_every_example_works_as_written(path, scratch, tmp_path):
    examples = examples_of(path)
    with serve(tmp_path / "data", **settings_of(path)) as server:
        outcomes = run(examples, server, scratch)
    assert [
        f"{path.name}:{example.commands.line}: {complaint}"
        for example, (printed, statuses) in zip(examples, outcomes, strict=True)
        for complaint in complaints(example, printed, statuses)
    ] == []


@pytest.mark.parametrize(
    ("shown", "real", "count"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, 0),
        ({"a": 1}, {"a": 2}, 1),
        ({"a": 1}, {}, 1),
        ([1, "…"], [1, 2, 3], 0),
        ([1], [1, 2], 1),
        (0.211, 0.2108, 0),
        (0.211, 0.2118, 1),
        ({"id": "…"}, {"id": "x"}, 0),
    ],
)
def test_the_comparison_can_fail(shown, real, count):
    assert len(differences(shown, real)) == count

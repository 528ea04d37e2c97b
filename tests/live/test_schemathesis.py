"""Generated requests against a real server: every answer is one that the OpenAPI document promises."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.live_server import serve

TOOL = Path(sys.executable).parent / "schemathesis"
CASES = re.compile(r"(\d+) generated")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,allow_header_conformance,use_after_free"
)


def generate(base_url: str, folder: Path, *options: str) -> int:
    """Run the tool and return how many cases it generated."""
    done = subprocess.run(
        [TOOL, "run", f"{base_url}/openapi.json", "--generation-deterministic", "--no-color", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    found = CASES.search(done.stdout)
    assert found, done.stdout[-2000:]
    return int(found.group(1))


@pytest.mark.live
def test_no_failure_in_thousands_of_generated_cases(tmp_path: Path) -> None:
    with serve(tmp_path / "data", log_level="ERROR") as server:
        strict = generate(
            server.base_url, tmp_path, "--checks", f"{CHECKS},negative_data_rejection", "--max-examples", "12",
            "--phases", "examples,coverage,fuzzing", "--exclude-path", "/v1/predictions:batch",
            "--exclude-path", "/v1/doses/dicom", "--exclude-path", "/v1/simulations",
            "--exclude-path", "/v1/comparisons",
        )  # fmt: skip
        heavy = generate(
            server.base_url, tmp_path, "--checks", CHECKS, "--max-examples", "8", "--phases", "examples,fuzzing",
            "--include-path", "/v1/predictions:batch", "--include-path", "/v1/doses/dicom",
            "--include-path", "/v1/simulations", "--include-path", "/v1/comparisons",
        )  # fmt: skip
    assert strict + heavy >= 2000

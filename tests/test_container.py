"""The image and the compose file keep the promises of the operations guide."""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from dockerfile_parse import DockerfileParser
from sqlalchemy import make_url

from service.settings import Settings
from service.signing import load_signer

ROOT = Path(__file__).resolve().parent.parent
NUMERIC_USER = re.compile(r"^[1-9]\d*:[1-9]\d*$")


@pytest.fixture(scope="module")
def dockerfile() -> DockerfileParser:
    return DockerfileParser(fileobj=BytesIO((ROOT / "Dockerfile").read_bytes()))


@pytest.fixture(scope="module")
def instructions(dockerfile: DockerfileParser) -> list[dict[str, Any]]:
    return [item for item in dockerfile.structure if item["instruction"] != "COMMENT"]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def values(instructions: list[dict[str, Any]], name: str) -> list[str]:
    return [item["value"] for item in instructions if item["instruction"] == name]


class TestDockerfile:
    def test_hadolint_has_no_finding(self):
        hadolint = Path(sys.executable).parent / "hadolint"
        done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_two_stages_from_one_pinned_and_replaceable_base(self, instructions):
        base = values(instructions, "ARG")[0]
        assert re.fullmatch(r"BASE_IMAGE=python:\d+\.\d+\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", base)
        assert values(instructions, "FROM") == ["${BASE_IMAGE} AS build", "${BASE_IMAGE}"]

    def test_runs_as_a_numeric_user_that_is_not_root(self, instructions):
        last_user = values(instructions, "USER")[-1]
        assert NUMERIC_USER.match(last_user)
        names = [item["instruction"] for item in instructions]
        assert names.index("USER") > len(names) - 1 - names[::-1].index("COPY"), "nothing is copied as the user"

    def test_no_add_no_shell_form_no_secret(self, instructions):
        assert not values(instructions, "ADD")
        for name in ("CMD", "ENTRYPOINT"):
            assert all(value.startswith("[") for value in values(instructions, name))
        declared = " ".join(values(instructions, "ENV") + values(instructions, "ARG")).upper()
        assert not re.search(r"PASSWORD|SECRET|TOKEN|PEPPER|SIGNING", declared)

    def test_health_is_asked_with_the_python_that_is_there(self, instructions):
        (health,) = values(instructions, "HEALTHCHECK")
        assert '["python", "-c"' in health
        assert "curl" not in health
        compile(re.search(r'"(import .*)"\]', health)[1], "healthcheck", "exec")

    def test_dependencies_are_hash_checked(self, instructions):
        installs = [value for value in values(instructions, "RUN") if "pip install" in value]
        assert installs
        assert all("--require-hashes" in value or "--no-deps" in value for value in installs)

    def test_the_kernels_of_the_installed_files_are_compiled(self, dockerfile, instructions):
        (warm,) = [value for value in values(instructions, "RUN") if "simulation.engine.warm" in value]
        assert "python -P -m simulation.engine.warm" in warm, "without -P the cache is of files that the image lacks"
        assert 'python -P -c "import matplotlib.font_manager; from service.warming' in warm
        baked = re.search(r"NUMBA_CACHE_DIR=(\S+)", warm)[1]
        assert Path(baked).name == Path(dockerfile.envs["NUMBA_CACHE_DIR"]).name

    def test_authentication_is_on_where_the_listener_is_public(self, dockerfile):
        environment = dockerfile.envs
        assert environment["ABSCOPE_HOST"] == "0.0.0.0"
        assert environment["ABSCOPE_AUTH"] == "keys"

    def test_only_tmp_and_data_are_written(self, dockerfile, instructions):
        environment = dockerfile.envs
        for name in ("HOME", "NUMBA_CACHE_DIR", "MPLCONFIGDIR"):
            assert environment[name].startswith("/tmp")
        assert environment["ABSCOPE_DATA_DIR"] == "/data"
        assert values(instructions, "VOLUME") == ['["/data"]']

    def test_the_build_context_is_an_allow_list(self, instructions):
        allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        assert allowed[1] == "*"
        for value in values(instructions, "COPY"):
            if not value.startswith("--from"):
                for source in value.split()[:-1]:
                    assert (ROOT / source).exists(), source
                    assert any(source.startswith(line[1:]) for line in allowed if line.startswith("!")), source


class TestStart:
    """What the image runs first."""

    def test_copies_the_caches_once_and_becomes_the_command(self, tmp_path):
        image = tmp_path / "image"
        (image / "cache" / "numba").mkdir(parents=True)
        (image / "cache" / "matplotlib").mkdir()
        (image / "cache" / "numba" / "kernel.nbi").write_bytes(b"compiled")
        start = image / "container_start.py"
        start.write_bytes((ROOT / "scripts" / "container_start.py").read_bytes())
        (image / "cache").chmod(0o555)
        environment = os.environ | {
            "NUMBA_CACHE_DIR": str(tmp_path / "writable" / "numba"),
            "MPLCONFIGDIR": str(tmp_path / "writable" / "matplotlib"),
        }
        command = [sys.executable, str(start), sys.executable, "-c", "import os; print(os.getpid())"]
        for _ in range(2):
            with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
                printed, _ = process.communicate(timeout=30)
            assert process.returncode == 0
            assert int(printed) == process.pid, "signals must reach the service itself"
        assert (tmp_path / "writable" / "numba" / "kernel.nbi").read_bytes() == b"compiled"


class TestSecrets:
    def test_makes_every_secret_of_the_compose_file_once(self, tmp_path, monkeypatch, compose):
        script = ROOT / "scripts" / "make_secrets.sh"
        made = []
        for _ in range(2):
            subprocess.run([script], cwd=tmp_path, check=True, capture_output=True)
            made.append({path.name: path.read_bytes() for path in (tmp_path / "secrets").iterdir()})
        assert made[0] == made[1]
        assert set(made[0]) == set(compose["secrets"])
        assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o444}
        monkeypatch.chdir(tmp_path)
        for name in compose["services"]["api"]["secrets"]:
            monkeypatch.setenv(f"ABSCOPE_{name.upper()}_FILE", f"secrets/{name}")
        settings = Settings()
        assert make_url(settings.database).host == "database"
        assert make_url(settings.database).password == made[0]["postgres_password"].decode().strip()
        assert load_signer(settings).public_key_base64


class TestCompose:
    def test_fits_the_compose_specification(self):
        PyCompose.from_yaml((ROOT / "docker-compose.yml").read_text(encoding="utf-8")).validate()

    def test_the_validation_can_fail(self):
        text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8").replace("restart:", "restrat:", 1)
        with pytest.raises(Exception, match="restrat"):
            PyCompose.from_yaml(text).validate()

    @pytest.mark.parametrize("name", ["api", "database"])
    def test_every_service_is_confined(self, compose, name):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "cap_add" not in service
        assert "no-new-privileges:true" in service["security_opt"]
        assert "privileged" not in service
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["pids_limit"]
        assert service["mem_limit"]
        assert not any("docker.sock" in volume for volume in service["volumes"])

    def test_secrets_come_from_files_only(self, compose):
        used = {secret for service in compose["services"].values() for secret in service["secrets"]}
        assert used == set(compose["secrets"])
        ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
        assert "/secrets/" in ignored
        for service in compose["services"].values():
            for name, value in service["environment"].items():
                if re.search(r"PASSWORD|PEPPER|SIGNING|DATABASE_URL", name):
                    assert name.endswith("_FILE")
                    assert value.removeprefix("/run/secrets/") in service["secrets"]

    def test_the_database_is_reachable_from_the_api_alone(self, compose):
        database = compose["services"]["database"]
        assert "ports" not in database
        assert database["networks"] == ["back"]
        assert compose["networks"]["back"]["internal"] is True
        assert compose["services"]["api"]["depends_on"]["database"]["condition"] == "service_healthy"

    def test_the_api_is_published_on_loopback(self, compose):
        assert all(port.startswith("127.0.0.1:") for port in compose["services"]["api"]["ports"])

    def test_the_drain_fits_into_the_grace_period(self, compose):
        grace = compose["services"]["api"]["stop_grace_period"]
        assert int(grace.removesuffix("s")) > Settings.model_fields["drain_seconds"].default

    def test_the_user_of_the_image_can_write_where_the_volume_is(self, compose):
        assert compose["services"]["api"]["volumes"] == ["data:/data"]
        assert NUMERIC_USER.match(compose["services"]["database"]["user"])

    def test_versions_are_pinned(self, compose):
        assert compose["services"]["api"]["image"] == f"abscope:{version('abscope')}"
        assert re.fullmatch(r"postgres:\d+\.\d+-\w+", compose["services"]["database"]["image"])

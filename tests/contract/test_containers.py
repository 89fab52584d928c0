"""The container files, without a container engine: schema, lint, and what must hold of them."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from slipway_cli.worlds import KEYS

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
SERVICES = ("intake", "generator", "deployer", "notifier")
DOCKERFILES = [ROOT / "Dockerfile", *sorted(ROOT.glob("*/*/Dockerfile"))]
VARIABLE = re.compile(r"\$\{(\w+)")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(COMPOSE.read_text())
    return loaded


def program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    text = re.sub(r"(?m)^\s*#.*\n", "", dockerfile.read_text())
    for line in re.sub(r"\\\n", "", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield word, rest.strip()


def hadolint(dockerfile: Path) -> "subprocess.CompletedProcess[str]":
    command = [program("hadolint"), "--config", str(ROOT / ".hadolint.yaml"), str(dockerfile)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def documented_variables(file: Path) -> set[str]:
    return set(re.findall(r"(?m)^(\w+)=", file.read_text()))


def test_the_compose_file_fits_the_compose_schema(tmp_path: Path) -> None:
    check = [program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, COMPOSE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(COMPOSE.read_text().replace("restart: unless-stopped", "restarts: unless-stopped"))
    assert subprocess.run([*check, wrong], capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_hadolint_has_nothing_to_say(dockerfile: Path) -> None:
    done = hadolint(dockerfile)
    assert done.returncode == 0, done.stdout + done.stderr


def test_hadolint_would_say_it(tmp_path: Path) -> None:
    wrong = tmp_path / "Dockerfile"
    wrong.write_text("FROM python\nRUN cd /tmp\n")
    assert hadolint(wrong).returncode == 1


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_image_runs_unprivileged_from_a_pinned_base(dockerfile: Path) -> None:
    found = list(instructions(dockerfile))
    users = [rest for word, rest in found if word == "USER"]
    assert users, "it runs as root"
    assert users[-1].isdecimal() and int(users[-1]) > 0, "the last user is root or only a name"
    for base in (rest for word, rest in found if word == "FROM"):
        assert re.match(r"\S+:\d+\.\d+\.\d+\S*( AS \w+)?$", base), f"{base} is not pinned"


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_an_image_copies_is_there_and_is_sent_to_the_builder(dockerfile: Path) -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copies = [rest.split() for word, rest in instructions(dockerfile) if word == "COPY" and "--from" not in rest]
    assert copies
    for copy in copies:
        for source in [part for part in copy if not part.startswith("--")][:-1]:
            assert (ROOT / source).exists(), f"{source} is not there"
            assert source.split("/")[0] in sent, f"{source} is held back by .dockerignore"


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_its_own_service_and_no_other(service: str) -> None:
    sources = [part for word, rest in instructions(ROOT / "services" / service / "Dockerfile") if word == "COPY"
               for part in rest.split()]  # fmt: skip
    named = {source.split("/")[1] for source in sources if source.startswith("services/")}
    assert named == {service}


def test_every_image_is_built_by_compose(compose: dict[str, Any]) -> None:
    built = {name: service["build"] for name, service in compose["services"].items() if "build" in service}
    assert set(built) == {*SERVICES, "sandbox", "operator"}
    for build in built.values():
        assert (ROOT / build["context"] / build["dockerfile"]).exists()
    assert compose["services"]["sandbox"]["profiles"] == ["sandbox"]
    assert compose["services"]["operator"]["profiles"] == ["operator"]


def test_the_broker_is_one_that_loses_nothing(compose: dict[str, Any]) -> None:
    broker = compose["services"]["rabbitmq"]
    image = re.fullmatch(r"rabbitmq:(\d+)\.(\d+)\.(\d+)-management", broker["image"])
    assert image, "not pinned, or without the management page"
    assert tuple(map(int, image.groups())) not in {(4, 3, 0), (4, 3, 1), (4, 3, 2)}
    assert broker["healthcheck"]
    assert any(volume.endswith(":/var/lib/rabbitmq") for volume in broker["volumes"])
    # the data's folder is named after the host: with a name by chance they would be lost with the container
    assert broker["hostname"]


def test_services_start_once_the_broker_is_well(compose: dict[str, Any]) -> None:
    for name in SERVICES:
        assert compose["services"][name]["depends_on"] == {"rabbitmq": {"condition": "service_healthy"}}


def test_the_generator_scales_and_has_no_token(compose: dict[str, Any]) -> None:
    generator = compose["services"]["generator"]
    assert not {"container_name", "ports", "hostname"} & generator.keys()
    assert "GITHUB_TOKEN" not in generator["environment"]
    assert "STUDENT_SECRET" not in generator["environment"]
    assert "env_file" not in generator


def test_only_the_door_is_open_to_others(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert set(published) == {"rabbitmq", "intake", "sandbox"}
    for name in ("rabbitmq", "sandbox"):
        assert all(port.startswith("127.0.0.1:") for port in published[name])


def test_every_variable_of_compose_is_documented_and_keys_are_demanded() -> None:
    text = COMPOSE.read_text()
    assert set(VARIABLE.findall(text)) <= documented_variables(ROOT / ".env.example")
    for key in (*KEYS, "BROKER_PASSWORD"):
        assert f"${{{key}:?" in text, f"compose starts without {key}"


def test_settings_that_a_service_reads_reach_it_in_compose(compose: dict[str, Any]) -> None:
    """Each documented setting is given to the services that read it; what an image decides itself is left out."""
    from slipway_common.settings import CommonSettings
    from slipway_deployer.settings import DeployerSettings
    from slipway_generator.settings import GeneratorSettings
    from slipway_intake.settings import IntakeSettings
    from slipway_notifier.settings import NotifierSettings

    own: dict[str, type[CommonSettings]] = {
        "intake": IntakeSettings, "generator": GeneratorSettings, "deployer": DeployerSettings,
        "notifier": NotifierSettings,
    }  # fmt: skip
    of_the_image = {"BIND_HOST", "CHROMIUM_PATH", *(f"{name.upper()}_PORT" for name in SERVICES)}
    documented = documented_variables(ROOT / ".env.example") - of_the_image
    for name, settings in own.items():
        read = {field.upper() for field in settings.model_fields} & documented
        given = set(compose["services"][name]["environment"])
        assert read <= given, f"{name} does not get {sorted(read - given)}"
        known = {field.upper() for field in settings.model_fields}
        assert given <= known, f"{name} does not read {sorted(given - known)}"


def test_the_sandbox_file_gives_all_that_compose_demands_and_no_real_address() -> None:
    told = dict(re.findall(r"(?m)^(\w+)=(.*)$", (ROOT / "tools" / "sandbox" / "compose.env").read_text()))
    demanded = set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))
    assert demanded <= told.keys()
    assert told["SLIPWAY_WORLD"] == "sandbox"
    addresses = [value for name, value in told.items() if name.endswith("_URL")]
    assert len(addresses) == 5
    assert all(urlsplit(address).netloc == "sandbox:7864" for address in addresses)


def test_the_single_container_refuses_to_work_without_keys_by_itself() -> None:
    environment = " ".join(rest for word, rest in instructions(ROOT / "Dockerfile") if word == "ENV")
    assert "SLIPWAY_CONTAINER=1" in environment.split()
    exposed = [rest for word, rest in instructions(ROOT / "Dockerfile") if word == "EXPOSE"]
    assert exposed == ["7860"]

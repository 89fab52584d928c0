"""What `./run up` hands on to services, and where they listen."""

import pytest

from slipway_cli.cdn import asked_packages
from slipway_cli.stack import Ports, PortTakenError
from slipway_cli.up import settings_for_services

DOCUMENTED = "# how loud\nLOG_LEVEL=\nGEMINI_API_KEY=\nTASK_DEADLINE_S=\n"


def test_documented_settings_of_the_environment_are_handed_on_and_nothing_else() -> None:
    environment = {"LOG_LEVEL": "DEBUG", "AWS_SECRET_ACCESS_KEY": "of somebody", "PATH": "/bin", "TASK_DEADLINE_S": ""}
    assert settings_for_services(environment, environment, DOCUMENTED) == {"LOG_LEVEL": "DEBUG"}


def test_everything_in_the_env_file_is_handed_on_except_keys() -> None:
    keys = dict.fromkeys(("GEMINI_API_KEY", "GITHUB_TOKEN", "STUDENT_SECRET", "SLIPWAY_WORLD"), "not for all")
    env_file = {"PAGES_WAIT_S": "5", **keys}
    assert settings_for_services(env_file, {}, DOCUMENTED) == {"PAGES_WAIT_S": "5"}


def test_ports_are_the_documented_ones_unless_a_variable_moves_one() -> None:
    ports = Ports.of({"DEPLOYER_PORT": "9000", "NOTIFIER_PORT": ""})
    assert ports == Ports(7860, 7861, 9000, 7863, 7864)


@pytest.mark.parametrize("value", ["0", "65536", "http", "-1", "78.6"])
def test_what_is_no_port_is_refused_by_its_variable(value: str) -> None:
    with pytest.raises(PortTakenError, match=f"INTAKE_PORT is '{value}'"):
        Ports.of({"INTAKE_PORT": value})


def test_packages_are_asked_for_by_their_major_version() -> None:
    page = (
        '<script src="https://cdn.jsdelivr.net/npm/marked@18.2.1/lib/marked.umd.js"></script>'
        '<link href="https://unpkg.com/@highlightjs/cdn-assets@11/styles/a.css">'
        '<script src="https://example.com/npm/evil@1"></script>'
    )
    assert asked_packages(page) == {"marked@18", "@highlightjs/cdn-assets@11"}

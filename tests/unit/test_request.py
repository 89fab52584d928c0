"""Reading a sender's request: what is taken, what is refused, and that every invalid field is named."""

import copy
import json
from typing import Any

import pytest
from pydantic_core import from_json

from slipway_intake.request import InvalidRequestError, read_request

GOOD: dict[str, Any] = {
    "email": "student@example.com",
    "secret": "test-secret",
    "task": "sum-of-sales-a1b2c",
    "round": 1,
    "nonce": "ab12-",
    "brief": "Sum the sales.",
    "evaluation_url": "https://example.com/notify?x=1",
}


def with_fields(**fields: object) -> dict[str, Any]:
    return {**copy.deepcopy(GOOD), **fields}


def invalid_fields(document: object) -> list[str]:
    with pytest.raises(InvalidRequestError) as caught:
        read_request(document)
    return [problem.field for problem in caught.value.problems]


def test_the_required_fields_are_enough() -> None:
    request = read_request(GOOD)
    assert (request.checks, request.attachments) == ((), ())
    assert request.secret.get_secret_value() == "test-secret"


def test_what_real_senders_do_is_borne() -> None:
    attachments = [{"name": "a/data.csv", "url": "data:text/csv;base64,YQ", "size": 1}]
    checks = ["Repo has MIT license", {"js": "!!document.title", "weight": 2}]
    request = read_request(with_fields(checks=checks, attachments=attachments, signature="later"))
    assert [getattr(check, "js", check) for check in request.checks] == ["Repo has MIT license", "!!document.title"]
    assert request.attachments[0].name == "a/data.csv"
    assert read_request(with_fields(checks=None, attachments=None)).checks == ()


def test_every_missing_field_is_named() -> None:
    assert sorted(invalid_fields({})) == sorted(GOOD)


@pytest.mark.parametrize("document", [None, [], "text", 1, True])
def test_only_an_object_is_a_request(document: object) -> None:
    assert invalid_fields(document) == ["body"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", "two words@example.com"),
        ("email", 1),
        ("secret", None),
        ("secret", 5),
        ("task", ""),
        ("task", "  "),
        ("task", "../etc"),
        ("task", ".."),
        ("task", "a/b"),
        ("task", "a\\b"),
        ("task", "a\nb"),
        ("task", "a\x00b"),
        ("task", "x" * 201),
        ("round", 0),
        ("round", -1),
        ("round", "1"),
        ("round", 1.5),
        ("round", True),
        ("round", None),
        ("nonce", ""),
        ("nonce", 7),
        ("nonce", "a\tb"),
        ("brief", " \n"),
        ("brief", ["a"]),
        ("brief", "a\x00"),
        ("brief", "\ud800"),
        ("evaluation_url", "ftp://example.com"),
        ("evaluation_url", "//example.com"),
        ("evaluation_url", "http://"),
        ("evaluation_url", "http://host:99999/"),
        ("evaluation_url", "http://[::1"),
        ("evaluation_url", "http://a b/"),
        ("evaluation_url", "file:///etc/passwd"),
        ("checks", "one"),
        ("checks", {"js": "x"}),
        ("attachments", {}),
        ("attachments", "data:,x"),
    ],
)
def test_a_wrong_value_is_named(field: str, value: object) -> None:
    assert invalid_fields(with_fields(**{field: value})) == [field]


@pytest.mark.parametrize("check", [1, "", " ", {}, {"js": ""}, {"js": 1}, None, ["a"]])
def test_a_wrong_check_is_named_by_its_place(check: object) -> None:
    assert invalid_fields(with_fields(checks=["good", check])) == ["checks.1"]


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "../x", "a/../x", "..", "/etc/passwd", "a\\b", "C:\\x", "a\nb", "a\x00", "a\x85b", "./a", "a//b", "a/",
        ".git/config", "x/.GIT/hooks/a", "n" * 201, 5, None,
    ],
)  # fmt: skip
def test_a_dangerous_attachment_name_is_named_by_its_place(name: object) -> None:
    attachments = [{"name": "ok.txt", "url": "data:,x"}, {"name": name, "url": "data:,x"}]
    assert invalid_fields(with_fields(attachments=attachments)) == ["attachments.1.name"]


@pytest.mark.parametrize("name", ["data.csv", "a b.txt", "päth/ü.md", ".github/workflows/ci.yml", "README.md", "..a"])
def test_an_ordinary_attachment_name_is_taken(name: str) -> None:
    request = read_request(with_fields(attachments=[{"name": name, "url": "data:,x"}]))
    assert request.event_attachments()[0].name == name


@pytest.mark.parametrize(
    ("first", "second"),
    [("a.txt", "a.txt"), ("a", "a/b"), ("a/b", "a"), ("caf\u00e9", "cafe\u0301"), ("x/y/z", "x/y")],
)
def test_names_that_cannot_lie_beside_each_other_are_refused(first: str, second: str) -> None:
    attachments = [{"name": first, "url": "data:,1"}, {"name": second, "url": "data:,2"}]
    assert invalid_fields(with_fields(attachments=attachments)) == ["attachments.1.name"]


@pytest.mark.parametrize(
    "url",
    [
        "data:text/plain;base64,!!!!", "data:text/plain;base64,A", "data:text/plain", "data:", "", "x.csv",
        "ftp://host/x", "file:///etc/passwd", "javascript:alert(1)", "data:;base64,YQ===", None, 1,
    ],
)  # fmt: skip
def test_an_attachment_that_cannot_be_had_is_named(url: object) -> None:
    assert invalid_fields(with_fields(attachments=[{"name": "a", "url": url}])) == ["attachments.0.url"]


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_quoted() -> None:
    document = with_fields(round="zero-value", task="../task-value", attachments=[{"name": "a"}, {"name": "a"}])
    with pytest.raises(InvalidRequestError) as caught:
        read_request(document)
    fields = [problem.field for problem in caught.value.problems]
    expected = ["task", "round", "attachments.0.url", "attachments.1.url", "attachments.1.name"]
    assert fields == expected
    told = json.dumps(caught.value.problems)
    assert "value" not in told.replace("a value", "")


def test_the_secret_is_in_no_representation() -> None:
    request = read_request(GOOD)
    assert "test-secret" not in repr(request) + str(request) + request.model_dump_json()


def test_lone_surrogates_from_json_escapes_are_no_text() -> None:
    try:
        document = from_json(json.dumps(with_fields(brief="\ud800")).encode())
    except ValueError:
        return
    assert invalid_fields(document) == ["brief"]

"""The sender's request: read strictly, with every invalid field named."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from slipway_common.data_url import DataUrlError, decode_data_url
from slipway_common.events import Attachment, Check, JsCheck
from slipway_common.problem import FieldProblem

MAX_TASK = 200
MAX_NAME = 200
MAX_BRIEF = 100_000
MAX_URL = 2048
MAX_CHECKS = 200
MAX_ATTACHMENTS = 100

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("wrong", "{reason}", {"reason": message})


def _printable(value: str) -> str:
    if not value.strip():
        raise _wrong("must not be blank")
    if not value.isprintable():
        raise _wrong("must not contain control characters or line breaks")
    return value


def _task(value: str) -> str:
    _printable(value)
    if "/" in value or "\\" in value or value in (".", ".."):
        raise _wrong("must not contain `/` or `\\`, nor be `.` or `..`: it names a repository, not a path")
    return value


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value) or not value.isprintable():
        raise _wrong("must look like name@host")
    return value


def _brief(value: str) -> str:
    if not value.strip():
        raise _wrong("must not be blank")
    if "\x00" in value:
        raise _wrong("must not contain NUL characters")
    return value


def _web_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # out of range: ValueError
    except ValueError:
        usable = False
    if not usable or _CONTROL.search(value) or " " in value:
        raise _wrong("must be an http:// or https:// URL with a host")
    return value


def _attachment_url(value: str) -> str:
    if value[:5].lower() != "data:":
        if len(value) > MAX_URL:
            raise _wrong(f"must be a data: URL, or an http(s) URL of at most {MAX_URL} characters")
        try:
            return _web_url(value)
        except PydanticCustomError:
            raise _wrong("must be a data: URL, or an http:// or https:// URL with a host") from None
    try:
        decode_data_url(value)
    except DataUrlError as error:
        raise _wrong(f"is a data: URL that cannot be decoded: it {error}") from None
    return value


def _attachment_name(value: str) -> str:
    segments = value.split("/")
    if not value.strip() or _CONTROL.search(value):
        raise _wrong("must not be blank or contain control characters")
    if "\\" in value:
        raise _wrong("must use `/`, not `\\`, between folders")
    if value.startswith("/"):
        raise _wrong("must be relative: without `/` at its start")
    if ".." in segments:
        raise _wrong("must not contain `..`")
    if any(segment in ("", ".") for segment in segments):
        raise _wrong("must not contain empty folder names or `.`")
    if any(segment.lower() == ".git" for segment in segments):
        raise _wrong("must not contain a folder `.git`: git keeps its own data there")
    return value


def _none_is_empty(value: object) -> object:
    return () if value is None else tuple(value) if isinstance(value, list) else value


def _check(value: object) -> Check:
    if isinstance(value, str) and value.strip():
        return value
    js = value.get("js") if isinstance(value, dict) else None
    if isinstance(js, str) and js.strip():
        return JsCheck(js=js)
    raise _wrong('must be a string that is not blank, or an object {"js": "<expression>"}')


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class RequestedAttachment(_Strict):
    """A file that comes with the brief."""

    name: Annotated[str, Field(max_length=MAX_NAME), AfterValidator(_attachment_name)] = Field(
        description="relative path in the repository: no `..`, no backslash, no control characters, unique"
    )
    url: Annotated[str, AfterValidator(_attachment_url)] = Field(description="data: URL or http(s) URL of the bytes")


class TaskRequest(_Strict):
    """What `POST /ready` takes.

    Types are strict: `"1"` is no round and `true` is no number. Borne, because senders do it: unknown fields, `null` in
    place of an empty list of checks or attachments, a byte order mark before the JSON, further keys beside a check's
    `js`, base64 without its padding.
    """

    email: Annotated[str, Field(max_length=254), AfterValidator(_email)]
    secret: SecretStr = Field(description="the shared secret, `STUDENT_SECRET` here")
    task: Annotated[str, Field(max_length=MAX_TASK), AfterValidator(_task)]
    round: int = Field(ge=1, le=10_000, description="1 builds, 2 and later revise")
    nonce: Annotated[str, Field(max_length=200), AfterValidator(_printable)]
    brief: Annotated[str, Field(max_length=MAX_BRIEF), AfterValidator(_brief)]
    evaluation_url: Annotated[str, Field(max_length=MAX_URL), AfterValidator(_web_url)]
    checks: Annotated[
        tuple[Annotated[Check, BeforeValidator(_check)], ...],
        Field(max_length=MAX_CHECKS),
        BeforeValidator(_none_is_empty),
    ] = ()
    attachments: Annotated[
        tuple[RequestedAttachment, ...], Field(max_length=MAX_ATTACHMENTS), BeforeValidator(_none_is_empty)
    ] = ()

    def event_attachments(self) -> tuple[Attachment, ...]:
        return tuple(Attachment(name=item.name, url=item.url) for item in self.attachments)


class InvalidRequestError(ValueError):
    """The request cannot be taken; `problems` has one entry for each invalid field."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__(", ".join(problem.field for problem in problems))
        self.problems = problems


def read_request(document: object) -> TaskRequest:
    """The request in a parsed JSON document. Raises InvalidRequestError with every invalid field."""
    problems = []
    request = None
    try:
        request = TaskRequest.model_validate(document)
    except ValidationError as error:
        problems = [_field_problem(item) for item in error.errors(include_url=False, include_input=False)]
    known = {problem.field for problem in problems}
    problems += [clash for clash in _clashes(document) if clash.field not in known]
    if problems or request is None:
        raise InvalidRequestError(problems)
    return request


def _field_problem(item: ErrorDetails) -> FieldProblem:
    path = ".".join(str(part) for part in item["loc"])
    return FieldProblem(path or "body", item["msg"])


def _clashes(document: Any) -> Iterator[FieldProblem]:
    """Attachments that cannot lie in one folder tree: the same name twice, or a name that is another one's folder."""
    attachments = document.get("attachments") if isinstance(document, dict) else None
    names: dict[str, int] = {}
    folders: dict[str, int] = {}
    for index, item in enumerate(attachments if isinstance(attachments, list) else ()):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            continue
        name = unicodedata.normalize("NFC", name)
        above = [name[:end] for end, character in enumerate(name) if character == "/" and end]
        if name in names:
            yield FieldProblem(f"attachments.{index}.name", f"is the name of attachments.{names[name]} too")
        elif name in folders:
            yield FieldProblem(f"attachments.{index}.name", f"is a folder in the name of attachments.{folders[name]}")
        elif clash := next((folder for folder in above if folder in names), None):
            yield FieldProblem(f"attachments.{index}.name", f"has attachments.{names[clash]} as a folder")
        names.setdefault(name, index)
        for folder in above:
            folders.setdefault(folder, index)

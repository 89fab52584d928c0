"""Data files: JSON, SVG and XML, CSV and YAML parse."""

import csv
import json
from collections.abc import Callable
from xml.parsers import expat

import yaml

from slipway_common.events import Finding
from slipway_generator.inspection.app import App, finding

_Fault = tuple[int | None, str]


def inspect(app: App) -> list[Finding]:
    """What does not parse."""
    found: list[Finding] = []
    for extensions, parse in _PARSERS:
        for path, text in app.ending(*extensions).items():
            if fault := parse(text):
                line, message = fault
                found.append(finding(path, line, f"{message}.", "Correct the file; programs cannot read it as it is."))
    return found


def _json(text: str) -> _Fault | None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.lineno, f"not JSON: {error.msg}"
    return None


def _xml(text: str) -> _Fault | None:
    if "<!ENTITY" in text:
        return None, "entity declarations are not allowed"
    parser = expat.ParserCreate()
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        return error.lineno, f"not well-formed XML: {expat.ErrorString(error.code)}"
    return None


def _yaml(text: str) -> _Fault | None:
    try:
        for _ in yaml.parse(text, Loader=yaml.SafeLoader):
            pass
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        return line, f"not YAML: {error.problem}"
    except yaml.YAMLError as error:
        return None, f"not YAML: {error}"
    return None


def _csv(text: str) -> _Fault | None:
    return _table(text, ",")


def _tsv(text: str) -> _Fault | None:
    return _table(text, "\t")


def _table(text: str, delimiter: str) -> _Fault | None:
    header = text.partition("\n")[0]
    if delimiter == "," and "," not in header and ";" in header:
        delimiter = ";"
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    width = 0
    try:
        for row in reader:
            if row and not width:
                width = len(row)
            elif row and len(row) != width:
                return reader.line_num, f"the row has {len(row)} fields, the first one {width}"
    except csv.Error as error:
        return reader.line_num, f"not CSV: {error}"
    return None


_PARSERS: tuple[tuple[tuple[str, ...], Callable[[str], _Fault | None]], ...] = (
    ((".json", ".webmanifest"), _json),
    ((".svg", ".xml"), _xml),
    ((".yml", ".yaml"), _yaml),
    ((".csv",), _csv),
    ((".tsv",), _tsv),
)

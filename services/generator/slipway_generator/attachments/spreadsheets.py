"""Spreadsheets as CSV, which a page can fetch and a model can be shown.

The rule: beside an attached workbook `data.xlsx` code commits `data.xlsx.csv`, the first sheet that holds anything, and
`data.xlsx.<n>.csv` for each further one, <n> being its place in the workbook. An attachment of that name wins. Values
are those that the program saved, formulas are not computed; dates are ISO 8601, numbers raw, text in UTF-8.
"""

import asyncio
import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time

from openpyxl import load_workbook

from slipway_generator.attachments import XLSX, Material

MAX_UNPACKED_BYTES = 20 * 1024 * 1024
"""Of XML. A workbook that unpacks to more is committed as it is and not read."""
MAX_CELLS = 200_000
MAX_SHEETS = 8
_MAX_PARTS = 2_000


@dataclass(frozen=True)
class Sheet:
    """One sheet: its place in the workbook from 1, its title, its values as CSV; `whole` says whether that is all."""

    number: int
    title: str
    rows: int
    columns: int
    csv: bytes
    whole: bool


class UnreadableWorkbookError(Exception):
    """The file cannot be read as a workbook, or is too large to be; the message says which."""


async def with_tables(materials: Sequence[Material]) -> tuple[Material, ...]:
    """The same, each workbook described in its `note` and followed by its sheets as CSV. Never raises for a file."""
    taken = {material.name for material in materials}
    found: list[Material] = []
    for material in materials:
        if material.media_type != XLSX:
            found.append(material)
            continue
        try:
            sheets = await asyncio.to_thread(read_sheets, material.data)
        except UnreadableWorkbookError as error:
            found.append(replace(material, note=f"A spreadsheet that could not be read ({error})."))
            continue
        tables = [_table(material, sheet, first=sheet is sheets[0]) for sheet in sheets]
        found.append(replace(material, note=_note(sheets, tables)))
        found += [table for table in tables if table.name not in taken]
    return tuple(found)


def read_sheets(data: bytes) -> tuple[Sheet, ...]:
    """The sheets that hold anything. Blocking, bounded in memory and time. Raises UnreadableWorkbookError."""
    _check_size(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheets = []
        for number, sheet in enumerate(book.worksheets[:MAX_SHEETS], 1):
            sheet.reset_dimensions()  # what the file says of its size may be wrong
            found = _read(number, str(sheet.title), sheet.iter_rows(values_only=True))
            if found is not None:
                sheets.append(found)
    except Exception as error:  # noqa: BLE001 (a stranger's file: whatever it breaks, it is unreadable)
        raise UnreadableWorkbookError(type(error).__name__) from None
    return tuple(sheets)


def _check_size(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UnreadableWorkbookError(type(error).__name__) from None
    # zipfile never unpacks more of a part than its entry says
    unpacked = sum(part.file_size for part in parts if part.filename.endswith((".xml", ".rels")))
    if unpacked > MAX_UNPACKED_BYTES or len(parts) > _MAX_PARTS:
        raise UnreadableWorkbookError(f"{unpacked} bytes unpacked in {len(parts)} parts, over the limit")


def _read(number: int, title: str, rows: Iterator[tuple[object, ...]]) -> Sheet | None:
    kept: list[list[str]] = []
    cells = 0
    whole = True
    for row in rows:
        cells += len(row) + 1
        if cells > MAX_CELLS:
            whole = False
            break
        kept.append([_text(value) for value in row])
    while kept and not any(kept[-1]):
        kept.pop()
    columns = max((max((at for at, text in enumerate(row, 1) if text), default=0) for row in kept), default=0)
    if not columns:
        return None
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([*row[:columns], *[""] * (columns - len(row))] for row in kept)
    return Sheet(number, title, len(kept), columns, out.getvalue().encode(), whole)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _table(material: Material, sheet: Sheet, *, first: bool) -> Material:
    ending = ".csv" if first else f".{sheet.number}.csv"
    return Material(material.name + ending, material.path + ending, "text/csv", sheet.csv)


def _note(sheets: Sequence[Sheet], tables: Sequence[Material]) -> str:
    if not sheets:
        return "A spreadsheet without any value."
    lines = [
        f"- sheet {sheet.number}, {' '.join(sheet.title.split())[:60]!r}: {sheet.rows} rows, {sheet.columns} columns, "
        f"{'as' if sheet.whole else 'its beginning as'} {table.path}"
        for sheet, table in zip(sheets, tables, strict=True)
    ]
    return "\n".join(["A spreadsheet. Its values lie beside it as CSV, fetch these:", *lines])

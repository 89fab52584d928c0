"""Workbooks become CSV beside themselves, whatever is in them."""

import csv
import io
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from slipway_generator.attachments import XLSX, Material, media_type, place, spreadsheets
from slipway_generator.attachments.spreadsheets import UnreadableWorkbookError, read_sheets, with_tables


def workbook(**sheets: list[list[object]]) -> bytes:
    book = Workbook()
    del book["Sheet"]
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def attached(name: str, data: bytes) -> Material:
    return Material(name, place(name), media_type(name, data), data)


AT_EIGHT = datetime.fromisoformat("2026-02-01T08:00")
SALES: list[list[object]] = [
    ["region", "sales", "day"],
    ["north, east", 17725.5, date(2026, 1, 31)],
    ["south", 2, AT_EIGHT],
]


async def test_the_first_sheet_lies_beside_the_workbook_as_csv() -> None:
    materials = await with_tables([attached("data.xlsx", workbook(Sales=SALES)), attached("a.txt", b"x")])
    assert [material.name for material in materials] == ["data.xlsx", "data.xlsx.csv", "a.txt"]
    book, table, _ = materials
    assert (book.media_type, table.media_type, table.path) == (XLSX, "text/csv", "data.xlsx.csv")
    assert list(csv.reader(io.StringIO(table.data.decode()))) == [
        ["region", "sales", "day"], ["north, east", "17725.5", "2026-01-31"], ["south", "2", "2026-02-01 08:00:00"],
    ]  # fmt: skip
    assert "sheet 1, 'Sales': 3 rows, 3 columns, as data.xlsx.csv" in book.note


async def test_further_sheets_are_named_by_their_place_and_empty_ones_left_out() -> None:
    data = workbook(Empty=[], First=[["a"], [1]], Second=[["b"], [True]])
    book, first, second = await with_tables([attached("data.xlsx", data)])
    assert (first.name, first.data) == ("data.xlsx.csv", b"a\n1\n")
    assert (second.name, second.data) == ("data.xlsx.3.csv", b"b\nTRUE\n")
    assert "'Second': 2 rows, 1 columns, as data.xlsx.3.csv" in book.note


async def test_an_attachment_of_that_name_wins() -> None:
    materials = await with_tables(
        [attached("data.xlsx", workbook(Sales=SALES)), attached("data.xlsx.csv", b"the sender's own\n")]
    )
    assert [material.data for material in materials[1:]] == [b"the sender's own\n"]


async def test_a_workbook_is_one_under_any_name_and_lies_where_its_name_says() -> None:
    materials = await with_tables([attached("LICENSE", workbook(Sales=SALES))])
    assert [material.path for material in materials] == ["attachments/LICENSE", "attachments/LICENSE.csv"]


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/sharedStrings.xml", b" " * (spreadsheets.MAX_UNPACKED_BYTES + 1))
    return out.getvalue()


def many_parts() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        for number in range(2001):
            archive.writestr(f"xl/{number}", "")
    return out.getvalue()


def no_workbook_inside() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "rubbish")
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [bomb(), many_parts(), no_workbook_inside(), workbook(Sales=SALES)[:-30]],
    ids=["bomb", "parts", "no", "cut"],
)
async def test_what_cannot_be_read_is_kept_as_it_is_and_described(data: bytes) -> None:
    with pytest.raises(UnreadableWorkbookError):
        read_sheets(data)
    sent = Material("data.xlsx", "data.xlsx", XLSX, data)
    [kept] = await with_tables([sent])
    assert kept.data == data
    assert kept.note.startswith("A spreadsheet that could not be read")


def test_a_sheet_too_large_to_read_is_shown_by_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MAX_CELLS", 30)
    [sheet] = read_sheets(workbook(Long=[[number, number] for number in range(100)]))
    assert (sheet.whole, sheet.rows, sheet.csv[:8]) == (False, 10, b"0,0\n1,1\n")


def test_a_cell_in_the_farthest_corner_costs_no_memory() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["XFD1048576"] = "far away"
    sheet["A1"] = "here"
    out = io.BytesIO()
    book.save(out)
    [read] = read_sheets(out.getvalue())
    assert (read.whole, read.csv) == (False, b"here\n")

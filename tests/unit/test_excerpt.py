"""What the model is shown of attachments: whole where it fits, else head, tail and a summary, within one budget."""

import json

import pytest

from slipway_generator.attachments import Material, media_type, place
from slipway_generator.attachments.excerpt import ATTACHMENTS_CHARS, EXCERPT_CHARS, FILE_CHARS, Excerpt, excerpts


def material(name: str, data: bytes | str) -> Material:
    raw = data.encode() if isinstance(data, str) else data
    return Material(name, place(name), media_type(name, raw), raw)


def excerpt(name: str, data: bytes | str) -> Excerpt:
    [found] = excerpts([material(name, data)])
    return found


def test_a_small_file_is_shown_whole() -> None:
    shown = excerpt("data.csv", "region,sales\nnorth,1\nsouth,2\n")
    assert shown == Excerpt("2 columns: region, sales. Data rows: 2.", "region,sales\nnorth,1\nsouth,2\n")


def test_a_long_table_is_shown_by_head_tail_and_summary() -> None:
    rows = [f"r{number},{number}" for number in range(20_000)]
    shown = excerpt("data.csv", "\n".join(["region,sales", *rows]))
    lines = shown.text.split("\n")
    assert shown.note == "2 columns: region, sales. Data rows: 20000."
    assert lines[:2] == ["region,sales", "r0,0"]
    assert lines[-1] == "r19999,19999"
    assert len(shown.text) <= EXCERPT_CHARS
    [marker] = [line for line in lines if line.startswith("[")]
    left_out = int(marker.split()[0][1:])
    assert left_out == 20_001 - (len(lines) - 1)
    assert shown.cut == f"{left_out} of 20001 lines not shown"


def test_one_long_line_is_shown_by_its_ends() -> None:
    shown = excerpt("data.json", json.dumps({"first": 1, "many": list(range(20_000)), "last": "end"}))
    assert shown.note == "A JSON object of 3 keys: first (number), many (array of 20000 items), last (string)."
    assert shown.text.startswith('{"first": 1')
    assert shown.text.endswith('"last": "end"}')
    assert len(shown.text) < 1000
    assert "1 long lines" in shown.cut


def test_all_attachments_share_one_budget_and_small_ones_come_first() -> None:
    small = [material(f"small-{n}.txt", "x" * 1000) for n in range(40)]
    large = [material(f"large-{n}.txt", ("y" * 99 + "\n") * (FILE_CHARS // 100 - 1)) for n in range(5)]
    shown = excerpts([*large, *small])
    assert all(not its.cut and len(its.text) == 1000 for its in shown[5:])
    assert sum(len(its.text) for its in shown) <= ATTACHMENTS_CHARS
    assert [bool(its.cut) for its in shown[:5]].count(True) >= 3
    assert all(its.text for its in shown)


@pytest.mark.parametrize(
    ("name", "data", "note"),
    [
        ("a.json", "{", "Not valid JSON."),
        ("a.json", "[" * 100_000, "Not valid JSON."),
        ("a.json", '[{"id": 1, "name": "x"}]', "A JSON array of 1 items, the first with the keys id, name."),
        ("a.json", "true", "A JSON boolean."),
        ("a.csv", 'x,"' + "y" * 200_000, "1 lines; not read as a table"),
        ("a.csv", "name;price\na;1,5\n", "2 columns: name, price. Data rows: 1. Separated by ';'."),
        ("a.tsv", "name\tprice\na\t1\n", "2 columns: name, price. Data rows: 1. Separated by '\\t'."),
        ("a.csv", "", "0 columns: . Data rows: 0."),
        ("a.md", "# Title\n\ntext\n", "3 lines of text."),
        ("a.png", b"\x89PNG\r\n\x1a\n\x00", "An image"),
        ("a.bin", bytes(range(256)), "A binary file."),
        ("a.zip", b"PK\x03\x04\x00\x00", "A binary file."),
    ],
)
def test_whatever_it_is_it_is_described(name: str, data: bytes | str, note: str) -> None:
    assert excerpt(name, data).note.startswith(note)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [("name,città\nÀ,1\n".encode("cp1252"), "windows-1252"), ("name,città\nÀ,1\n".encode("utf-16"), "utf-16le")],
)
def test_another_encoding_is_read_and_named(data: bytes, encoding: str) -> None:
    shown = excerpt("a.csv", data)
    assert shown.text == "name,città\nÀ,1\n"
    assert f"TextDecoder('{encoding}')" in shown.note


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    assert excerpt("a.csv", "\ufeffname,price\n").note == "2 columns: name, price. Data rows: 0."


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("photo.png", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("data.xlsx", b"region,sales\nnorth,1\n", "text/csv"),
        ("data.xls", b"region,sales\n", "text/csv"),
        ("picture.png", b"not a picture", "text/plain"),
        ("notes", b"words", "text/plain"),
        ("drawing.svg", b"<svg/>", "image/svg+xml"),
        ("data.csv", "città\n".encode("cp1252"), "text/csv"),
        ("mystery", b"MZ\x90\x00\xff", "application/octet-stream"),
    ],
)
def test_the_type_is_told_by_the_content(name: str, data: bytes, found: str) -> None:
    assert media_type(name, data) == found

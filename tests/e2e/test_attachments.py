"""Attachments as senders really send them: committed as they are, shown to the model in every round."""

import base64
import io
import subprocess
from pathlib import Path

import pytest
from openpyxl import Workbook
from slipway_under_test import Slipway

pytestmark = pytest.mark.asyncio(loop_scope="session")


def data_url(data: bytes, declared: str) -> str:
    return f"data:{declared};base64,{base64.b64encode(data).decode()}"


def workbook() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["region", "sales"], ["north", 17000.25], ["south", 725.25]):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def clone(url: str, folder: Path) -> Path:
    subprocess.run(["git", "clone", "-q", url, str(folder)], check=True)
    return folder


async def test_a_spreadsheet_lies_in_the_app_as_csv_too_and_is_shown_in_every_round(
    slipway: Slipway, tmp_path: Path
) -> None:
    sent = workbook()
    picture = b"\xff\xd8\xff\xe0" + bytes(20)
    attachments = [
        {"name": "sales.xlsx", "url": data_url(sent, "application/octet-stream")},
        {"name": "photo.png", "url": data_url(picture, "image/png")},
    ]
    request = slipway.request(brief="A page about sheets.", attachments=attachments)
    first = await slipway.ended(await slipway.submit(request))
    second = await slipway.run(task=request["task"], round=2, brief="Add the sum of the sheet.")
    assert (first.state, second.state) == ("notified", "notified")
    values = "region,sales\nnorth,17000.25\nsouth,725.25\n"
    for prompt in slipway.sandbox.prompts():
        assert "## sales.xlsx.csv (text/csv, 41 bytes)" in prompt.text
        assert values in prompt.text
        assert "## photo.png (image/jpeg, 24 bytes)" in prompt.text, "the type is told by the content"
        assert prompt.images == 1
    assert second.repo_url
    published = clone(second.repo_url, tmp_path / "clone")
    assert (published / "sales.xlsx").read_bytes() == sent
    assert (published / "sales.xlsx.csv").read_text() == values
    assert (published / "photo.png").read_bytes() == picture

"""Decoding `data:` URLs as browsers do."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway_common.data_url import DataUrl, DataUrlError, decode_data_url


@pytest.mark.parametrize(
    ("url", "media_type", "data"),
    [
        ("data:,Hello%2C%20World", "text/plain", b"Hello, World"),
        ("data:text/plain;charset=utf-8,a%C3%A4", "text/plain", "aä".encode()),
        ("data:text/csv;base64,YSxi", "text/csv", b"a,b"),
        ("data:Image/PNG;base64,iVBORw0KGgo=", "image/png", b"\x89PNG\r\n\x1a\n"),
        ("DATA:application/json;charset=utf-8;BASE64,e30", "application/json", b"{}"),
        ("data:;base64,Y Q%3D%3D\n", "text/plain", b"a"),
        ("data:;base64,-_-_", "text/plain", b"\xfb\xff\xbf"),
        ("data:text/plain,a,b", "text/plain", b"a,b"),
        ("data:text/plain;base64,", "text/plain", b""),
    ],
)
def test_it_decodes(url: str, media_type: str, data: bytes) -> None:
    assert decode_data_url(url) == DataUrl(media_type, data)


@pytest.mark.parametrize("url", ["", "http://x", "data:", "data:text/plain", "data:;base64,%%%", "data:;base64,abcde"])
def test_it_says_no(url: str) -> None:
    with pytest.raises(DataUrlError):
        decode_data_url(url)


@given(st.binary(max_size=300), st.booleans())
def test_every_content_comes_back(data: bytes, padded: bool) -> None:
    text = base64.b64encode(data).decode()
    assert decode_data_url(f"data:x/y;base64,{text if padded else text.rstrip('=')}").data == data

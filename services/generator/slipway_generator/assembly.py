"""What code puts into every app, whatever the model wrote: LICENSE, attachments, `.nojekyll`, the round's record."""

from collections.abc import Mapping, Sequence

from slipway_generator.attachments import README, Material

NOJEKYLL = ".nojekyll"
LICENSE = "LICENSE"
RECORD = ".slipway/task.json"

_MIT = """MIT License

Copyright (c) {year} {holder}

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def mit_license(year: int, holder: str) -> bytes:
    """The MIT text in full (https://opensource.org/license/mit)."""
    return _MIT.format(year=year, holder=holder).encode()


def is_slipways_own(path: str) -> bool:
    """Whether code alone writes this path."""
    return path in {LICENSE, NOJEKYLL} or path.startswith(".slipway/")


def is_models(path: str, attached: frozenset[str]) -> bool:
    """Whether the model may write this path; `attached` are the paths of attachments."""
    return not is_slipways_own(path) and (path not in attached or path == README)


def assemble(written: Mapping[str, bytes], materials: Sequence[Material], license_text: bytes) -> dict[str, bytes]:
    """The whole app: what the model wrote, then what is not for the model to write.

    `written` may hold the base's files too; they give way to this round's attachments and to LICENSE. An attached
    README.md stands above what the model wrote as README.md, once.
    """
    app = {path: data for path, data in written.items() if path != NOJEKYLL}
    for material in materials:
        if material.path == README:
            app[README] = _readme(material.data, app.get(README, b""))
        else:
            app[material.path] = material.data
    app[LICENSE] = license_text
    app[NOJEKYLL] = b""
    return {path: app[path] for path in sorted(app)}


def _readme(attached: bytes, ours: bytes) -> bytes:
    if ours.startswith(attached):
        return ours
    return attached + (b"\n" if attached.endswith(b"\n") else b"\n\n") + ours

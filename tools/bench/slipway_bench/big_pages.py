"""Pages of a size that examples do not have, the same ones every time."""

from slipway_generator.reply import EditBlock

_SECTION = """\
  <section id="part-{n}" class="card">
    <h2>Part {n}</h2>
    <p class="lead">What part {n} shows: total {total}, mean {mean}.</p>
    <label for="amount-{n}">Amount</label>
    <input id="amount-{n}" name="amount-{n}" type="number" value="{n}">
    <button type="button" data-part="{n}">Convert {n}</button>
    <output id="out-{n}"></output>
    <ul>
      <li>first line of part {n}</li>
      <li>second line of part {n}</li>
    </ul>
  </section>
"""
_SCRIPT = """\
function convert{n}(amount, rate = {n}.5) {{
  const input = document.getElementById("amount-{n}");
  const value = Number(amount ?? input.value) * rate;
  if (Number.isNaN(value)) {{
    throw new Error(`part {n}: ${{amount}} is no number`);
  }}
  document.getElementById("out-{n}").textContent = value.toFixed(2);
  return value;
}}
document.querySelector('[data-part="{n}"]').addEventListener("click", () => convert{n}());
"""
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>A page of {parts} parts</title>
<style>
.card {{ border: 1px solid #ddd; padding: 1rem; }}
.lead {{ color: #333; }}
</style>
</head>
<body>
<main>
{sections}</main>
<script>
{scripts}</script>
</body>
</html>
"""
README = b"\n".join(
    b"## " + section + b"\n\nAs it should be.\n"
    for section in (b"Summary", b"Setup", b"Usage", b"Code explanation", b"License")
)


def page_of(parts: int) -> str:
    """A sound page with 12 lines of markup and 10 of script for each part."""
    numbers = range(1, parts + 1)
    sections = "".join(_SECTION.format(n=n, total=n * 17, mean=n / 4) for n in numbers)
    return _PAGE.format(parts=parts, sections=sections, scripts="".join(_SCRIPT.format(n=n) for n in numbers))


def page_of_lines(lines: int) -> str:
    """A page of at least so many lines, by less than one part more."""
    return page_of((lines - 17) // 22 + 1)


def page_of_bytes(size: int) -> str:
    """A page of at least so many bytes, by less than one part more."""
    parts = 1
    while len(page := page_of(parts)) < size:
        parts += max(1, (size - len(page)) // 900)
    return page


def exact_edits(number: int) -> list[EditBlock]:
    """Edits of two lines each, copied exactly, spread over the first `number` x 5 parts."""
    return [_edit(part, f'    <output id="out-{part}"></output>\n    <ul>') for part in _parts(number)]


def inexact_edits(number: int) -> list[EditBlock]:
    """The same, but with blanks behind a line or without the indentation, in turns, as models copy."""
    return [
        _edit(part, f'<output id="out-{part}"></output>\n<ul>')
        if index % 2
        else _edit(part, f'    <output id="out-{part}"></output>  \n    <ul>')
        for index, part in enumerate(_parts(number))
    ]


def _parts(number: int) -> range:
    return range(3, 3 + number * 5, 5)


def _edit(part: int, search: str) -> EditBlock:
    return EditBlock(search, search.replace("<ul>", f'<ul class="list-{part}">'))

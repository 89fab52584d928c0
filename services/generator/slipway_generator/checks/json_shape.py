"""The shape of a JSON document as people draw it in a check: `{"city": "City", "lat": number, tags: [string]}`."""

import json
import re
from typing import Final, TypeAlias

Shape: TypeAlias = "str | dict[str, Shape] | list[Shape]"
"""A name of a type, or the shapes of an object's keys, or (in a list of one) that of an array's items."""

ANY: Final = "anything"
_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_ALIASES = {"str": "string", "text": "string", "float": "number", "int": "integer", "bool": "boolean", "list": "array"}


def read(drawing: str) -> "Shape | None":
    """The shape that `drawing` shows by type names or by sample values; None when it cannot be read."""
    text = re.sub(r",?\s*(?:\.\.\.|\u2026)\s*(?=[}\]])", "", drawing)
    text = re.sub(r"'([^'\"]*)'", r'"\1"', text)
    parts = re.split(r'("(?:[^"\\]|\\.)*")', text)
    for index in range(0, len(parts), 2):
        parts[index] = re.sub(r"(?<![\w.+-])(?!true\b|false\b|null\b)([A-Za-z_]\w*)", r'"\1"', parts[index])
    try:
        sample = json.loads("".join(parts))
    except ValueError:
        return None
    unquoted = set(re.findall(r'"(\w+)"', "".join(parts[::2])))
    return _shape(sample, unquoted)


def _shape(sample: object, unquoted: set[str]) -> Shape:
    if isinstance(sample, dict):
        return {str(key): _shape(value, unquoted) for key, value in sample.items()}
    if isinstance(sample, list):
        return [_shape(sample[0], unquoted)] if sample else "array"
    if isinstance(sample, str):
        name = _ALIASES.get(sample.lower(), sample.lower())
        return name if name in _PYTHON else ANY if sample in unquoted else "string"
    if isinstance(sample, bool):
        return "boolean"
    return ANY if sample is None else "number"


def flaw(value: object, shape: Shape, where: str = "it") -> str:
    """The first way in which `value` is not of `shape`, or ""."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return f"{where} is not an object"
        for key, inner in shape.items():
            if key not in value:
                return f"{where} has no {key}"
            found = flaw(value[key], inner, key)
            if found:
                return found
        return ""
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{where} is not an array"
        return next((found for item in value if (found := flaw(item, shape[0], f"an item of {where}"))), "")
    if shape == ANY:
        return ""
    fits = isinstance(value, _PYTHON[shape]) and (shape == "boolean" or not isinstance(value, bool))
    return "" if fits else f"{where} is not of type {shape}"

"""What a benchmark finds: named figures with a unit, told in one flat form on the screen and in JSON."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

Value = float | int | str | None


@dataclass(frozen=True)
class Told:
    """How a field is told. `key`: its name in JSON where it is not the field's own."""

    unit: str
    about: str
    key: str = ""


@dataclass(frozen=True)
class Figure:
    """One figure; `value` None: it could not be measured here."""

    key: str
    value: Value
    unit: str
    about: str


class Figures(BaseModel):
    """Base of what each benchmark returns: every field is annotated with a Told.

    A field that is a dict (say, one figure for each service) is told as several figures, `key.name`.
    """

    model_config = ConfigDict(frozen=True)

    def told(self) -> Iterator[Figure]:
        """All figures in the order of the fields, rounded to four significant digits."""
        for name, field in type(self).model_fields.items():
            how = next(item for item in field.metadata if isinstance(item, Told))
            key, value = how.key or name, getattr(self, name)
            if isinstance(value, dict):
                for part, its in value.items():
                    yield Figure(f"{key}.{part}", _rounded(its), how.unit, how.about)
            else:
                yield Figure(key, _rounded(value), how.unit, how.about)


class NotMeasuredError(Exception):
    """A benchmark cannot be run here; the message says what it lacks."""


def _rounded(value: Value) -> Value:
    return float(f"{value:.4g}") if isinstance(value, float) else value

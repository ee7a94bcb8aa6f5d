"""TOML read strictly: every unknown key, wrong type and empty word is an error that says where.

An error reads `matrix.toml: variant.cuda: unknown key 'provider'. Did you mean 'providers'?`
"""

from __future__ import annotations

import difflib
import math
import tomllib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from enum import StrEnum
    from pathlib import Path

    WhatIsWrong = Callable[[str], str | None]

Member = TypeVar("Member", bound="StrEnum")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the hint to end an error with: the known word that is nearest, or all known words."""
    choices = list(known)
    if close := difflib.get_close_matches(word, choices, n=1):
        return f"Did you mean '{close[0]}'?"
    return f"Known: {', '.join(choices)}." if choices else "None is known."


def read_toml(path: Path, *, keys: Iterable[str]) -> Table:
    """Return the whole file as a table that may hold `keys`; a file that is no TOML is refused."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not UTF-8: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from error
    return Table(values, file=str(path), keys=keys)


class Table:
    """One table of a TOML file that knows its place and gives out values of the asked type only."""

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        file: str,
        place: str = "",
        keys: Iterable[str] | None = None,
    ) -> None:
        """Refuse any key that is not in `keys`; None leaves the names to the file."""
        self._values = values
        self._file = file
        self._place = place
        known = values.keys() if keys is None else tuple(keys)
        for key in values:
            if key not in known:
                raise self.error(f"unknown key '{key}'. {nearest(key, known)}")

    def error(self, what: str, *, key: str = "") -> ConfigurationError:
        """Return the error that says where (file, table, `key`) and what is wrong."""
        place = ".".join(part for part in (self._place, key) if part)
        return ConfigurationError(": ".join(part for part in (self._file, place, what) if part))

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str) -> str:
        """Return the words under `key`, which must be there and must not be blank."""
        return self._text(self._needed(key), key)

    def texts(self, key: str, *, wrong: WhatIsWrong | None = None) -> tuple[str, ...]:
        """Return the list of distinct strings under `key`; nothing there is an empty list.

        `wrong` says of one string what is wrong with it, or None.
        """
        values = self._values.get(key, [])
        if not isinstance(values, list):
            raise self._type_error(key, values, "a list of strings")
        texts = tuple(self._text(value, key) for value in values)
        for text in texts:
            if texts.count(text) > 1:
                raise self.error(f"'{text}' stands there twice", key=key)
            if wrong and (what := wrong(text)):
                raise self.error(f"'{text}' {what}", key=key)
        return texts

    def member(self, key: str, kind: type[Member]) -> Member:
        """Return the member of the closed set `kind` that is named under `key`."""
        return self._member(self.text(key), key, kind)

    def members(self, key: str, kind: type[Member]) -> tuple[Member, ...]:
        """Return the members of the closed set `kind` that are named under `key`."""
        return tuple(self._member(text, key, kind) for text in self.texts(key))

    def one_or_more(self, key: str, kind: type[Member]) -> tuple[Member, ...]:
        """Return the members named under `key`: one word, or a list that is not empty."""
        if not isinstance(self._needed(key), list):
            return (self.member(key, kind),)
        if not (found := self.members(key, kind)):
            raise self.error("names nothing", key=key)
        return found

    def number(self, key: str, *, least: float, default: float | None = None) -> float:
        """Return the number under `key`, at least `least`; without a default it is needed."""
        if key not in self and default is not None:
            return default
        value = self._needed(key)
        # A TOML true is an int to Python.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._type_error(key, value, "a number")
        if not math.isfinite(value) or value < least:
            raise self.error(f"{value} is impossible: give a number from {least:g} up", key=key)
        return value

    def whole_number(self, key: str, *, least: int, default: int | None = None) -> int:
        """Return the whole number under `key`, at least `least`; without a default it is needed."""
        value = self.number(key, least=least, default=default)
        if not isinstance(value, int):
            raise self._type_error(key, value, "a whole number")
        return value

    def date(self, key: str) -> date:
        """Return the day under `key`, a TOML date as in 2026-11-24, which must be there."""
        value = self._needed(key)
        # A TOML date with a time of day is a date to Python.
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self._type_error(key, value, "a date without quotes, as in 2026-11-24,")
        return value

    def table(self, key: str, *, keys: Iterable[str] | None = None) -> Table:
        """Return the table under `key`; nothing there is an empty table."""
        values = self._values.get(key, {})
        if not isinstance(values, dict):
            raise self._type_error(key, values, "a table")
        return self._inner(values, key, keys)

    def tables(self, *, keys: Iterable[str] | None = None) -> dict[str, Table]:
        """Return every table in this one by its name; the names are the file's own."""
        return {name: self.table(name, keys=keys) for name in self._values}

    def table_list(self, key: str, *, keys: Iterable[str]) -> list[Table]:
        """Return the tables of the list under `key`; nothing there is an empty list."""
        values = self._values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self._type_error(key, values, "a list of tables")
        return [self._inner(value, f"{key}[{at}]", keys) for at, value in enumerate(values)]

    def strings(self) -> dict[str, str]:
        """Return this whole table, whose values must all be strings; a blank one is a string."""
        return {name: self._string(value, name) for name, value in self._values.items()}

    def _inner(self, values: dict[str, Any], key: str, keys: Iterable[str] | None) -> Table:
        place = ".".join(part for part in (self._place, key) if part)
        return Table(values, file=self._file, place=place, keys=keys)

    def _needed(self, key: str) -> Any:
        if key not in self._values:
            raise self.error(f"key '{key}' is missing")
        return self._values[key]

    def _string(self, value: Any, key: str) -> str:
        if not isinstance(value, str):
            raise self._type_error(key, value, "a string")
        return value

    def _text(self, value: Any, key: str) -> str:
        if not self._string(value, key).strip():
            raise self.error("is blank", key=key)
        return str(value)

    def _member(self, text: str, key: str, kind: type[Member]) -> Member:
        try:
            return kind(text)
        except ValueError as error:
            raise self.error(f"unknown '{text}'. {nearest(text, kind)}", key=key) from error

    def _type_error(self, key: str, value: Any, wanted: str) -> ConfigurationError:
        return self.error(f"must be {wanted}, not {type(value).__name__} {value!r}", key=key)

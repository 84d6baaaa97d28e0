"""Compares the values of two versions, each a value by its place: through a table of renames, numbers apart from words.

A place is written in parts: `report.json/questions/3/probability`, `draws.npz/main/leverage`, `status -v/text`.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

RTOL: Final = 1e-12
ATOL_OF_RTOL: Final = 1e-3
"""The absolute tolerance as a share of the relative one."""
RUN_ID: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
_NUMBER: Final = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?|[▁-▟⠀-⣿]+")
"""A number in a text, or a run of the block characters that draw a curve."""
_MASKS: Final = (
    (RUN_ID, "<run>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:[\d.]+)?(Z|[+-]\d\d:\d\d)?"), "<time>"),
    (re.compile(r"\b[0-9a-f]{40,64}\b|\b(\d+-)?(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,16}\b"), "<digest>"),
)

type Value = float | bool | str | np.ndarray[Any, Any] | None


@dataclass(frozen=True)
class Table:
    """What `compare_versions.toml` says.

    in_both_forms, once, slow, poll: the commands, see there. words, keys: old and new word or pattern. by_design: pattern and reason.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    by_design: Mapping[str, str] = field(default_factory=dict)
    in_both_forms: Sequence[str] = ()
    once: Sequence[str] = ()
    slow: Sequence[str] = ()
    poll: str = ""

    def __post_init__(self) -> None:
        if wrong := [old for old, new in self.keys.items() if old.count("*") != new.count("*")]:
            raise ValueError(f"[keys]: old and new pattern have not as many *: {', '.join(wrong)}")

    @classmethod
    def read(cls, path: Path) -> Table:
        return cls(**tomllib.loads(path.read_text(encoding="utf-8")))

    def renamed_words(self, text: str) -> str:
        """The text of the old version, in the new words."""
        for old, new in self.words.items():
            text = re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w)", new.replace("\\", r"\\"), text)
        return text

    def renamed(self, place: str) -> str:
        """The place in the new version of what stands at `place` in the old one."""
        place = self.renamed_words(place)
        for old, new in self.keys.items():
            first, *others = new.split("*")
            place = pattern(old).sub(first + "".join(rf"\g<{i}>{part}" for i, part in enumerate(others, 1)), place)
        return place

    def reason(self, place: str) -> str | None:
        """Why the value at `place` is not compared; None if it is."""
        return next((f"{key}: {why}" for key, why in self.by_design.items() if pattern(key).search(place)), None)


def pattern(parts: str) -> re.Pattern[str]:
    """Finds these parts in a row anywhere in a place; * is one part, or a piece of one, and a group. `re` remembers what it compiled."""
    return re.compile(r"(?<![^/])" + re.escape(parts).replace(r"\*", "([^/]*)") + r"(?![^/])")


def flat(document: Any, place: str) -> Iterator[tuple[str, Value]]:
    """Every value of a JSON document by its place; an empty list or object is a value too."""
    if isinstance(document, dict | list) and document:
        for key, inner in document.items() if isinstance(document, dict) else enumerate(document):
            yield from flat(inner, f"{place}/{key}")
    else:
        yield place, repr(document) if isinstance(document, dict | list) else document


@dataclass
class Comparison:
    """Values compared, counted by document, and not compared, by reason; differences in numbers, and in words alone, by place."""

    compared: Counter[str] = field(default_factory=Counter)
    by_design: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.numbers or self.words)


def compare(
    old: Mapping[str, Value], new: Mapping[str, Value], table: Table, *, numbers_only: bool = False, rtol: float = RTOL
) -> Comparison:
    """Compare the values of two versions. numbers_only: of a text only its numbers count, in their order. rtol: relative tolerance."""
    comparison = Comparison()
    old_places = {place: table.renamed(place) for place in old}
    if twice := [place for place, count in Counter(old_places.values()).items() if count > 1]:
        raise ValueError(f"[keys] or [words] give several old places the new name {twice[0]}")
    old = {old_places[place]: table.renamed_words(value) if isinstance(value, str) else value for place, value in old.items()}
    for place in dict.fromkeys((*old, *new)):
        if reason := table.reason(place):
            comparison.by_design[reason] += 1
            continue
        comparison.compared[document(place)] += 1
        if place in old and place in new:
            before, after = old[place], new[place]
            difference = difference_of(before, after, numbers_only=numbers_only, rtol=rtol)
            in_numbers = not (isinstance(before, str) and isinstance(after, str)) or bool(numbers_moved(mask(before), mask(after)))
        else:
            value = old[place] if place in old else new[place]
            in_numbers = not (isinstance(value, str | None) and not numbers(mask(value or "")))
            missed = in_numbers or not numbers_only
            difference = f"only in the {'old' if place in old else 'new'} version: {short(value)}" if missed else ""
        if difference:
            (comparison.numbers if in_numbers else comparison.words)[place] = difference
    return comparison


def document(place: str) -> str:
    """The report, the draws, the posterior, or the command that a place lies in."""
    first, _, rest = place.partition("/")
    return f"{first}/{rest.partition('/')[0]}" if first == "refit" else first


def difference_of(old: Value, new: Value, *, numbers_only: bool, rtol: float = RTOL) -> str:
    """How two values differ; empty if they do not."""
    if isinstance(old, str) and isinstance(new, str):
        return (numbers_moved if numbers_only else words_moved)(mask(old), mask(new))
    if isinstance(old, np.ndarray | np.generic) and isinstance(new, np.ndarray | np.generic):
        return _arrays_moved(old, new, rtol)
    if {type(old), type(new)} <= {int, float} and math.isclose(old, new, rel_tol=rtol, abs_tol=rtol * ATOL_OF_RTOL):  # type: ignore[arg-type]
        return ""
    return "" if type(old) is type(new) and old == new else f"{short(old)} → {short(new)}"


def _arrays_moved(old: Any, new: Any, rtol: float) -> str:
    if old.shape != new.shape or old.dtype != new.dtype:
        return f"{short(old)} → {short(new)}"
    before, after = np.atleast_1d(old), np.atleast_1d(new)
    unequal = ~np.isclose(before.astype(float), after.astype(float), rtol, rtol * ATOL_OF_RTOL, equal_nan=True)
    if not unequal.any():
        return ""
    first = tuple(int(index[0]) for index in np.nonzero(unequal))
    return f"{unequal.sum():,} of {unequal.size:,} elements; at {list(first)} {before[first]} → {after[first]}"


def words_moved(old: str, new: str) -> str:
    """The lines of two texts that differ; empty if they do not."""
    if "\n" not in old + new:
        return "" if old == new else f"- {old}\n+ {new}"
    return "\n".join(list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm=""))[2:])


def numbers_moved(old: str, new: str) -> str:
    """The numbers of two texts that differ, each with its line; empty if they do not."""
    before, after = _numbered(old), _numbered(new)
    matcher = difflib.SequenceMatcher(None, [number for number, _ in before], [number for number, _ in after], autojunk=False)
    moved = []
    for kind, a, b, c, d in [] if numbers(old) == numbers(new) else matcher.get_opcodes():
        if kind != "equal":
            moved += [f"- {number} in: {line}" for number, line in before[a:b]]
            moved += [f"+ {number} in: {line}" for number, line in after[c:d]]
    return "\n".join(moved)


def _numbered(text: str) -> list[tuple[str, str]]:
    """Every number of a text, with the line that it stands in."""
    lines = text.replace("−", "-").splitlines()
    return [(number, line.strip()) for line in lines for number in _NUMBER.findall(re.sub("<[a-z]+>", "", line))]


def numbers(text: str) -> list[str]:
    """The numbers of a text, in their order."""
    return [number for number, _ in _numbered(text)]


def mask(text: str) -> str:
    """The text without what differs from run to run: ids, times, digests."""
    for expression, mark in _MASKS:
        text = expression.sub(mark, text)
    return text


def short(value: Value, most: int = 70) -> str:
    text = f"{value.dtype}{list(value.shape)}" if isinstance(value, np.ndarray | np.generic) else repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def summary(comparison: Comparison, table: Table, most: int) -> str:
    """A readable page: what was compared, what was not and why, and at most so many differences of each document.

    Places that differ only in numbered parts (rows of a list) are shown together, by the first.
    """
    differing = Counter(map(document, (*comparison.numbers, *comparison.words)))
    equal = [name for name in comparison.compared if not differing[name]]
    out = ["Compared:"]
    for name in [name for name in comparison.compared if differing[name]]:
        out.append(f"  {name}: {differing[name]:,} of {comparison.compared[name]:,} values differ")
    out.append(f"  all {sum(comparison.compared[name] for name in equal):,} values are equal of {', '.join(equal) or 'nothing'}")
    unmatched = [reason for reason in (f"{key}: {why}" for key, why in table.by_design.items()) if reason not in comparison.by_design]
    out += ["", "Not compared, by design:", *(f"  {reason} ({count:,})" for reason, count in comparison.by_design.items())]
    out += [f"  {reason} (nothing of the kind)" for reason in unmatched]
    for title, differences in (("Numbers that differ", comparison.numbers), ("Words that differ", comparison.words)):
        out += ["", f"{title}: {len(differences) or 'none'}"]
        groups: dict[str, list[str]] = {}
        for place in differences:
            groups.setdefault(re.sub(r"/\d+(?=/|$)", "/*", place), []).append(place)
        shown = Counter[str]()
        for places in groups.values():
            name = document(places[0])
            shown[name] += 1
            if shown[name] <= most:
                lines = differences[places[0]].splitlines()
                out.append(f"  {places[0]}" + (f" and {len(places) - 1} more like it" if places[1:] else ""))
                out += [f"    {line[:200]}" for line in lines[:most]]
                out += [f"    … {len(lines) - most} more lines"] if len(lines) > most else []
        out += [f"  {name}: {count - most} more kinds of place (--full shows them)" for name, count in shown.items() if count > most]
    return "\n".join(out)

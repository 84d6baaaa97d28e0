"""Text for a terminal: lines that fit, sentences that end."""

from __future__ import annotations

from collections.abc import Sequence

from forecast.errors import ForecastError


def wrap(text: str, width: int, initial_indent: str = "", subsequent_indent: str = "") -> list[str]:
    """Lines of at most `width` characters; a number is not torn from its per cent."""
    from textwrap import wrap as fill

    kept = text.replace(" %", "\u00a0%")
    return [line.replace("\u00a0", " ") for line in fill(kept, width, initial_indent=initial_indent, subsequent_indent=subsequent_indent)]


def continued(parts: Sequence[str], width: int = 80) -> list[str]:
    """A command in lines that fit and can be pasted: broken between its parts, each line but the last ending in a backslash."""
    lines = [f"  {parts[0]}"]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) + 3 > width:
            lines[-1] += " \\"
            lines.append(f"    {part}")
        else:
            lines[-1] += f" {part}"
    return lines


def sentence(text: str) -> str:
    """With a capital and one full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def together(errors: Sequence[ForecastError]) -> ForecastError:
    """Several failures as one, of the first one's kind and exit code. `errors` is not empty."""
    if len(errors) == 1:
        return errors[0]
    made = type(errors[0])("\n".join(map(str, errors)))
    made.__cause__ = errors[0].__cause__ or errors[0]
    return made


def terminal_width() -> int:
    import shutil

    return shutil.get_terminal_size((80, 24)).columns

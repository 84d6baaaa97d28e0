"""Numbers and calls as a person writes them in a prior: `0.8`, `1/3`, `logit(0.65)`, `Normal(0.8, 0.3)`. Nothing is evaluated."""

from __future__ import annotations

import ast
import math
import re
import warnings
from dataclasses import dataclass
from fractions import Fraction
from typing import Final


class SpecError(ValueError):
    """A prior that cannot be: what was found, what was expected, how to mend it."""

    def __init__(self, found: str, expected: str, remedy: str) -> None:
        super().__init__(f"found {found}; expected {expected}. {remedy}")
        self.found, self.expected, self.remedy = found, expected, remedy


_LEADING_ZEROS: Final = re.compile(r"(?<![\w.])(?<![eE][-+])0+[0-9][\w.]*")


@dataclass(frozen=True, slots=True)
class Call:
    """`name(0.8, shift=3)` taken apart."""

    name: str
    positional: tuple[float, ...]
    named: dict[str, float]


def number_text(x: float) -> str:
    """The shortest text that reads back as exactly `x`: 3, 0.04, 1/3, logit(0.65)."""
    if not math.isfinite(x):
        return repr(float(x))
    text = repr(float(x)).removesuffix(".0")
    if len(text) <= 10:
        return text
    ratio = Fraction(x).limit_denominator(99)
    if ratio.numerator / ratio.denominator == x:
        return f"{ratio.numerator}/{ratio.denominator}"
    share = round(1 / (1 + math.exp(-x)), 3) if abs(x) < 7 else 0.5
    return f"logit({share!r})" if 0 < share < 1 and logit(share) == x else text


def logit(p: float) -> float:
    return math.log(p) - math.log1p(-p)


def read_call(text: str) -> Call:
    """Take apart one call with plain numbers; SpecError if it is anything else."""
    if zeros := _LEADING_ZEROS.search(text):
        raise SpecError(repr(zeros[0]), "a number without zeros before it", "Take out the zeros before the first digit.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's remarks on odd literals are not for the person who wrote a prior
            node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _not_a_call(text) from None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise _not_a_call(text)
    positional = tuple(_number(arg, text) for arg in node.args)
    named = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise _not_a_call(text)
        named[keyword.arg] = _number(keyword.value, text)
    return Call(node.func.id, positional, named)


def _number(node: ast.expr, text: str) -> float:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:
                raise SpecError(_short(text), "numbers of a usual size", "Write a smaller number.") from None
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand, text)
        case ast.BinOp(left=left, op=ast.Div(), right=right) if (below := _number(right, text)) != 0:
            return _number(left, text) / below
        case ast.Call(func=ast.Name(id="logit"), args=[arg], keywords=[]) if 0 < (p := _number(arg, text)) < 1:
            return logit(p)
    raise SpecError(_short(text), "plain numbers between the brackets", "Write 0.04, 1/3 or logit(0.65).")


def _not_a_call(text: str) -> SpecError:
    return SpecError(_short(text), "a prior such as Normal(0.8, 0.3) or quantiles(0.01, 0.04, 0.12)", "See `forecast priors list`.")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 60 else text[:57] + "...")

"""`forecast priors pool`: several people's beliefs about one prior, made one, with their disagreement in sight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._text import sentence, terminal_width, wrap

if TYPE_CHECKING:
    from forecast.jobs.priors.try_edits import EditTrial
    from forecast.priors.expert_pooling import Opinion, Pooled
    from forecast.priors.load import Priors


@click.command(
    "pool",
    epilog=examples(
        "forecast priors pool leverage.effect 'Normal(0.8, 0.3)' 'Normal(1.5, 0.5)'",
        "forecast priors pool ladder.rise.3 'Ana: quantiles(0.002, 0.01, 0.05)' 'Ben: quantiles(0.02, 0.05, 0.1)' --weights 2,1",
        "forecast priors pool leverage.effect 'Normal(0.8, 0.3)' 'Normal(1.5, 0.5)' --method log --json",
    ),
)
@common()
@click.argument("name")
@click.argument("beliefs", nargs=-1, metavar="'[PERSON:] PRIOR'…")
@click.option(
    "--file", metavar="FILE", help="Also read quantiles from CSV: name, q05, q50, q95 and, if wanted, weight. - is standard input."
)
@click.option("--weights", metavar="W,W,…", help="How much each belief counts, in order.  [default: all alike]")
@click.option(
    "--method", type=click.Choice(["linear", "log"]), default="linear", show_default=True, help="Mixture, or geometric mean of densities."
)
def pool(
    context: Context, name: str, beliefs: tuple[str, ...], file: str | None, weights: str | None, method: Literal["linear", "log"]
) -> None:
    """Pool several people's beliefs about the prior NAME, and say what the pool implies; nothing is written.

    The linear pool keeps their disagreement as spread: it says what someone would believe who trusts each of them that much. The log pool
    is what they would agree on, narrower than the linear one.
    """
    from forecast.cli._headline_effect import tried_on_newest
    from forecast.errors import InputError, Problem
    from forecast.priors.catalogue import CATALOGUE, nearest
    from forecast.priors.expert_pooling import pool as pooled
    from forecast.priors.load import load_priors
    from forecast.priors.text import SpecError

    if name not in CATALOGUE:
        raise InputError(f"There is no prior named {name!r}.", f"Did you mean {nearest(name)}? `forecast priors list` names them all.")
    priors = load_priors(context.workspace.priors)
    try:
        made = pooled(name, _opinions(context, name, priors, beliefs, file, weights), priors.spec(name), method)
    except SpecError as e:
        raise InputError.of([Problem("pool", e.found, e.expected, e.remedy, column=name)]) from e
    tried = tried_on_newest(context, {} if made.spec == priors.spec(name) else {name: made.spec})
    if context.json:
        context.say_json(_document(priors, name, made, tried))
        return
    for line in _page(priors, name, made, tried, min(terminal_width(), 100)):
        context.say(line)


def _opinions(
    context: Context, name: str, priors: Priors, beliefs: tuple[str, ...], file: str | None, weights: str | None
) -> list[Opinion]:
    """All that was given, weighed. Raises SpecError, InputError for a file."""
    from forecast.priors.elicitation import may_be_elicited
    from forecast.priors.expert_pooling import Opinion, opinion, read_opinions
    from forecast.priors.text import SpecError
    from forecast.storage.text import read_argument

    may_be_elicited(name)
    found = [opinion(name, text, i) for i, text in enumerate(beliefs, 1)]
    if file is not None:
        source, called = context.read_argument(file)
        found += read_opinions(name, read_argument(source, called), priors.spec(name), called)
    if weights is None:
        return found
    try:
        numbers = [float(w) for w in weights.split(",")]
    except ValueError:
        raise SpecError(f"the weights {weights!r}", "numbers between commas", "Write --weights 2,1.") from None
    if len(numbers) != len(found):
        raise SpecError(f"{len(numbers)} weights", f"{len(found)}, one for each belief", "Give them in the order of the beliefs.")
    return [Opinion(o.person, o.spec, w) for o, w in zip(found, numbers, strict=True)]


def _page(priors: Priors, name: str, made: Pooled, tried: EditTrial | str, width: int) -> Iterator[str]:
    from forecast.cli._headline_effect import headline_words
    from forecast.cli._prior_view import span
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.density_curve import draw
    from forecast.priors.descriptions import in_words, percent, unit_text
    from forecast.priors.expert_pooling import CHECKED
    from forecast.priors.implied import implied

    def unit(x: float) -> str:
        return unit_text(name, x)

    entry = CATALOGUE[name]
    yield from wrap(f"{name} ({entry.symbol}), now {priors.spec(name)}", width, subsequent_indent="    ")
    yield from wrap(entry.what, width)
    yield ""
    people = min(max(len(entry.unit), *(len(o.person) for o in made.opinions)), width - 50)
    yield f"{entry.unit[:people]:<{people}}{'weight':>9}{'5 %':>10}{'50 %':>10}{'95 %':>10}"
    for o in made.opinions:
        yield f"{o.person[:people]:<{people}}{percent(o.weight):>9}" + "".join(f"{unit(q):>10}" for q in o.spec.interval())
    yield f"{f'{made.method} pool':<{people}}{'':>9}" + "".join(f"{unit(made.exact[CHECKED.index(p)]):>10}" for p in (0.05, 0.5, 0.95))
    yield f"{'as a prior':<{people}}{'':>9}" + "".join(f"{unit(q):>10}" for q in made.spec.interval())
    yield ""
    yield from wrap(_agreement(made), width)
    yield from wrap(_fit(made), width)
    yield ""
    yield from wrap(f"{name} = {made.spec}", width, subsequent_indent="    ")
    yield from wrap(sentence(in_words(name, made.spec)), width)
    yield ""
    yield from [*draw(made.spec, unit, min(60, width)), f"5, 50 and 95 % quantiles; {entry.unit}", ""]
    rows = implied(priors.replace({name: made.spec}), name)
    if rows:
        yield from wrap("What it implies, the other priors at their medians (5 to 95 % of this one):", width)
        for new, old in zip(rows, implied(priors, name), strict=True):
            yield from wrap(f"{new.what}: {span(new)}; now {span(old)}", width, initial_indent="  ", subsequent_indent="    ")
        yield ""
    yield from [*wrap(headline_words(tried), width), ""]
    yield "Nothing was written. To see every question, and to write it:"
    yield f"  forecast priors try '{name} = {made.spec}'"
    people_text = ", ".join(o.person for o in made.opinions)
    yield f"  forecast priors set '{name} = {made.spec}' \\"
    yield from wrap(f"--why '…' --by '…' --source '{made.method} pool of {people_text}'", width, "    ", "    ")


def _agreement(made: Pooled) -> str:
    from forecast.priors.descriptions import percent

    share = made.disagreement
    how = "They hardly disagree" if share < 0.1 else "They disagree in part" if share < 0.5 else "They disagree more than each is unsure"
    said = f"{how}: {percent(share)} of the variance lies between them, the rest is what each is unsure of."
    if made.method == "log" and share >= 0.1:
        said += " The log pool leaves that disagreement out; the linear pool keeps it."
    return said


def _fit(made: Pooled) -> str:
    """How well the family has the pool."""
    from forecast.priors.descriptions import percent

    if made.misplaced < 0.02:
        return "A prior of this family has the pool well."
    what = (
        "Two opinions this far apart make humps, which no prior of this family has"
        if made.disagreement > 0.5
        else "The pool has another shape"
    )
    return (
        f"{what}: its distribution function is off by up to {percent(made.misplaced)}; median and 90 % interval are matched as they can be."
    )


def _document(priors: Priors, name: str, made: Pooled, tried: EditTrial | str) -> dict[str, Any]:
    from forecast.priors.descriptions import in_words
    from forecast.priors.expert_pooling import CHECKED
    from forecast.priors.implied import implied

    rows = implied(priors.replace({name: made.spec}), name)
    labels = [f"q{100 * p:02.0f}" for p in CHECKED]
    return {
        "name": name,
        "method": made.method,
        "opinions": [
            {
                "person": o.person,
                "prior": str(o.spec),
                "weight": o.weight,
                **dict(zip(("q05", "q50", "q95"), o.spec.interval(), strict=True)),
            }
            for o in made.opinions
        ],
        "variance": {"within": made.within, "between": made.between, "disagreement": made.disagreement},
        "pool": dict(zip(labels, made.exact, strict=True)),
        "from": str(priors.spec(name)),
        "to": str(made.spec),
        "fit": {**dict(zip(labels, made.fitted, strict=True)), "misplaced": made.misplaced},
        "words": in_words(name, made.spec),
        "implied": [{"what": r.what, "unit": r.unit, "q05": r.low, "q50": r.middle, "q95": r.high} for r in rows],
        "tried": tried if isinstance(tried, str) else tried.as_dict(),
    }

"""`forecast priors pool`: combine several people's beliefs about one prior, and show how far they disagree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._text import sentence, terminal_width, wrap

if TYPE_CHECKING:
    from forecast.jobs.priors.try_edits import EditTrial
    from forecast.priors.expert_pooling import Opinion, PooledPrior
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
    "--file",
    metavar="FILE",
    help="Also read quantiles from a CSV file with columns name, q05, q50, q95 and optionally weight. - is standard input.",
)
@click.option("--weights", metavar="W,W,…", help="Weight of each belief, in order.  [default: equal]")
@click.option(
    "--method", type=click.Choice(["linear", "log"]), default="linear", show_default=True, help="Mixture, or geometric mean of densities."
)
def pool(
    context: Context, name: str, beliefs: tuple[str, ...], file: str | None, weights: str | None, method: Literal["linear", "log"]
) -> None:
    """Pool several people's beliefs about the prior NAME, and show what the pool implies. Nothing is written.

    The linear pool averages the densities, so disagreement makes it wider. The log pool averages the logarithms of the densities: it
    concentrates where all agree, and is narrower.
    """
    from forecast.cli.priors_try import try_on_latest_run
    from forecast.errors import InputError, Problem
    from forecast.priors.catalogue import check_known
    from forecast.priors.expert_pooling import pool_opinions
    from forecast.priors.load import load_priors
    from forecast.priors.specs import SpecError

    check_known(name)
    priors = load_priors(context.workspace.priors)
    try:
        pooled = pool_opinions(name, _opinions(context, name, priors, beliefs, file, weights), priors.spec(name), method)
    except SpecError as e:
        raise InputError.of([Problem("pool", e.found, e.expected, e.remedy, column=name)]) from e
    effect = try_on_latest_run(context, {} if pooled.spec == priors.spec(name) else {name: pooled.spec})
    if context.json:
        context.say_json(_document(priors, name, pooled, effect))
        return
    for line in _page(priors, name, pooled, effect, min(terminal_width(), 100)):
        context.say(line)


def _opinions(
    context: Context, name: str, priors: Priors, beliefs: tuple[str, ...], file: str | None, weights: str | None
) -> list[Opinion]:
    """The beliefs from the command line and the file, with their weights. Raises SpecError, or InputError for a file."""
    from forecast.priors.elicitation import check_elicitable
    from forecast.priors.expert_pooling import Opinion, parse_opinion, read_opinions
    from forecast.priors.specs import SpecError
    from forecast.storage.text import read_input_text

    check_elicitable(name)
    opinions = [parse_opinion(name, text, i) for i, text in enumerate(beliefs, 1)]
    if file is not None:
        source, called = context.read_argument(file)
        opinions += read_opinions(name, read_input_text(source, called), priors.spec(name), called)
    if weights is None:
        return opinions
    try:
        numbers = [float(w) for w in weights.split(",")]
    except ValueError:
        raise SpecError(f"the weights {weights!r}", "numbers between commas", "Write --weights 2,1.") from None
    if len(numbers) != len(opinions):
        raise SpecError(f"{len(numbers)} weights", f"{len(opinions)}, one for each belief", "Give them in the order of the beliefs.")
    return [Opinion(o.person, o.spec, w) for o, w in zip(opinions, numbers, strict=True)]


def _page(priors: Priors, name: str, pooled: PooledPrior, effect: EditTrial | str, width: int) -> Iterator[str]:
    from forecast.cli.priors_show import proposal_lines
    from forecast.cli.priors_try import describe_effect
    from forecast.formatting import fine_percent
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.descriptions import describe_prior, format_value
    from forecast.priors.expert_pooling import COMPARED_AT

    def unit(x: float) -> str:
        return format_value(name, x)

    entry = CATALOGUE[name]
    yield from wrap(f"{name} ({entry.symbol}), now {priors.spec(name)}", width, subsequent_indent="    ")
    yield from wrap(entry.what, width)
    yield ""
    people = min(max(len(entry.unit), *(len(o.person) for o in pooled.opinions)), width - 50)
    yield f"{entry.unit[:people]:<{people}}{'weight':>9}{'5 %':>10}{'50 %':>10}{'95 %':>10}"
    for o in pooled.opinions:
        yield f"{o.person[:people]:<{people}}{fine_percent(o.weight):>9}" + "".join(f"{unit(q):>10}" for q in o.spec.interval())
    yield f"{f'{pooled.method} pool':<{people}}{'':>9}" + "".join(
        f"{unit(pooled.exact[COMPARED_AT.index(p)]):>10}" for p in (0.05, 0.5, 0.95)
    )
    yield f"{'as a prior':<{people}}{'':>9}" + "".join(f"{unit(q):>10}" for q in pooled.spec.interval())
    yield ""
    yield from wrap(_agreement(pooled), width)
    yield from wrap(_fit(pooled), width)
    yield ""
    yield from wrap(f"{name} = {pooled.spec}", width, subsequent_indent="    ")
    yield from wrap(sentence(describe_prior(name, pooled.spec)), width)
    yield ""
    yield from proposal_lines(priors, name, pooled.spec, width)
    yield from [*wrap(describe_effect(effect), width), ""]
    yield "Nothing was written. To see the effect on every question, and to write it:"
    yield f"  forecast priors try '{name} = {pooled.spec}'"
    people_text = ", ".join(o.person for o in pooled.opinions)
    yield f"  forecast priors set '{name} = {pooled.spec}' \\"
    yield from wrap(f"--why '…' --by '…' --source '{pooled.method} pool of {people_text}'", width, "    ", "    ")


def _agreement(pooled: PooledPrior) -> str:
    from forecast.formatting import fine_percent

    share = pooled.disagreement
    if share < 0.1:
        how = "They nearly agree"
    elif share < 0.5:
        how = "They disagree in part"
    else:
        how = "They differ from each other by more than their own uncertainty"
    text = f"{how}: {fine_percent(share)} of the variance is between people, the rest is each person's own uncertainty."
    if pooled.method == "log" and share >= 0.1:
        text += " The log pool ignores this disagreement; the linear pool includes it."
    return text


def _fit(pooled: PooledPrior) -> str:
    """How closely a prior of the family can match the pool."""
    from forecast.formatting import fine_percent

    if pooled.largest_gap < 0.02:
        return "A prior of this family matches the pool closely."
    what = (
        "Opinions this far apart give several peaks, which no prior of this family has"
        if pooled.disagreement > 0.5
        else "The pool has a different shape"
    )
    return f"{what}. The distribution functions differ by up to {fine_percent(pooled.largest_gap)}."


def _document(priors: Priors, name: str, pooled: PooledPrior, effect: EditTrial | str) -> dict[str, Any]:
    from forecast.priors.descriptions import describe_prior
    from forecast.priors.expert_pooling import COMPARED_AT
    from forecast.priors.implied import implied_quantities

    rows = implied_quantities(priors.replace({name: pooled.spec}), name)
    labels = [f"q{100 * p:02.0f}" for p in COMPARED_AT]
    return {
        "name": name,
        "method": pooled.method,
        "opinions": [
            {
                "person": o.person,
                "prior": str(o.spec),
                "weight": o.weight,
                **dict(zip(("q05", "q50", "q95"), o.spec.interval(), strict=True)),
            }
            for o in pooled.opinions
        ],
        "variance": {"within": pooled.within, "between": pooled.between, "disagreement": pooled.disagreement},
        "pool": dict(zip(labels, pooled.exact, strict=True)),
        "from": str(priors.spec(name)),
        "to": str(pooled.spec),
        "fit": {**dict(zip(labels, pooled.fitted, strict=True)), "misplaced": pooled.largest_gap},
        "words": describe_prior(name, pooled.spec),
        "implied": [row.as_dict() for row in rows],
        "tried": effect if isinstance(effect, str) else effect.as_dict(),
    }

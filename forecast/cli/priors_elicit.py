"""`forecast priors elicit`: turn a person's answers into a prior, and show what it implies before writing it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples

if TYPE_CHECKING:
    from forecast.jobs.priors.edits import PriorEditResult
    from forecast.jobs.priors.try_edits import EditTrial
    from forecast.priors.distributions import Distribution
    from forecast.priors.elicitation import Evaluation
    from forecast.priors.load import Priors

METHODS: Final = {
    "quantiles": "three values that it is below with 5, 50 and 95 % probability",
    "odds": "how many times more likely something is in one situation than in another",
    "within-a-year": "the lowest and the highest chance within a year, in ordinary times",
    "headline": "the probability of the headline; this prior is shifted until the forecast gives it",
}


@dataclass(frozen=True)
class ElicitedPrior:
    """What a person said, in which way, and the prior that it makes; `answer` if it was solved for, `lacking` if it could not be."""

    way: str
    numbers: tuple[float, ...]
    spec: Distribution
    answer: Evaluation | None = None
    lacking: str | None = None


@click.command(
    "elicit",
    epilog=examples(
        "forecast priors elicit ladder.skip_up.3 --quantiles 0.01,0.04,0.12",
        "forecast priors elicit leverage.effect --odds 1.2,3,8",
        "forecast priors elicit ladder.rise.3 --within-a-year 0.02,0.10 --yes --why 'As I know Mexico.' --by me",
    ),
)
@common()
@click.argument("name")
@click.option("--quantiles", metavar="Q05,Q50,Q95", help="Its 5, 50 and 95 % quantiles.")
@click.option(
    "--odds", metavar="LOW,MIDDLE,HIGH", help="For an effect: how many times more likely with it than without; 5, 50 and 95 % quantiles."
)
@click.option(
    "--within-a-year", "year", metavar="LOW,HIGH", help="For a rise: its chance within a year in ordinary times; 5 and 95 % quantiles."
)
@click.option("--headline", metavar="P", help="Shift this prior until the headline has this probability.")
@click.option("--yes", is_flag=True, help="Write without asking; needs --why and --by.")
@click.option("--why", metavar="TEXT", help="The reason. It is written to the file and the history.")
@click.option("--by", metavar="NAME", help="Your name.")
def elicit(
    context: Context,
    name: str,
    quantiles: str | None,
    odds: str | None,
    year: str | None,
    headline: str | None,
    yes: bool,
    why: str | None,
    by: str | None,
) -> None:
    """Build the prior NAME from your answers, and show what it implies.

    On a terminal the command asks for numbers, shows the prior, and asks again until you accept it. Then it offers to write it, as
    `forecast priors set` does. With one of the options below it skips the questions. Nothing is written without --yes or your consent.
    """
    from forecast.errors import InputError, Problem, UsageError
    from forecast.priors.catalogue import check_known
    from forecast.priors.load import load_priors
    from forecast.priors.specs import SpecError

    check_known(name)
    written = zip(METHODS, (quantiles, odds, year, headline), strict=True)
    given = [(way, text) for way, text in written if text is not None]
    asks = can_prompt()
    if len(given) > 1:
        raise UsageError(f"--{given[0][0]} and --{given[1][0]} cannot be given together.", "Give one of them.")
    if not given and not asks:
        raise UsageError(
            "Standard input is not a terminal, so no prompt is possible.", "Use --quantiles, --odds, --within-a-year or --headline."
        )
    if yes and not asks and not (why and by):
        raise UsageError("--yes writes the prior, and each change needs a reason and an author.", "Add --why and --by.")
    where = context.own_workspace if yes else context.workspace
    priors = load_priors(where.priors)
    try:
        said = _said(context, priors, name, *given[0]) if given else _agreed(context, priors, name)
    except SpecError as e:
        raise InputError.of([Problem("elicit", e.found, e.expected, e.remedy, column=name)]) from e
    tried = _tried(context, priors, name, said) if given or context.json else ""
    if given and said.lacking is None and not (context.json and not asks):
        _show(context, priors, name, said, tried)
    done = None
    if said.lacking is None and said.spec != priors.spec(name) and (yes or (asks and _confirm(f"Write it to {priors[name].file}?"))):
        done = _write(context, name, said, why, by)
    if context.json:
        context.say_json(_document(priors, name, said, tried, done))
    if said.lacking is not None:
        raise InputError(said.lacking, "Nothing was written.")
    if context.json:
        return
    if done is None:
        context.say("Nothing was written.")
    else:
        from forecast.cli.priors_set import print_result

        print_result(context, context.own_workspace, done)


def can_prompt() -> bool:
    """Whether questions can be asked: standard input is a terminal."""
    return sys.stdin.isatty()


def parse_numbers(text: str, count: int) -> tuple[float, ...]:
    """`count` numbers separated by commas or spaces; 2 % means 0.02. SpecError for anything else."""
    from forecast.priors.specs import SpecError

    parts = [part for part in re.split(r"[,;\s]+", re.sub(r"\s+%", "%", text.strip())) if part]
    try:
        found = tuple(float(f"{part[:-1]}e-2") if part.endswith("%") else float(part) for part in parts)
    except ValueError:
        found = ()
    if len(found) != count:
        wanted = {1: "a number", 2: "two numbers", 3: "three numbers"}[count]
        raise SpecError(repr(text), wanted, f"Write {', '.join(('0.01', '0.04', '0.12')[:count])}, for instance.")
    return found


def _said(context: Context, priors: Priors, name: str, way: str, text: str) -> ElicitedPrior:
    """The prior that the answer gives. Raises SpecError."""
    from forecast.priors.elicitation import check_elicitable, from_odds, from_quantiles, from_yearly_chance

    check_elicitable(name)
    now = priors.spec(name)
    match way:
        case "quantiles":
            low, middle, high = parse_numbers(text, 3)
            return ElicitedPrior(way, (low, middle, high), from_quantiles(name, (low, middle, high), now))
        case "odds":
            low, middle, high = parse_numbers(text, 3)
            return ElicitedPrior(way, (low, middle, high), from_odds(name, (low, middle, high), now))
        case "within-a-year":
            low, high = parse_numbers(text, 2)
            return ElicitedPrior(way, (low, high), from_yearly_chance(name, low, high, now, priors.value("outside_view.selection")))
    return _solved(context, name, *parse_numbers(text, 1))


def _solved(context: Context, name: str, target: float) -> ElicitedPrior:
    from forecast.jobs.priors.headline import solve_headline
    from forecast.priors.descriptions import percent

    with context.progress() as progress:
        found = solve_headline(context.workspace, name, target, progress)
    rough = f"at {found.spec} the headline would be roughly {percent(found.answer.probability)}"
    lacking = None
    if found.answer.how == "refit":
        lacking = f"The draws of the published run cannot show the effect of {name}. This needs a refit (`forecast priors try --refit`)."
    elif not found.reached:
        lacking = f"Shifting {name} by up to four of its standard deviations does not give this headline: {rough}."
    elif not found.answer.accepted:
        lacking = f"The result is too far from the published run to rely on: {rough}. This needs a refit (`forecast priors try --refit`)."
    return ElicitedPrior("headline", (target,), found.spec, found.answer, lacking)


def _agreed(context: Context, priors: Priors, name: str) -> ElicitedPrior:
    """Ask and show until the person accepts the prior. Ctrl-C gives up."""
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.descriptions import describe_prior
    from forecast.priors.elicitation import CONTRASTS, check_elicitable, has_yearly_chance
    from forecast.priors.specs import SpecError

    entry = check_elicitable(name)
    ways = [way for way in METHODS if (way != "odds" or name in CONTRASTS) and (way != "within-a-year" or has_yearly_chance(name))]
    usual: str = next(way for way in ("odds", "within-a-year", "quantiles") if way in ways)
    _ask_lines(CATALOGUE[name].what, f"Now: {describe_prior(name, priors.spec(name))}.", *(f"  {way}: {METHODS[way]}" for way in ways))
    while True:
        way = click.prompt("How do you want to state it?", type=click.Choice(ways), default=usual, err=True)
        _ask_lines(*_question(name, way, entry.unit))
        text = click.prompt("Numbers", err=True)
        try:
            said = _said(context, priors, name, way, text)
        except SpecError as e:
            _ask_lines(f"Found {e.found}; expected {e.expected}. {e.remedy}")
            continue
        _show(context, priors, name, said, _tried(context, priors, name, said))
        if said.lacking is None and _confirm("Is that what you would say?"):
            return said
        usual = way


def _question(name: str, way: str, unit: str) -> list[str]:
    from forecast.priors.elicitation import CONTRASTS

    if way == "odds":
        picture = CONTRASTS[name]
        return [
            f"Picture two situations, alike but for this: {picture.first}; {picture.second}.",
            f"By what factor does the second multiply the odds of {picture.what}? Three numbers, 1 for no difference, under 1 for less:",
            "nearly surely more than, as likely above as below, nearly surely less than (5, 50 and 95 %).",
        ]
    return {
        "quantiles": [f"In {unit}: nearly surely more than, as likely above as below, nearly surely less than (5, 50 and 95 %)."],
        "within-a-year": ["The chance within a year in ordinary times: nearly surely more than, nearly surely less than (5 and 95 %)."],
        "headline": ["The chance that level 4 or more is reached within twelve months."],
    }[way]


def _tried(context: Context, priors: Priors, name: str, said: ElicitedPrior) -> EditTrial | str:
    """The effect on the newest run. A prior that was solved for has been tried already."""
    from forecast.cli.priors_try import try_on_latest_run
    from forecast.priors.descriptions import percent

    if said.lacking:
        return ""
    if said.answer:
        return f"The headline becomes {percent(said.answer.probability)} ({said.answer.how})."
    return try_on_latest_run(context, {} if said.spec == priors.spec(name) else {name: said.spec})


def _show(context: Context, priors: Priors, name: str, said: ElicitedPrior, tried: EditTrial | str) -> None:
    """Print the prior in words, as a curve and in what it implies, beside the current one."""
    for line in _page(priors, name, said, tried):
        click.echo(line, err=True) if context.json else context.say(line)


def _page(priors: Priors, name: str, said: ElicitedPrior, tried: EditTrial | str) -> list[str]:
    from forecast.cli._text import sentence, terminal_width, wrap
    from forecast.cli.priors_show import format_implied
    from forecast.cli.priors_try import describe_effect
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.density_curve import text_histogram
    from forecast.priors.descriptions import describe_prior, format_value
    from forecast.priors.implied import implied_quantities
    from forecast.priors.outside_view import RISE

    width = min(terminal_width(), 100)
    if said.lacking:
        return wrap(said.lacking, width)
    lines = [*wrap(f"{name} = {said.spec}, now {priors.spec(name)}", width, subsequent_indent="    "), ""]
    lines += [*wrap(sentence(describe_prior(name, said.spec)), width), ""]
    lines += [
        *text_histogram(said.spec, lambda x: format_value(name, x), min(60, width)),
        f"5, 50 and 95 % quantiles; {CATALOGUE[name].unit}",
        "",
    ]
    if said.way == "within-a-year" and name == RISE:
        factor = priors.value("outside_view.selection")
        lines += [
            *wrap(
                f"Your answer is about Mexico. The forecast applies the selection factor ({factor:g}) to this prior, so it is taken out here.",
                width,
            ),
            "",
        ]
    if missed := _missed(name, said):
        lines += [*wrap(missed, width), ""]

    rows = list(zip(implied_quantities(priors.replace({name: said.spec}), name), implied_quantities(priors, name), strict=True))
    if rows:
        lines += wrap("What it implies, with the other priors at their medians (5 to 95 % of this one):", width)
        for new, old in rows:
            lines += wrap(
                f"{new.what}: {format_implied(new)}; now {format_implied(old)}", width, initial_indent="  ", subsequent_indent="    "
            )
        lines.append("")
    return [*lines, *wrap(describe_effect(tried), width), ""]


def _missed(name: str, said: ElicitedPrior) -> str:
    """A sentence if no prior of the family has the quantiles, or the odds, that were stated."""
    from math import exp

    from forecast.priors.descriptions import number
    from forecast.priors.elicitation import CONTRASTS

    if said.way not in ("quantiles", "odds"):
        return ""
    fitted = said.spec.interval()
    if said.way == "odds":
        low, middle, high = sorted(exp(CONTRASTS[name].size * q) for q in fitted)
        fitted = low, middle, high
    width = said.numbers[2] - said.numbers[0]
    if max(abs(a - b) for a, b in zip(fitted, said.numbers, strict=True)) <= 0.03 * width:
        return ""
    mine, its = (", ".join(map(number, three)) for three in (said.numbers, fitted))
    return f"You stated {mine}; the nearest prior of this family has {its}."


def _write(context: Context, name: str, said: ElicitedPrior, why: str | None, by: str | None) -> PriorEditResult:
    from forecast.jobs.priors.edits import set_priors

    why = why or click.prompt("Why", err=True)
    by = by or click.prompt("By", err=True)
    stated = ", ".join(f"{x:g}" for x in said.numbers)
    source = f"judgement, elicited by {said.way.replace('-', ' ')}: {stated}"
    return set_priors(context.own_workspace, {name: said.spec}, why=why, by=by, source=source, now=context.now)


def _confirm(question: str) -> bool:
    return click.confirm(question, default=False, err=True)


def _ask_lines(*lines: str) -> None:
    from forecast.cli._text import terminal_width, wrap

    for line in lines:
        for part in wrap(line, min(terminal_width(), 100), subsequent_indent="    " if line.startswith("  ") else ""):
            click.echo(part, err=True)


def _document(priors: Priors, name: str, said: ElicitedPrior, tried: EditTrial | str, done: PriorEditResult | None) -> dict[str, Any]:
    from forecast.priors.descriptions import describe_prior
    from forecast.priors.elicitation import Evaluation
    from forecast.priors.implied import implied_quantities

    low, middle, high = said.spec.interval()
    rows = implied_quantities(priors.replace({name: said.spec}), name)
    found = said.answer or (None if isinstance(tried, str) else Evaluation(tried.headline, tried.accepted, tried.how))
    headline = found and {"probability": found.probability, "accepted": found.accepted, "how": found.how, "lacking": said.lacking}
    return {
        "name": name,
        "way": said.way,
        "stated": list(said.numbers),
        "from": str(priors.spec(name)),
        "to": str(said.spec),
        "words": describe_prior(name, said.spec),
        "quantiles": {"q05": low, "q50": middle, "q95": high},
        "implied": [{"what": r.what, "unit": r.unit, "q05": r.low, "q50": r.middle, "q95": r.high} for r in rows],
        "headline": headline,
        "written": bool(done and done.edits),
        **({"edits": done.as_dict()["edits"]} if done else {"edits": []}),
    }

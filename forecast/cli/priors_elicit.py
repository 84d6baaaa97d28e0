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
    """A prior that a person's answer gives.

    method   a key of `METHODS`
    stated   the numbers of the answer
    spec     the prior
    answer   if it was solved for the headline: the headline that it gives
    failure  why no prior gives the headline asked for; None if one does
    """

    method: str
    stated: tuple[float, ...]
    spec: Distribution
    answer: Evaluation | None = None
    failure: str | None = None


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
    """Build the prior NAME from your answers to a few questions.

    On a terminal the command asks for numbers, shows the prior, and asks again until you accept it. Then it offers to write it, as
    `forecast priors set` does. With one of the options below it skips the questions. Nothing is written without --yes or your consent.
    """
    from forecast.errors import InputError, Problem, UsageError
    from forecast.priors.catalogue import check_known
    from forecast.priors.load import load_priors
    from forecast.priors.specs import SpecError

    check_known(name)
    written = zip(METHODS, (quantiles, odds, year, headline), strict=True)
    given = [(method, text) for method, text in written if text is not None]
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
        elicited = _elicit(context, priors, name, *given[0]) if given else _prompt(context, priors, name)
    except SpecError as e:
        raise InputError.of([Problem("elicit", e.found, e.expected, e.remedy, column=name)]) from e
    effect = _effect(context, priors, name, elicited) if given or context.json else ""
    if given and elicited.failure is None and not (context.json and not asks):
        _show(context, priors, name, elicited, effect)
    result = None
    if (
        elicited.failure is None
        and elicited.spec != priors.spec(name)
        and (yes or (asks and _confirm(f"Write it to {priors[name].file}?")))
    ):
        result = _write(context, name, elicited, why, by)
    if context.json:
        context.say_json(_document(priors, name, elicited, effect, result))
    if elicited.failure is not None:
        raise InputError(elicited.failure, "Nothing was written.")
    if context.json:
        return
    if result is None:
        context.say("Nothing was written.")
    else:
        from forecast.cli.priors_set import print_result

        print_result(context, context.own_workspace, result)


def can_prompt() -> bool:
    """Whether questions can be asked: standard input is a terminal."""
    return sys.stdin.isatty()


def parse_numbers(text: str, count: int) -> tuple[float, ...]:
    """`count` numbers separated by commas or spaces; 2 % means 0.02. SpecError for anything else."""
    from forecast.priors.specs import SpecError

    parts = [part for part in re.split(r"[,;\s]+", re.sub(r"\s+%", "%", text.strip())) if part]
    try:
        values = tuple(float(f"{part[:-1]}e-2") if part.endswith("%") else float(part) for part in parts)
    except ValueError:
        values = ()
    if len(values) != count:
        wanted = {1: "a number", 2: "two numbers", 3: "three numbers"}[count]
        raise SpecError(repr(text), wanted, f"Write {', '.join(('0.01', '0.04', '0.12')[:count])}, for instance.")
    return values


def _elicit(context: Context, priors: Priors, name: str, method: str, text: str) -> ElicitedPrior:
    """The prior that the answer gives. Raises SpecError."""
    from forecast.priors.elicitation import check_elicitable, from_odds, from_quantiles, from_yearly_chance

    check_elicitable(name)
    now = priors.spec(name)
    match method:
        case "quantiles":
            low, middle, high = parse_numbers(text, 3)
            return ElicitedPrior(method, (low, middle, high), from_quantiles(name, (low, middle, high), now))
        case "odds":
            low, middle, high = parse_numbers(text, 3)
            return ElicitedPrior(method, (low, middle, high), from_odds(name, (low, middle, high), now))
        case "within-a-year":
            low, high = parse_numbers(text, 2)
            return ElicitedPrior(method, (low, high), from_yearly_chance(name, low, high, now, priors.value("outside_view.selection")))
    return _solved(context, name, *parse_numbers(text, 1))


def _solved(context: Context, name: str, target: float) -> ElicitedPrior:
    from forecast.formatting import fine_percent
    from forecast.jobs.priors.headline import solve_headline

    with context.progress() as progress:
        solved = solve_headline(context.workspace, name, target, progress)
    rough = f"at {solved.spec} the headline would be roughly {fine_percent(solved.answer.probability)}"
    failure = None
    if solved.answer.how == "refit":
        failure = f"The draws of the published run cannot show the effect of {name}. This needs a refit (`forecast priors try --refit`)."
    elif not solved.reached:
        failure = f"Shifting {name} by up to four of its standard deviations does not give this headline: {rough}."
    elif not solved.answer.accepted:
        failure = f"The result is too far from the published run to rely on: {rough}. This needs a refit (`forecast priors try --refit`)."
    return ElicitedPrior("headline", (target,), solved.spec, solved.answer, failure)


def _prompt(context: Context, priors: Priors, name: str) -> ElicitedPrior:
    """Ask and show until the person accepts the prior. Ctrl-C gives up."""
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.descriptions import describe_prior
    from forecast.priors.elicitation import CONTRASTS, check_elicitable, has_yearly_chance
    from forecast.priors.specs import SpecError

    entry = check_elicitable(name)
    methods = [
        method for method in METHODS if (method != "odds" or name in CONTRASTS) and (method != "within-a-year" or has_yearly_chance(name))
    ]
    usual: str = next(method for method in ("odds", "within-a-year", "quantiles") if method in methods)
    _ask_lines(
        CATALOGUE[name].what, f"Now: {describe_prior(name, priors.spec(name))}.", *(f"  {method}: {METHODS[method]}" for method in methods)
    )
    while True:
        method = click.prompt("How do you want to state it?", type=click.Choice(methods), default=usual, err=True)
        _ask_lines(*_question(name, method, entry.unit))
        text = click.prompt("Numbers", err=True)
        try:
            elicited = _elicit(context, priors, name, method, text)
        except SpecError as e:
            _ask_lines(f"Found {e.found}; expected {e.expected}. {e.remedy}")
            continue
        _show(context, priors, name, elicited, _effect(context, priors, name, elicited))
        if elicited.failure is None and _confirm("Is this what you believe?"):
            return elicited
        usual = method


def _question(name: str, method: str, unit: str) -> list[str]:
    from forecast.priors.elicitation import CONTRASTS

    if method == "odds":
        picture = CONTRASTS[name]
        return [
            f"Think of two situations that differ only in this: {picture.first}; {picture.second}.",
            f"By what factor does the second multiply the odds of {picture.what}? 1 is no difference, below 1 is less. It is:",
            "almost certainly above, as likely above as below, almost certainly below (5, 50 and 95 %).",
        ]
    return {
        "quantiles": [f"In {unit}. It is almost certainly above, as likely above as below, almost certainly below (5, 50 and 95 %):"],
        "within-a-year": ["The chance within a year in ordinary times. It is almost certainly above, almost certainly below (5 and 95 %):"],
        "headline": ["The chance that level 4 or more is reached within twelve months."],
    }[method]


def _effect(context: Context, priors: Priors, name: str, elicited: ElicitedPrior) -> EditTrial | str:
    """The effect on the newest run. A prior that was solved for has been tried already."""
    from forecast.cli.priors_try import try_on_latest_run
    from forecast.formatting import fine_percent

    if elicited.failure:
        return ""
    if elicited.answer:
        return f"The headline becomes {fine_percent(elicited.answer.probability)} ({elicited.answer.how})."
    return try_on_latest_run(context, {} if elicited.spec == priors.spec(name) else {name: elicited.spec})


def _show(context: Context, priors: Priors, name: str, elicited: ElicitedPrior, effect: EditTrial | str) -> None:
    """Print the prior in words, as a curve and in what it implies, beside the current one."""
    for line in _page(priors, name, elicited, effect):
        click.echo(line, err=True) if context.json else context.say(line)


def _page(priors: Priors, name: str, elicited: ElicitedPrior, effect: EditTrial | str) -> list[str]:
    from forecast.cli._text import sentence, terminal_width, wrap
    from forecast.cli.priors_show import proposal_lines
    from forecast.cli.priors_try import describe_effect
    from forecast.priors.descriptions import describe_prior
    from forecast.priors.outside_view import RISE

    width = min(terminal_width(), 100)
    if elicited.failure:
        return wrap(elicited.failure, width)
    lines = [*wrap(f"{name} = {elicited.spec}, now {priors.spec(name)}", width, subsequent_indent="    "), ""]
    lines += [*wrap(sentence(describe_prior(name, elicited.spec)), width), ""]
    if elicited.method == "within-a-year" and name == RISE:
        factor = f"the selection factor ({priors.value('outside_view.selection'):g})"
        note = f"Your answer is about Mexico. The forecast applies {factor} to this prior, so it is taken out here."
        lines += [*wrap(note, width), ""]
    if missed := _missed(name, elicited):
        lines += [*wrap(missed, width), ""]
    return [*lines, *proposal_lines(priors, name, elicited.spec, width), *wrap(describe_effect(effect), width), ""]


def _missed(name: str, elicited: ElicitedPrior) -> str:
    """A sentence if no prior of the family has the quantiles, or the odds, that were stated."""
    from math import exp

    from forecast.formatting import trimmed
    from forecast.priors.elicitation import CONTRASTS

    if elicited.method not in ("quantiles", "odds"):
        return ""
    fitted = elicited.spec.interval()
    if elicited.method == "odds":
        low, middle, high = sorted(exp(CONTRASTS[name].size * q) for q in fitted)
        fitted = low, middle, high
    width = elicited.stated[2] - elicited.stated[0]
    if max(abs(a - b) for a, b in zip(fitted, elicited.stated, strict=True)) <= 0.03 * width:
        return ""
    mine, its = (", ".join(map(trimmed, three)) for three in (elicited.stated, fitted))
    return f"You stated {mine}; the nearest prior of this family has {its}."


def _write(context: Context, name: str, elicited: ElicitedPrior, why: str | None, by: str | None) -> PriorEditResult:
    from forecast.jobs.priors.edits import set_priors

    why = why or click.prompt("Why", err=True)
    by = by or click.prompt("By", err=True)
    stated = ", ".join(f"{x:g}" for x in elicited.stated)
    source = f"judgement, elicited by {elicited.method.replace('-', ' ')}: {stated}"
    return set_priors(context.own_workspace, {name: elicited.spec}, why=why, by=by, source=source, now=context.now)


def _confirm(question: str) -> bool:
    return click.confirm(question, default=False, err=True)


def _ask_lines(*lines: str) -> None:
    from forecast.cli._text import terminal_width, wrap

    for line in lines:
        for part in wrap(line, min(terminal_width(), 100), subsequent_indent="    " if line.startswith("  ") else ""):
            click.echo(part, err=True)


def _document(
    priors: Priors, name: str, elicited: ElicitedPrior, effect: EditTrial | str, result: PriorEditResult | None
) -> dict[str, Any]:
    from forecast.priors.descriptions import describe_prior
    from forecast.priors.elicitation import Evaluation
    from forecast.priors.implied import implied_quantities

    low, middle, high = elicited.spec.interval()
    rows = implied_quantities(priors.replace({name: elicited.spec}), name)
    answer = elicited.answer or (None if isinstance(effect, str) else Evaluation(effect.headline, effect.accepted, effect.how))
    headline = answer and {"probability": answer.probability, "accepted": answer.accepted, "how": answer.how, "lacking": elicited.failure}
    return {
        "name": name,
        "way": elicited.method,
        "stated": list(elicited.stated),
        "from": str(priors.spec(name)),
        "to": str(elicited.spec),
        "words": describe_prior(name, elicited.spec),
        "quantiles": {"q05": low, "q50": middle, "q95": high},
        "implied": [row.as_dict() for row in rows],
        "headline": headline,
        "written": bool(result and result.edits),
        **({"edits": result.as_dict()["edits"]} if result else {"edits": []}),
    }

"""Which rows of events.csv count: one row an act, and of these the ones that a companion question counts.

Of rows linked by `same_act_as` one counts: the row of family A if there is one, else the earliest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from forecast.typing import Floats

if TYPE_CHECKING:
    from forecast.data.records import Event
    from forecast.data.settings import CountingRule, QuestionsConfig


def distinct_acts(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events without those that are another row's act, in the order given. A link to a row that is not there is ignored."""
    group = linked_groups({e.id: e.same_act_as for e in events})
    chosen: dict[str, Event] = {}
    for e in events:
        root = group[e.id]
        best = chosen.get(root)
        if best is None or _rank(e) < _rank(best):
            chosen[root] = e
    keep = {e.id for e in chosen.values()}
    return tuple(e for e in events if e.id in keep)


def counting_rules(config: QuestionsConfig) -> dict[str, CountingRule]:
    """What each companion question counts, by its name in questions.toml: the one definition, for forecast and baselines alike."""
    return {slug: companion.counts for slug, companion in config.companion.items() if companion.counts}


def counts_towards(event: Event, rule: CountingRule) -> bool:
    """Whether a row is of the kind that a companion question counts; a key that the rule leaves out does not restrict."""
    required = rule.model_dump(include={"family", "role", "kind", "instrument", "direction", "answers"}, exclude_none=True)
    return (
        all(getattr(event, column) == value for column, value in required.items())
        and (rule.min_count is None or (event.count or 0) >= rule.min_count)
        and not (rule.without_same_act and event.same_act_as)
    )


def counts_by_month(events: Sequence[Event], rule: CountingRule | None, first: int, last: int) -> Floats:
    """How many acts count in each month first..last, [months]; zeros without a rule.

    An answer of Washington counts even where another row stands for its act, so that only rows with answers are compared for it.
    """
    counts = np.zeros(last - first + 1)
    if rule is not None:
        for event in distinct_acts([e for e in events if e.answers] if rule.answers else events):
            if first <= event.date.month <= last and counts_towards(event, rule):
                counts[event.date.month - first] += 1.0
    return counts


def _rank(e: Event) -> tuple[bool, object, str]:
    return (e.family != "A", e.date, e.id)


def linked_groups(links: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """The id that stands for the group of each id: those that links connect, directly or through others, are in one group.

    links: id → the ids it names. An id that is named but has no entry of its own is ignored. The method is union–find.
    """
    parent = {id_: id_ for id_ in links}

    def root(id_: str) -> str:
        while parent[id_] != id_:
            id_ = parent[id_]
        return id_

    for id_, named in links.items():
        for other in named:
            if other in parent:
                parent[root(id_)] = root(other)
    return {id_: root(id_) for id_ in parent}

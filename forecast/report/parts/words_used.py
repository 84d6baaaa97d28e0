"""What the words of the report mean."""

from __future__ import annotations

DEFINITIONS = (
    (
        "tolerated",
        "Consented to, or known and not resisted. Resistance is an act: a note, an expulsion, cooperation suspended, a "
        "prosecution or an international case. A verbal denial is none.",
    ),
    (
        "level of a month",
        "The highest level that counts on any day in it. A single act counts for its month; an arrangement goes on until "
        "evidence ends it or none has come for two years.",
    ),
    (
        "reached by, in force at, fallen to",
        "Reached: in at least one month of the window. In force: in its last month. Fallen: at or below the level in at least "
        "one month. The origin's own month is in no window.",
    ),
    (
        "publicly known",
        "By the rules of the codebook with what has been published by the resolution date. This is what resolves a question; "
        "what happened in secret may come out too late.",
    ),
    (
        "reading",
        "A defensible account of what has happened so far. Each is fitted by itself; their weights are judgement and are not "
        "updated by the fit.",
    ),
    (
        "leverage",
        "How hard Washington presses: measures in force and a fading memory of threats, acts and demonstrations, on a scale "
        "where one is the mean of the months named in scales.toml.",
    ),
    (
        "prior, posterior",
        "What is believed before Mexico's record since 2006 speaks, and after. The priors of the ladder come from other states; "
        "most of the rest are judgement, labelled so.",
    ),
    (
        "learnt",
        "The record narrowed the prior's variance by at least a fifth or moved its mean by at least half a standard deviation.",
    ),
    (
        "conditioned, intervened",
        "Conditioned: we learn that something is so, and all that goes with it moves too. Intervened: it is set from outside, "
        "and only what follows from it moves.",
    ),
    (
        "plausibility",
        "How often the simulation, left alone, comes at least as far as the scenario does, on either side.",
    ),
)

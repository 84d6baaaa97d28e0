"""All that is wrong with a run: its files, what its report says, and what its draws are."""

from __future__ import annotations

from pathlib import Path

from forecast.errors import InputError, StoreError
from forecast.report.files import load_report
from forecast.runs import manifest


def problems(run: Path, draws: bool = True) -> tuple[str, ...]:
    """What is wrong with a run, in words; empty if it is sound. A report of another version is not wrong.

    draws: also read the posterior and the draws, which takes a quarter of a second.
    """
    if wrong := manifest.verify(run):
        return wrong
    return tuple(_of_content(run, draws))


def _of_content(run: Path, draws: bool) -> list[str]:
    try:
        load_report(run)
        if draws:
            _read_draws(run)
    except InputError:
        pass  # of another version, whose draws may have another form
    except StoreError as e:
        return [e.message]
    return []


def _read_draws(run: Path) -> None:
    from forecast.runs.draws_files import DRAWS, POSTERIOR, check_posterior, read_draws

    held = manifest.read_manifest(run).digests
    if DRAWS in held:
        read_draws(run)
    if POSTERIOR in held:
        check_posterior(run)

"""A run read back from its folder: each file is opened, verified and parsed once, whoever asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from forecast.errors import InputError, StoreError, UsageError
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.load import Prior, Priors
from forecast.priors.parsing import parse_prior
from forecast.priors.specs import SpecError
from forecast.report.files import (
    REPORT,
    SCHEMA_VERSION,
    check_version,
    headline_and_questions,
    is_current,
    parse_document,
    validated_report,
)
from forecast.runs import store
from forecast.runs.draws_files import DRAWS, POSTERIOR, DrawsArrays, check_posterior, read_posterior
from forecast.runs.manifest import Manifest, read_manifest, read_verified, refuse, verify_files
from forecast.runs.store import FITTED_IN

if TYPE_CHECKING:
    import xarray as xr

    from forecast.forecasting.inputs import Inputs
    from forecast.forecasting.origin_state import OriginState
    from forecast.report.models.forecast import QuestionEntry
    from forecast.report.models.report import Report
    from forecast.reweighting.data_update import FittedDraws

INPUTS: Final = "inputs"
"""The folder of a run that holds data/ and priors/ as the run read them, byte for byte."""
AGAIN: Final = "Make a new run: `forecast run --publish`."
_PARSED: Final = (REPORT, DRAWS, POSTERIOR)


class SavedRun:
    """A run on disk. Each part is read when it is first asked for and then kept, so make one object a run and hand it on.

    path: the folder of the run.
    name: its id.

    Every part raises StoreError if what it reads is damaged. All but `manifest`, `meta` and `document` raise InputError if another version
    of this program made the run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files: dict[str, bytes] = {}  # verified, and not parsed yet
        self._checked = False

    @classmethod
    def latest(cls, reports: Path) -> Self | None:
        """The published run; None if none was ever published. Raises StoreError if `latest` points to no run."""
        path = store.latest(reports)
        return cls(path) if path else None

    @classmethod
    def named(cls, reports: Path, name: str) -> Self:
        """The run that a person names: `latest`, an id, the beginning of one, or a path. Raises what `store.resolve` raises."""
        return cls(store.resolve(reports, name))

    def __repr__(self) -> str:
        return f"SavedRun({str(self.path)!r})"

    @property
    def name(self) -> str:
        return self.path.name

    @cached_property
    def manifest(self) -> Manifest:
        """What the run holds, with digests."""
        return read_manifest(self.path)

    @property
    def meta(self) -> Mapping[str, Any]:
        """What the writer noted of the run in its manifest."""
        return self.manifest.meta

    def check(self) -> None:
        """Compare every file with its digest, the first time. Raises StoreError with all that is wrong."""
        if not self._checked:
            refuse(self.path, verify_files(self.path, self.manifest, self._files, _PARSED))
            self._checked = True

    def problems(self, draws: bool = True) -> tuple[str, ...]:
        """All that is wrong with the files, the report and the draws, in words; empty if nothing is.

        draws: read the values of posterior and draws too, which takes a quarter of a second. Another version is no problem.
        """
        try:
            if wrong := verify_files(self.path, self.manifest, self._files, _PARSED):
                return wrong
            self._checked = True
            if self.is_other_version:
                return ()
            _ = self.report
            if draws:
                if DRAWS in self.manifest.digests:
                    for name in self.draws:
                        self.draws[name]
                if POSTERIOR in self.manifest.digests:
                    check_posterior(self.path, self._take(POSTERIOR))
        except StoreError as e:
            return (e.message,)
        return ()

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """report.json as parsed, whatever version wrote it; its digest is verified."""
        return parse_document(self._take(REPORT), self.path, self.manifest.run_id)

    @property
    def is_other_version(self) -> bool:
        """Whether another version of this program wrote the run, in another form."""
        return not is_current(self.document)

    @property
    def other_version(self) -> str:
        """That another version made the run, as a clause without its end; empty if this one did."""
        form = self.document["schema_version"]
        words = (
            f"run {self.name} was made by another version of this program: its report has form {form}, this version writes {SCHEMA_VERSION}"
        )
        return words if self.is_other_version else ""

    @cached_property
    def report(self) -> Report:
        """report.json, validated. The other files are not verified: `check` does that."""
        return validated_report(self.document, self.path)

    @property
    def headline_and_questions(self) -> tuple[str, tuple[dict[str, Any], ...]]:
        """The headline's id and the questions as report.json has them; without pydantic, for `forecast priors try`."""
        return headline_and_questions(self.document, self.path)

    def question(self, id_: str) -> QuestionEntry:
        """A question of the report by its id. KeyError if the run did not ask it."""
        for q in self.report.questions:
            if q.id == id_:
                return q
        raise KeyError(id_)

    @cached_property
    def priors(self) -> Priors:
        """The priors that the run was made from, by its manifest: no file of priors is read. InputError if it does not name them all."""
        check_version(self.document, self.name)  # another version may name its priors otherwise
        specs = {name: entry["spec"] for name, entry in self.meta.get("priors", {}).items() if name in CATALOGUE and "spec" in entry}
        day = store.made_at(self.manifest.run_id).date()
        try:
            priors = Priors({
                name: Prior(name, parse_prior(name, specs[name]), "", f"run {self.name}", "", day, "", "") for name in CATALOGUE
            })  # fmt: skip
        except KeyError as e:
            raise InputError(f"Run {self.name} does not name the priors it was made from: {e} is missing.", AGAIN) from None
        except SpecError as e:
            raise InputError(f"A prior in the manifest of run {self.name} cannot be read: {e}.", AGAIN) from e
        if priors.digest() != self.meta.get("priors_digest"):
            raise InputError(f"Run {self.name} was made from other priors than its manifest names.", AGAIN)
        return priors

    @property
    def keeps_inputs(self) -> bool:
        """Whether the run kept the data and priors it was made from."""
        return (self.path / INPUTS / "data").is_dir()

    @cached_property
    def inputs(self) -> Inputs:
        """Data, priors and scenarios that the run was made from, as of its day, once every file of the run is verified.

        Raises UsageError if the run kept none, InputError if this version refuses them.
        """
        from forecast.forecasting.inputs import load_workspace

        if not self.keeps_inputs:
            raise UsageError(f"Run {self.name} did not keep the data and priors it was made from.", AGAIN)
        self.check()
        priors = self.priors
        try:
            found = load_workspace(self.path / INPUTS, self._day("as_of"), self._day("today"))
        except InputError as e:
            message = f"The data and priors that run {self.name} was made from are refused by this version: {e.message}"
            raise InputError(message, AGAIN, e.problems) from e
        # As of an earlier day, priors are fitted for the run: those stand in the manifest, not in the files.
        return replace(found, priors=found.priors.replace({name: priors.spec(name) for name in priors}))

    @cached_property
    def origin_state(self) -> OriginState:
        """Models 2–4 fitted to the inputs again, by the run's seed. It takes seconds.

        Raises what `inputs` raises, and InputError if this version reads the inputs otherwise or has another model.
        """
        from forecast.data.fingerprint import data_digest
        from forecast.forecasting.origin_state import build_origin_state
        from forecast.model.tolerance_data import MODEL_VERSION

        inputs = self.inputs
        if missing := [key for key in ("origin", "seed") if self.meta.get(key) is None]:
            raise StoreError(f"The manifest of run {self.name} does not state its {' and '.join(missing)}.", AGAIN)
        present = {"model_version": MODEL_VERSION, "data_digest": data_digest(inputs.data), "priors_digest": inputs.priors.digest()}
        for key, now in present.items():
            if self.meta.get(key) != now:
                difference = f"its {key} was {self.meta.get(key)}, now it is {now}"
                raise InputError(f"Run {self.name} was made by a version that differs: {difference}.", AGAIN)
        return build_origin_state(inputs.data, inputs.priors, int(self.meta["seed"]))

    @cached_property
    def draws(self) -> Mapping[str, Any]:
        """The arrays of draws.npz, each read and checked when it is asked for."""
        return DrawsArrays(self.path / DRAWS, self._take(DRAWS))

    @cached_property
    def fitted_draws(self) -> FittedDraws:
        """The draws of model 5 by reading, and the state they were fitted to; to be weighted to other inputs."""
        from forecast.reweighting.data_update import FittedDraws
        from forecast.reweighting.draws_archive import unpack_draws

        state = self.origin_state
        try:
            by_reading = {str(name): unpack_draws(self.draws, str(name)) for name in self.draws["readings"]}
            return FittedDraws(state, by_reading, unpack_draws(self.draws, "prior"))
        except KeyError as e:
            raise StoreError(f"Run {self.name} has no draws that can be read ({e}).", AGAIN) from None

    @cached_property
    def posterior(self) -> dict[str, xr.DataTree]:
        """The fits by reading, each with posterior and sample_stats."""
        return read_posterior(self.path, self._take(POSTERIOR))

    @cached_property
    def fit(self) -> SavedRun:
        """The run whose draws a sampler made: this one, or the one whose draws it weights, which may be gone."""
        fitted_in = self.meta.get(FITTED_IN)
        return self if fitted_in in (None, self.name) else type(self)(self.path.parent / fitted_in)

    def _take(self, name: str) -> bytes:
        """The bytes of a file, verified; from here on whoever parsed them keeps what it needs."""
        if name in self._files:
            return self._files.pop(name)
        return read_verified(self.path, name, held=self.manifest)

    def _day(self, key: str) -> date | None:
        return date.fromisoformat(self.meta[key]) if self.meta.get(key) else None

"""Stan's own NUTS on model 5: compiled with the headers and the `stanc` that the package httpstan carries, where a C++ compiler is.

httpstan itself is not used: its ready-made object code does not load in every Python.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from forecast.inference.settings import SamplerSettings
from forecast.model import tolerance_density as density
from forecast.model.tolerance_data import ADMINISTRATIONS
from forecast.typing import Floats
from tests.benchmarks.processes import BenchError

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "benchmarks"
_FLAGS = ["-O3", "-std=c++17", "-w", "-D_REENTRANT", "-DBOOST_DISABLE_ASSERTS", "-DBOOST_PHOENIX_NO_VARIADIC_EXPRESSION"]


class NoToolchainError(BenchError):
    """Stan cannot be compiled here."""


def compiled() -> Path:
    """The program that samples; kept in build/ until one of its texts changes. NoToolchainError if it cannot be made here."""
    spec, compiler = importlib.util.find_spec("httpstan"), shutil.which("g++") or shutil.which("clang++")
    if spec is None or spec.origin is None:
        raise NoToolchainError("no toolchain: the package httpstan, which carries Stan, is not installed")
    if compiler is None:
        raise NoToolchainError("no toolchain: neither g++ nor clang++ was found")
    stan = Path(spec.origin).parent
    BUILD.mkdir(parents=True, exist_ok=True)
    model = BUILD / "tolerance.cpp"
    _run([stan / "stanc", "--name", "tolerance_model", f"--o={model}", HERE / "tolerance.stan"])
    text = model.read_text() + (HERE / "run_stan.cpp").read_text()
    program = BUILD / f"run_stan-{hashlib.sha256((text + compiler).encode()).hexdigest()[:16]}"
    if not program.exists():
        source, made = program.with_suffix(".cpp"), program.with_suffix(".part")
        source.write_text(text)
        _run([compiler, *_FLAGS, f"-I{stan / 'include'}", source, "-o", made, f"-L{stan / 'lib'}", f"-Wl,-rpath,{stan / 'lib'}", "-ltbb"])
        made.replace(program)
    return program


def write_data(data: density.ModelData, months: int, path: Path) -> None:
    """The data of the model for the program: the transitions into months 1 to `months` − 1."""
    used = slice(1, months)
    columns = {name: np.asarray(data[name])[used] for name in density.COLUMNS if name != "used"}
    constants = {f"prior_{name}": np.asarray(data[f"prior_{name}"]) for name in density.CONSTANTS}
    sizes = {"n_months": months - 1, "n_knots": density.knots_of(data), "n_administrations": ADMINISTRATIONS}
    arrays = {**columns, **constants, "knot_weights": np.asarray(data["knot_weights"])[used]}
    arrays["prior_symmetric"] = arrays["prior_symmetric"].astype(int)
    path.write_text(json.dumps({**sizes, **{name: value.tolist() for name, value in arrays.items()}}))


def log_densities(program: Path, file: Path, points: Floats) -> Floats:
    """Stan's log density, up to a constant, at points [n, k]."""
    lines = "\n".join(" ".join(repr(float(x)) for x in point) for point in points)
    return np.array(_run([program, "density", file], lines + "\n").split(), float)


def check(program: Path, file: Path, data: density.ModelData) -> None:
    """BenchError if the model in Stan is not that of `tolerance_density`: their log densities must differ by one constant."""
    n = sum(density.free_parameters(density.knots_of(data)).values())
    points = np.random.default_rng(1).uniform(-1.0, 1.0, (5, n))
    apart = log_densities(program, file, points) - density.log_density(points, data)
    if not np.allclose(apart, apart[0], rtol=0.0, atol=1e-7):
        raise BenchError(
            f"tolerance.stan states another model: its log density is off by {np.ptp(apart):.3g}; compare it with tolerance.py"
        )


def sample(program: Path, file: Path, seed: int, settings: SamplerSettings, at_once: int) -> tuple[Floats, int]:
    """Free parameters [chain, draw, n], and the number of divergent draws. Chains are processes, `at_once` of them together."""
    outputs = [file.with_name(f"chain-{seed}-{chain}.csv") for chain in range(1, settings.chains + 1)]

    def run(chain: int) -> None:
        _run([program, "sample", file, outputs[chain - 1], seed, chain, settings.tune, settings.draws, settings.target_accept])

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(run, range(1, settings.chains + 1)))
    names = next(line for line in outputs[0].read_text().splitlines() if not line.startswith("#")).split(",")
    chains = np.array([np.loadtxt(path, delimiter=",", skiprows=1, comments="#", ndmin=2) for path in outputs])
    first = names.index("energy__") + 1
    points, positive = chains[..., first:], [name.split(".")[0] for name in names[first:]]
    free = density.free_parameters(points.shape[-1] - 20 - ADMINISTRATIONS)
    logs = np.array([f"{name}_log__" in free for name in positive])
    points[..., logs] = np.log(points[..., logs])
    return points, int(chains[..., names.index("divergent__")].sum())


def _run(words: list[object] | list[str | Path], given: str = "") -> str:
    """Standard output of a program. BenchError with the end of what it said, if it failed."""
    done = subprocess.run([str(word) for word in words], input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{Path(str(words[0])).name} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout

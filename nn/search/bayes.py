"""Bayesian search, by Optuna."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .running import teller
from .space import Choice, Integer, LogUniform, Uniform, ranges
from .trials import Journal, PathLike, Trials, check_mode
from .workers import Objective, Pool


def bayesian(
    objective: Objective,
    space: Mapping[str, Any],
    n: int,
    *,
    seed: int = 0,
    startup: int | None = None,
    batch: int | None = None,
    workers: int = 1,
    mode: str = "max",
    file: PathLike | None = None,
    progress: bool | None = None,
) -> Trials:
    """
    Try candidates where those before them did well.

    The tree-structured Parzen estimator of Bergstra et al. 2011, "Algorithms for hyper-parameter
    optimization", by Optuna (``pip install dagrad[search]``). After a random start it models the
    density of the good trials and that of the others, and proposes where their ratio is high.

    Parameters
    ----------
    objective : callable
        As in `search`.
    space : dict
        As in `random`.
    n : int
        Trials.
    seed : int, default 0
        Of what Optuna draws.
    startup : int, optional
        Trials at random before it begins to learn. Default: a third of `n`, at most 10.
    batch : int, optional
        Trials that are proposed at once, and run side by side; what they teach counts after all of
        them. Default: `workers`. The outcome depends on it, but not on the number of workers.
    workers, mode, file, progress : optional
        As in `search`.

    Returns
    -------
    Trials

    Raises
    ------
    ImportError
        If Optuna is not installed.
    ValueError, TypeError, RuntimeError
        As `search`; also if `n`, `startup` or `batch` is too small.

    Examples
    --------
    >>> trials = bayesian(lambda p: (p["x"] - 1.0) ** 2, {"x": Uniform(-9, 9)}, 30, mode="min")
    >>> abs(trials.best.parameters["x"] - 1.0) < 1.0
    True
    """
    check_mode("bayesian", mode)
    known = ranges("bayesian", space)
    startup = min(10, max(1, n // 3)) if startup is None else startup
    batch = workers if batch is None else batch
    for name, number in (("n", n), ("startup", startup), ("batch", batch)):
        if number < 1:
            raise ValueError(f"bayesian: {name} must be at least 1, met {number}")
    optuna = _optuna()
    journal = Journal(file)
    tell = teller(n, progress)
    trials, interrupted = [], False
    with _quiet(optuna), Pool(objective, workers) as pool:
        sampler = optuna.samplers.TPESampler(n_startup_trials=startup, seed=seed)
        study = optuna.create_study(
            sampler=sampler, direction="maximize" if mode == "max" else "minimize"
        )
        axes = {name: _distribution(optuna, values) for name, values in known.items()}
        try:
            while len(trials) < n:
                asked = [study.ask(axes) for _ in range(min(batch, n - len(trials)))]
                first = len(trials)
                tasks = [(first + place, dict(one.params)) for place, one in enumerate(asked)]
                found = {number: journal.find(number, wanted) for number, wanted in tasks}
                for trial in pool.run([task for task in tasks if found[task[0]] is None]):
                    journal.add(trial)
                    found[trial.number] = trial
                    tell(trial)
                # Told in the order of their numbers, whichever was done first.
                for one, trial in zip(asked, found.values(), strict=True):
                    if trial is None:
                        continue
                    trials.append(trial)
                    failed = optuna.trial.TrialState.FAIL if trial.value is None else None
                    study.tell(one, trial.value, state=failed)
        except KeyboardInterrupt:
            interrupted = True
            seen = {trial.number for trial in trials}
            trials += [t for number, t in journal.done.items() if number not in seen]
    return Trials(trials, mode, interrupted)


def _optuna() -> Any:
    from tqdm import TqdmWarning

    try:
        with warnings.catch_warnings():
            # In a notebook it asks for widgets, for progress bars that nobody asked for.
            warnings.simplefilter("ignore", TqdmWarning)
            import optuna
    except ImportError as error:
        raise ImportError(
            f"Bayesian search needs Optuna ({error}); install it by: pip install dagrad[search]"
        ) from error
    return optuna


def _distribution(optuna: Any, values: Uniform | LogUniform | Integer | Choice) -> Any:
    distributions = optuna.distributions
    if isinstance(values, Choice):
        return distributions.CategoricalDistribution(values.values)
    if isinstance(values, Integer):
        return distributions.IntDistribution(values.low, values.high)
    return distributions.FloatDistribution(
        values.low, values.high, log=isinstance(values, LogUniform)
    )


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Without Optuna's lines on stderr."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)

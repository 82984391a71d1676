"""Search for hyper-parameters: grids, random draws, and Optuna's Bayesian search.

    space = {"lr": LogUniform(1e-4, 1e-1), "hidden": Integer(8, 64), "cell": Choice("LSTM", "GRU")}
    trials = search(objective, random(space, 30, np.random.default_rng(0)), workers=2)
    print(trials)

An objective takes a dict of parameters and returns a number, measured on validation data.
"""

from .bayes import bayesian as bayesian
from .picture import parallel_coordinates as parallel_coordinates
from .running import search as search
from .sealed import Sealed as Sealed
from .space import Choice as Choice
from .space import Integer as Integer
from .space import LogUniform as LogUniform
from .space import Uniform as Uniform
from .space import grid as grid
from .space import random as random
from .trials import Trial as Trial
from .trials import Trials as Trials

"""Networks as scikit-learn's estimators, for pipelines, searches and cross-validation.

It needs scikit-learn (``pip install dagrad[data]``), so nothing else of the library imports it.
"""

from .classifier import NeuralClassifier as NeuralClassifier
from .regressor import NeuralRegressor as NeuralRegressor

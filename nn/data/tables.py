"""Tables that come with scikit-learn: small, real, and on the disk already."""

from __future__ import annotations

from typing import Any

import numpy as np

from .readers import Table


def breast_cancer() -> Table:
    """
    Breast cancer, Wisconsin: 569 tumours, 30 measures of their cells, malignant or not.

    Ten properties of the nuclei in a picture (radius, texture, ...), each as mean, standard error
    and mean of the three worst. Street, Wolberg and Mangasarian 1993, "Nuclear feature extraction
    for breast tumor diagnosis".

    Returns
    -------
    Table
        Features (569, 30) of float32; targets of int64: 1 for the 212 *malignant* tumours, which
        are what is looked for, and 0 for the 357 benign ones. (scikit-learn has it the other way
        round.)

    Raises
    ------
    ImportError
        If scikit-learn is not installed.

    Examples
    --------
    >>> table = breast_cancer()
    >>> table.features.shape, np.bincount(table.targets), table.class_names
    ((569, 30), array([357, 212]), ['benign', 'malignant'])
    """
    try:
        from sklearn.datasets import load_breast_cancer
    except ImportError as error:
        raise _missing("breast cancer") from error
    bunch: Any = load_breast_cancer()
    return Table(
        bunch.data.astype(np.float32),
        (1 - bunch.target).astype(np.int64),
        [str(name) for name in bunch.feature_names],
        ["benign", "malignant"],
    )


def diabetes() -> Table:
    """
    Diabetes: 442 patients, 10 measures of each, and how far the disease went within a year.

    The measures are as they were taken (years, kg/m², mmHg, mg/dl, ...), of very different sizes,
    not brought to one scale. Efron, Hastie, Johnstone and Tibshirani 2004, "Least angle
    regression".

    Returns
    -------
    Table
        Features (442, 10) and targets (442,), both float32; no class names.

    Raises
    ------
    ImportError
        If scikit-learn is not installed.

    Examples
    --------
    >>> table = diabetes()
    >>> table.features.shape, table.feature_names[:4]
    ((442, 10), ['age', 'sex', 'bmi', 'bp'])
    >>> float(table.features[0, 0]), float(table.targets[0])
    (59.0, 151.0)
    """
    try:
        from sklearn.datasets import load_diabetes
    except ImportError as error:
        raise _missing("diabetes") from error
    bunch: Any = load_diabetes(scaled=False)
    return Table(
        bunch.data.astype(np.float32),
        bunch.target.astype(np.float32),
        [str(name) for name in bunch.feature_names],
        None,
    )


def _missing(name: str) -> ImportError:
    return ImportError(
        f"the {name} data set comes with scikit-learn; install it by: pip install dagrad[data]"
    )

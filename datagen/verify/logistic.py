"""Logistic regression, its cross-validation by group and the interval of its AUC: small enough to need no library."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import expit, ndtri

from datagen.core.ids import fraction_of_hash
from datagen.core.rng import stream
from datagen.core.statistics import auc, resampled

FOLDS = 5
ROUNDS, DEALS = 300, 60
"""Bootstrap rounds over groups; deals of labels under the null."""
PENALTY = 10.0


def fit(X: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Weights (D + 1,), the last the intercept, of L2-penalised logistic regression, by Newton's method."""
    A = np.concatenate([X, np.ones((len(X), 1))], axis=1)
    ridge = np.full(A.shape[1], penalty)
    ridge[-1] = 1e-6
    w = np.zeros(A.shape[1])
    for _ in range(12):
        p = expit(A @ w)
        gradient = A.T @ (p - y) + ridge * w
        H = (A * (p * (1 - p))[:, None]).T @ A + np.diag(ridge)
        step = np.linalg.solve(H, gradient)
        w = w - step
        if np.abs(step).max() < 1e-5:
            break
    return w


def held_out_scores(X: np.ndarray, y: np.ndarray, groups: Sequence[str], penalty: float = PENALTY) -> np.ndarray:
    """Score (N,) of each sample by a model that saw no sample of its group; 0 where a fold lacks a class.

    Features are standardised on the training part. Groups are dealt into five folds by their hash.
    """
    scores = np.zeros(len(y))
    for train, test, Z in _folds(X, groups):
        if len(np.unique(y[train])) == 2:
            w = fit(Z[train], y[train].astype(float), penalty)
            # Folds differ in intercept: ranks within a fold are what is comparable.
            scores[test] = Z[test] @ w[:-1]
    return scores


def _folds(X: np.ndarray, groups: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(train, test, X standardised on train) of each fold that has anything to learn from."""
    rank = {g: k for k, g in enumerate(sorted(set(groups), key=lambda g: fraction_of_hash(["fold", g])))}
    fold = np.array([rank[g] % FOLDS for g in groups])
    for k in range(FOLDS):
        test = fold == k
        train = ~test
        if not test.any() or not train.any():
            continue
        mean, spread = X[train].mean(axis=0), X[train].std(axis=0)
        use = spread > 1e-9
        if use.any():
            yield train, test, (X[:, use] - mean[use]) / spread[use]


def mean_auc(Y: np.ndarray, scores: np.ndarray) -> float:
    """Macro average of the AUC over the columns of targets and scores (N, K); NaN where a column has one class only."""
    return float(np.mean([auc(y, s) for y, s in zip(Y.T, scores.T, strict=True)]))


def auc_interval(
    X: np.ndarray, Y: np.ndarray, scores: np.ndarray, groups: Sequence[str], blocks: Sequence[str], level: float = 0.95
) -> tuple[float, float]:
    """Interval of the macro-averaged AUC that `held_out_scores` reaches on targets (N, K), one column or more.

    Its width is the larger of two spreads: of the bootstrap over groups (samples of one shape are not
    independent), and of the AUC under labels dealt anew over `blocks`. The bootstrap alone takes the
    models for given and calls one null in twelve a leak; blocks are what has one label as a whole.
    """
    spread = max(_bootstrap_spread(Y, scores, groups), _null_spread(X, Y, groups, blocks))
    half, value = float(ndtri((1 + level) / 2)) * spread, mean_auc(Y, scores)
    return max(value - half, 0.0), min(value + half, 1.0)


def _bootstrap_spread(Y: np.ndarray, scores: np.ndarray, groups: Sequence[str]) -> float:
    found = [mean_auc(Y[rows], scores[rows]) for rows in resampled(groups, ROUNDS)]
    values = [value for value in found if np.isfinite(value)]
    return float(np.std(values)) if values else 1.0


def _null_spread(X: np.ndarray, Y: np.ndarray, groups: Sequence[str], blocks: Sequence[str]) -> float:
    """Spread of the cross-validated AUC when blocks swap labels; ridge regression stands in for the logistic one."""
    # A dress worn by several labels (the published set has them) is one block of each.
    names, first, block = np.unique(
        [f"{b} {y.tolist()}" for b, y in zip(blocks, Y, strict=True)], return_index=True, return_inverse=True
    )
    rng = stream(0, "null")
    dealt = np.stack([Y[first][rng.permutation(len(names))][block] for _ in range(DEALS)], axis=2).astype(float)
    flat = dealt.reshape(len(Y), -1)
    scores = np.zeros_like(flat)
    for train, test, Z in _folds(X, groups):
        A = Z[train].T @ Z[train] + 4 * PENALTY * np.eye(Z.shape[1])
        centred = flat[train] - flat[train].mean(axis=0)
        scores[test] = Z[test] @ np.linalg.solve(A, Z[train].T @ centred)
    scores = scores.reshape(dealt.shape)
    found = [mean_auc(dealt[:, :, k], scores[:, :, k]) for k in range(DEALS)]
    values = [value for value in found if np.isfinite(value)]
    return float(np.std(values)) if values else 1.0

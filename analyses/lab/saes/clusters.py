"""Hierarchical clustering of the rows of a matrix, and its dendrogram.

Average linkage over 1 − r, r being Pearson's correlation of two rows; leaves are ordered so that
neighbours are as near as the tree allows (Bar-Joseph et al. 2001). A row that never varies is
correlated with nothing: its distance to all others is 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyses.lab.core.statistics import Floats


@dataclass(frozen=True)
class Clusters:
    """A tree over rows.

    Attributes:
        order: row numbers from the first leaf to the last.
        across, height: four points a link, from one branch up, over and down to the other; a
            leaf stands at its place in the order, from 0, at height 0.
        cophenetic: correlation of the rows' distances with those in the tree; NaN if undefined.
    """

    order: list[int]
    across: Floats
    height: Floats
    cophenetic: float


def clustered(rows: Floats) -> Clusters:
    """Cluster the rows of [rows, columns]."""
    from scipy.cluster import hierarchy

    if len(rows) < 2:
        return Clusters(list(range(len(rows))), np.zeros((0, 4)), np.zeros((0, 4)), np.nan)
    apart = distances(rows)
    tree = hierarchy.linkage(apart, "average", optimal_ordering=True)
    drawn = hierarchy.dendrogram(tree, no_plot=True)
    between = hierarchy.cophenet(tree)
    flat = np.ptp(apart) == 0 or np.ptp(between) == 0
    fit = np.nan if flat else float(np.corrcoef(apart, between)[0, 1])
    # scipy's leaves stand at 5, 15, 25, …
    across = (np.array(drawn["icoord"]) - 5) / 10
    return Clusters([int(i) for i in drawn["leaves"]], across, np.array(drawn["dcoord"]), fit)


def distances(rows: Floats) -> Floats:
    """1 − r of every two rows, condensed as scipy has it."""
    centred = rows - rows.mean(1, keepdims=True)
    size = np.linalg.norm(centred, axis=1)
    # What is left of equal numbers after their mean is subtracted is not variation.
    varies = size > 1e-12 * (np.abs(rows).max(1) + np.finfo(float).tiny) * rows.shape[1]
    unit = np.divide(centred, size[:, None], out=np.zeros_like(centred), where=varies[:, None])
    apart: Floats = 1 - np.clip(unit @ unit.T, -1, 1)
    return apart[np.triu_indices(len(rows), 1)]

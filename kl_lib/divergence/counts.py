"""Entropies of counts, as sums over the integers with few points however many there are.

With S(k) = log k! − k log k + k and T(k, m) = k log(k/m) − k + m the chance of a count is the exponential of
a few S and −T, none of which cancels (Loader 2000, "Fast and accurate computation of binomial
probabilities").
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import gammaln, xlogy

from kl_lib.numerics import kl_term, log_ratio, stirling_remainder
from kl_lib.numerics.entrywise import in_pieces
from kl_lib.types import Array

# What lies beyond has less mass than e⁻⁵⁰.
_DECAY = 50.0
# So many integers are taken one by one.
_SINGLE = 2048
# The rule for the others, in blocks of 50 and more, has 16 nodes.
_ORDER = np.arange(1.0, 16.0)
# Of the total of all chances.
_TOLERANCE = 1e-11


def poisson_entropy(mean: float) -> float:
    """Return the entropy of a Poisson distribution.

    Examples
    --------
    >>> from kl_lib.divergence.counts import poisson_entropy
    >>> print(f"{poisson_entropy(1.0):.12f} {poisson_entropy(5e15):.10f}")
    1.304842242256 19.4930456869
    """

    def terms(k: Array, offset: Array) -> list[Array]:
        return [_excess(k) + kl_term(k, mean, -offset)]

    return sum(_means(terms, mean, np.sqrt(mean), 1.0))


def binomial_entropy(n: float, p: float) -> float:
    """Return the entropy of the number of successes in n trials.

    Examples
    --------
    >>> from kl_lib.divergence.counts import binomial_entropy
    >>> print(f"{binomial_entropy(10.0**16, 0.5):.10f}")
    19.1464720966
    """
    return sum(_binomial_parts(n, min(p, 1 - p)))


def multinomial_entropy(n: float, p: Array) -> float:
    """Return the entropy of the counts of n draws with the chances p, (k,).

    It is Σᵢ E[S(kᵢ) + T(kᵢ, n pᵢ)] − S(n), where each count is binomial.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.divergence.counts import multinomial_entropy
    >>> print(f"{multinomial_entropy(1, np.array([0.5, 0.25, 0.25])) / np.log(2):.12f}")
    1.500000000000
    """
    total = 0.0 if np.max(p) > 0.5 else -float(_excess(np.asarray(n)))
    for chance in p.tolist():
        total += _binomial_parts(n, chance)[0] if chance <= 0.5 else _binomial_parts(n, 1 - chance)[1]
    return total


def _binomial_parts(n: float, p: float) -> list[float]:
    """Return E[S(k) + T(k, np)] of the count k with the chance p ≤ ½, and that of n − k less S(n)."""
    whole, rest = _excess(np.asarray(n)), 1 - p

    def terms(k: Array, offset: Array) -> list[Array]:
        other = (_excess(n - k) - whole) + kl_term(n - k, n * rest, offset)
        return [_excess(k) + kl_term(k, n * p, -offset), other]

    return _means(terms, n * p, np.sqrt(n * p * rest), 1.0, n)


def negative_binomial_entropy(n: float, p: float) -> float:
    """Return the entropy of the number of failures before the n-th success, n not always whole.

    Examples
    --------
    >>> from kl_lib.divergence.counts import negative_binomial_entropy
    >>> print(f"{negative_binomial_entropy(1.0, 1e-6):.10f}")
    14.8155100580
    """
    whole, rest = _excess(np.asarray(n)), 1 - p

    def terms(k: Array, offset: Array) -> list[Array]:
        trials = n + k
        both = kl_term(n, p * trials, p * offset) + kl_term(k, rest * trials, -p * offset)
        return [(whole - _excess(trials)) + log_ratio(trials, n) + _excess(k) + both]

    return sum(_means(terms, n * rest / p, np.sqrt(n * rest) / p, 1 / p))


def _excess(k: Array) -> Array:
    """Return S(k) = log k! − k log k + k."""
    return in_pieces([(k < 10, _small_excess), (k >= 10, _large_excess)], k)


def _small_excess(k: Array) -> Array:
    value: Array = gammaln(k + 1) - xlogy(k, k) + k
    return value


def _large_excess(k: Array) -> Array:
    value: Array = 0.5 * np.log(2 * np.pi * k) + stirling_remainder(k)
    return value


def _means(
    terms: Callable[[Array, Array], list[Array]],
    mean: float,
    spread: float,
    scale: float,
    last: float = np.inf,
) -> list[float]:
    """Return the means of the terms, whose sum is −log of the chance; nan where the chances do not sum to 1.

    The terms get the counts and these less the mean. By Bernstein's inequality little lies beyond `reach`,
    where `scale` is that of an exponential tail.
    """
    reach = np.sqrt(2 * _DECAY) * spread + _DECAY * scale
    if not max(mean, reach) < np.inf:
        return [np.nan]
    beyond = mean % 1
    first = np.ceil(beyond - min(reach, mean)) - beyond  # less the mean: itself, it may have lost its digits
    steps, weights = _points(np.round(mean + first), min(reach, last - mean) - first, max(spread, scale))
    values = terms(np.round(mean + first) + steps, first + steps)
    chances = weights * np.exp(-sum(values))
    total = float(np.sum(chances))
    total = total if abs(total - 1) < _TOLERANCE else np.nan
    # inf, of a count without a chance, matters no more.
    return [float(np.sum(chances * np.where(chances > 0, value, 0.0)) / total) for value in values]


def _points(lower: float, length: float, longest: float) -> tuple[Array, Array]:
    """Return the steps from `lower` and the weights of a sum over the integers from there to `length` more.

    The first integers are taken one by one, the others in blocks no longer than their distance from 0,
    where the logarithms are singular, by Gauss's rule for sums, whose nodes are the eigenvalues of the
    matrix of the discrete Chebyshev polynomials (Golub and Welsch 1969; DLMF 18.19).
    """
    single = np.arange(min(np.floor(length + 0.5) + 1, _SINGLE))
    starts, sizes = [], []
    start = float(_SINGLE)
    while start <= length:
        starts.append(start)
        sizes.append(np.floor(min(lower + start, longest)))
        start += sizes[-1]
    size = np.reshape(sizes, (-1, 1))
    matrix = np.zeros((len(size), _ORDER.size + 1, _ORDER.size + 1))
    index = np.arange(_ORDER.size)
    matrix[:, index + 1, index] = np.sqrt((1 - (_ORDER / size) ** 2) / (4 - 1 / _ORDER**2))
    nodes, vectors = np.linalg.eigh(matrix)
    steps = np.reshape(starts, (-1, 1)) + 0.5 * (size - 1 + size * nodes)
    weights = size * vectors[:, 0] ** 2
    return np.concatenate([single, steps.ravel()]), np.concatenate([np.ones_like(single), weights.ravel()])

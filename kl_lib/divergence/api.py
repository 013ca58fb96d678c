"""The divergence, the entropy and the cross-entropy of SciPy distributions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_choice, as_finite, as_fraction
from kl_lib.divergence.distributions import Distribution, common_shape, float_or_array, read_distribution
from kl_lib.divergence.entropies import closed_entropy
from kl_lib.divergence.expectations import expected_value
from kl_lib.divergence.numerical import (
    RELATIVE,
    completed,
    cross_entropy_numerical,
    kl_numerical,
)
from kl_lib.divergence.registry import closed_values, no_values
from kl_lib.divergence.sampling import can_be_sampled, density_name
from kl_lib.numerics import every
from kl_lib.types import Array, BatchFunction, KLMethod, Mask, SciPyDistribution


def kl_divergence(
    p: SciPyDistribution, q: SciPyDistribution, *, method: KLMethod = "auto", rtol: float = RELATIVE
) -> float | Array:
    r"""Return D_KL(p‖q) = E_{x∼p}[log p(x) − log q(x)], in nats.

    Parameters
    ----------
    p, q
        Frozen ``scipy.stats`` distributions, or SciPy's newer univariate random variables. Array
        parameters broadcast.
    method
        ``"closed"`` takes the registered closed form; ``"quadrature"`` integrates (continuous) or sums
        (discrete) to a relative error of `rtol`; ``"auto"`` takes the closed form where there is one.
    rtol
        The relative error that the integral or sum is to reach: its bound counts the rounding of SciPy's
        densities and what lies beyond the last point.

    Returns
    -------
    float or ndarray
        Never negative; inf where p has mass that q has not; 0 where p and q are of one family of SciPy's and
        have equal parameters. A closed form of floats is right to a few units of 1e-15 of itself, however
        close p and q are. That of normal or Wishart distributions given by covariances is right to their
        condition number times 2⁻⁵³; given by Cholesky factors (``stats.Covariance.from_cholesky``) there is
        no such loss. An integral or a sum is right to `rtol`.

    Raises
    ------
    TypeError
        If p or q is no distribution, or one is discrete and the other continuous.
    ValueError
        If a parameter is invalid, the dimensions or shapes do not match, or `method` is unknown.
    NotImplementedError
        If nothing exact is known for the pair.
    ArithmeticError
        If the integral or the sum does not reach its tolerance, or p or q does not come out with mass 1.

    Examples
    --------
    >>> from scipy import stats
    >>> from kl_lib import kl_divergence
    >>> kl_divergence(stats.norm(0, 1), stats.norm(0, 2))
    0.3181471805599453
    >>> kl_divergence(stats.norm([0, 1, 2], 1), stats.norm(0, 1))
    array([0. , 0.5, 2. ])

    References
    ----------
    Kullback and Leibler (1951), "On information and sufficiency", equation 2.6.
    """
    relative = as_fraction("rtol", rtol)
    chosen = as_choice("method", method, ("auto", "closed", "quadrature"))
    first, second = read_distribution("p", p), read_distribution("q", q)
    shape = common_shape(first, second)
    value, covered = no_values(shape) if chosen == "quadrature" else closed_values(first, second, shape)
    if chosen == "closed" and not every(covered):
        way_on = "; method='quadrature' may" if _is_univariate(first, second) else _by_sampling(first, second)
        raise NotImplementedError(
            f"no closed form of D({first.name}‖{second.name}) covers these parameters{way_on}"
        )
    if not (every(covered) or _is_univariate(first, second)):
        if chosen == "quadrature" and every(closed_values(first, second, shape)[1]):
            raise NotImplementedError(
                f"method='quadrature' is for univariate distributions, got p = {first.name} and "
                f"q = {second.name}; method='auto' takes their closed form"
            )
        raise NotImplementedError(
            f"nothing exact is known for {_named(first, second)}{_by_sampling(first, second)}"
        )
    return completed(value, covered, kl_numerical, first, second, relative)


def entropy(p: SciPyDistribution) -> float | Array:
    r"""Return H(p) = −E_{x∼p} log p(x) in nats: the entropy, or for a density the differential entropy.

    A closed form, to about 1e-14 of max(1, abs(H)), where there is one; else quadrature or a sum to a
    relative error of 1e-9 (or 1e-11 nats). A differential entropy may be negative.

    Parameters
    ----------
    p
        A frozen ``scipy.stats`` distribution, or one of SciPy's newer random variables.

    Returns
    -------
    float or ndarray
        The shape of the parameters of p.

    Raises
    ------
    TypeError
        If p is no distribution.
    ValueError
        If a parameter of p is invalid.
    NotImplementedError
        If p is multivariate and no formula is known.
    ArithmeticError
        If the integral or the sum does not converge to its tolerance, or a formula overflows.

    Examples
    --------
    >>> from scipy import stats
    >>> from kl_lib import entropy
    >>> round(entropy(stats.bernoulli(0.5)), 12)
    0.69314718056
    >>> entropy(stats.norm(0, [1, 2]))
    array([1.41893853, 2.11208571])

    References
    ----------
    Shannon (1948), "A mathematical theory of communication", sections 6 and 20.
    """
    distribution = read_distribution("p", p)
    formula = closed_entropy(distribution)
    if formula is not None:
        return float_or_array(np.array(np.broadcast_to(formula, distribution.shape)))
    if distribution.kind in ("multivariate", "other"):
        raise NotImplementedError(f"no formula is known for the entropy of {_described(distribution)}")
    return _numerical(*no_values(distribution.shape), distribution, distribution)


def cross_entropy(p: SciPyDistribution, q: SciPyDistribution) -> float | Array:
    r"""Return H(p, q) = −E_{x∼p} log q(x) in nats.

    It is H(p) + D_KL(p‖q) where both are finite, and inf where p has mass that q has not. Where H(p) is
    infinite, the sum says nothing, and D_KL(p‖q) may still be finite: ask `kl_divergence` for it.

    Parameters
    ----------
    p, q
        As for `kl_divergence`. Array parameters broadcast.

    Returns
    -------
    float or ndarray
        To a relative error of 1e-9 (or 1e-11 nats). For densities it may be negative.

    Raises
    ------
    TypeError, ValueError, NotImplementedError, ArithmeticError
        As for `kl_divergence`.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> from kl_lib import cross_entropy, entropy, kl_divergence
    >>> cross_entropy(stats.bernoulli(0.5), stats.bernoulli([0.5, 0.0]))
    array([0.69314718,        inf])
    >>> p, q = stats.norm(0, 1), stats.norm(1, 2)
    >>> bool(np.isclose(cross_entropy(p, q), entropy(p) + kl_divergence(p, q)))
    True

    References
    ----------
    Cover and Thomas (2006), *Elements of Information Theory*, section 5.4.
    """
    first, second = read_distribution("p", p), read_distribution("q", q)
    shape = common_shape(first, second)
    formula = closed_entropy(first)
    if formula is None:
        return _numerical(*no_values(shape), first, second)
    divergence, covered = closed_values(first, second, shape)
    return _numerical(np.asarray(divergence + formula), covered, first, second)


def expectation(p: SciPyDistribution, f: BatchFunction) -> float | Array:
    r"""Return E_{x∼p} f(x), by quadrature (continuous) or a sum (discrete).

    Parameters
    ----------
    p
        A univariate distribution as for `kl_divergence`, its parameters numbers.
    f
        Maps a batch of points (n,) to numbers (n,), or to arrays (n, ...). Of a continuous p, a spike of f
        that none of these points meets is not seen.

    Returns
    -------
    float or ndarray
        To an error of 1e-9 of the root mean square of f(x); an array (...) if f gives arrays (n, ...).

    Raises
    ------
    TypeError
        If p is no distribution, or f no function.
    ValueError
        If p is not univariate or its parameters are arrays, or if f gives nan, inf or another shape.
    ArithmeticError
        If the integral or the sum does not converge to its tolerance, as for an f of infinite variance.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> from kl_lib import expectation
    >>> round(expectation(stats.norm(0, 1), np.cos), 9), round(float(np.exp(-1 / 2)), 9)
    (0.60653066, 0.60653066)
    >>> expectation(stats.poisson(2), lambda x: np.stack([x, x**2], axis=1)).round(9)
    array([2., 6.])
    """
    distribution = read_distribution("p", p)
    if distribution.kind not in ("continuous", "discrete") or distribution.shape:
        raise ValueError(f"p must be one univariate distribution, such as stats.norm(0, 1), got {p!r}")
    if not callable(f):
        raise TypeError(f"f must be a function of a batch of points, got {f!r}")
    return expected_value(distribution, f)


def kl_integrand(p: SciPyDistribution, q: SciPyDistribution, x: ArrayLike) -> Array:
    """Return p(x) log(p(x) / q(x)), the height whose signed area is D_KL(p‖q), in nats per unit of x.

    Parameters
    ----------
    p, q
        Continuous univariate distributions as for `kl_divergence`.
    x
        Points of any shape, or one that broadcasts against the parameters.

    Returns
    -------
    ndarray
        0 where p vanishes, inf where q alone does.

    Raises
    ------
    TypeError
        If p or q is no distribution.
    ValueError
        If one is not continuous and univariate, or x is not finite.

    Examples
    --------
    >>> from scipy import stats
    >>> from kl_lib import kl_integrand
    >>> kl_integrand(stats.uniform(0, 1), stats.uniform(0, 2), [0.5, 1.5]).round(4)
    array([0.6931, 0.    ])
    """
    x, both = as_finite("x", x), (read_distribution("p", p), read_distribution("q", q))
    for distribution in both:
        if distribution.kind != "continuous":
            raise ValueError(
                f"{distribution.label} must be a continuous univariate distribution, got {distribution.name}"
            )
    log_p, log_q = (np.asarray(distribution.source.logpdf(x)) for distribution in both)
    with np.errstate(invalid="ignore"):  # -inf less -inf, where p vanishes
        return np.where(np.isneginf(log_p), 0.0, np.exp(log_p) * (log_p - log_q))


def _is_univariate(p: Distribution, q: Distribution) -> bool:
    return {p.kind, q.kind} <= {"continuous", "discrete"}


def _described(p: Distribution) -> str:
    return p.name if p.dimension in (0, 1) else f"{p.name} of dimension {p.dimension}"


def _named(p: Distribution, q: Distribution) -> str:
    return f"p = {_described(p)} and q = {_described(q)}"


def _by_sampling(p: Distribution, q: Distribution) -> str:
    """Name the call that estimates the divergence, where it can."""
    can = can_be_sampled(p) and density_name(p) is not None and density_name(p) == density_name(q)
    return "; estimate the divergence with kl_lib.kl_monte_carlo(p, q, n, rng=rng)" if can else ""


def _numerical(value: Array, covered: Mask, p: Distribution, q: Distribution) -> float | Array:
    if not (every(covered) or _is_univariate(p, q)):
        raise NotImplementedError(
            f"nothing exact is known for the cross-entropy of {_named(p, q)}{_by_sampling(p, q)}"
        )
    return completed(value, covered, cross_entropy_numerical, p, q)

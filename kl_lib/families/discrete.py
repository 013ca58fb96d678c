"""The discrete families, in logits: Bernoulli and categorical."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from kl_lib.checks import as_count, as_positive, as_shape, as_weights
from kl_lib.families.base import Family
from kl_lib.numerics import log_softmax, softmax, softmax_entropy
from kl_lib.scipy_adapter import DiscreteFrozen
from kl_lib.types import Array


@final
@dataclass(frozen=True)
class Bernoulli(Family):
    """The Bernoulli family on {0, 1}, θ = (logit,), logit = log p / (1 - p).

    Examples
    --------
    >>> from kl_lib.families import Bernoulli
    >>> family = Bernoulli()
    >>> family.size, family.log_prob([0.0], [0, 1]).round(6)
    (1, array([-0.693147, -0.693147]))
    """

    @property
    def size(self) -> int:
        """One logit."""
        return 1

    @property
    def event_shape(self) -> tuple[int, ...]:
        """One integer."""
        return ()

    @property
    def outcomes(self) -> int:
        """0 and 1."""
        return 2

    @property
    def logits(self) -> slice:
        """Empty: the one logit is that of 1 against 0, hence identified."""
        return slice(0, 0)

    @property
    def log_scales(self) -> slice:
        """Empty: no scales."""
        return slice(0, 0)

    def theta_of(self, probability: ArrayLike) -> Array:
        """Return θ = (logit,).

        Parameters
        ----------
        probability
            That of 1, strictly between 0 and 1.

        Returns
        -------
        ndarray
            (1,).

        Examples
        --------
        >>> from kl_lib.families import Bernoulli
        >>> Bernoulli().theta_of(0.5)
        array([0.])
        """
        probability = as_shape("probability", as_positive("probability", probability), ())
        if probability >= 1:
            raise ValueError(f"probability must lie strictly between 0 and 1, got {probability}")
        return np.array([special.logit(probability)])

    def _at(self, theta: Array) -> Any:
        return DiscreteFromLogits(stats.bernoulli, special.expit(theta[0]), logits=np.array([0.0, theta[0]]))

    def _sample(self, theta: Array, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.binomial(1, special.expit(theta[0]), size=n)

    def _log_prob(self, theta: Array, x: NDArray[np.int64]) -> Array:
        log_probs: Array = special.log_expit(np.array([-1.0, 1.0]) * theta)
        return log_probs[x]

    def _score(self, theta: Array, x: NDArray[np.int64]) -> Array:
        # 1 - p as its own expit, since the difference rounds to zero at large logits
        score_of: Array = np.array([-special.expit(theta[0]), special.expit(-theta[0])])
        return score_of[x, None]

    def _entropy(self, theta: Array) -> float:
        rarer = -abs(theta[0])  # logit of the rarer outcome: both terms are then positive
        return float(np.logaddexp(0, rarer) - rarer * special.expit(rarer))


@final
@dataclass(frozen=True)
class Categorical(Family):
    """The categorical family on {0, …, k - 1}, θ = logits, identified up to a common constant.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.families import Categorical
    >>> family = Categorical(4)
    >>> family.size, family.log_prob(np.zeros(4), [0, 3]).round(6)
    (4, array([-1.386294, -1.386294]))
    """

    k: int

    def __post_init__(self) -> None:
        as_count("k", self.k)

    @property
    def size(self) -> int:
        """One logit for each outcome."""
        return self.k

    @property
    def event_shape(self) -> tuple[int, ...]:
        """One integer."""
        return ()

    @property
    def outcomes(self) -> int:
        """0 to k - 1."""
        return self.k

    @property
    def logits(self) -> slice:
        """All of θ."""
        return slice(0, self.k)

    @property
    def log_scales(self) -> slice:
        """Empty: no scales."""
        return slice(0, 0)

    def theta_of(self, probabilities: ArrayLike) -> Array:
        """Return the centred logits of probabilities.

        Parameters
        ----------
        probabilities
            k positive numbers that sum to 1 within 1e-9.

        Returns
        -------
        ndarray
            (k,).

        Examples
        --------
        >>> from kl_lib.families import Categorical
        >>> Categorical(2).theta_of([0.5, 0.5])
        array([0., 0.])
        """
        return self.centred(
            np.log(as_shape("probabilities", as_weights("probabilities", probabilities), (self.k,)))
        )

    def _at(self, theta: Array) -> Any:
        values = (np.arange(self.k), softmax(theta).probabilities)
        return DiscreteFromLogits(stats.rv_discrete(name="categorical", values=values), logits=theta)

    def _sample(self, theta: Array, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.choice(self.k, size=n, p=softmax(theta).probabilities)

    def _log_prob(self, theta: Array, x: NDArray[np.int64]) -> Array:
        return log_softmax(theta)[x]

    def _score(self, theta: Array, x: NDArray[np.int64]) -> Array:
        impossible = x[theta[x] == -np.inf]
        if impossible.size:
            raise ValueError(f"x must be outcomes whose logit is above -inf, got {impossible[0]}")
        parts = softmax(theta)
        score_of = -np.tile(parts.probabilities, (self.k, 1))
        # 1 - p from the others: the difference rounds to zero where the softmax saturates
        np.fill_diagonal(score_of, parts.complements)
        return score_of[x]

    def _entropy(self, theta: Array) -> float:
        return float(softmax_entropy(theta))


@final
class DiscreteFromLogits(DiscreteFrozen):  # type: ignore[misc]  # SciPy's class of frozen discrete distributions
    """A frozen discrete distribution of SciPy's on {0, …, k - 1} that keeps its logits.

    What depends on the logs of the probabilities is computed from these, as 1 - p may round to 0.

    Examples
    --------
    >>> from kl_lib.families import Bernoulli
    >>> coin = Bernoulli().at([40.0])
    >>> print(f"{coin.logpmf(1):.6e} {coin.logpmf(0)} {coin.entropy():.6e}")
    -4.248354e-18 -40.0 1.741825e-16
    """

    def __init__(self, generator: Any, *shapes: float, logits: Array) -> None:
        super().__init__(generator, *shapes)
        self.logits = logits

    def logpmf(self, k: ArrayLike) -> Array:
        """Return the log of the probability of k, in nats.

        Parameters
        ----------
        k
            Any numbers.

        Returns
        -------
        ndarray
            Of the shape of k; -inf for what is no outcome.

        Examples
        --------
        >>> from kl_lib.families import Categorical
        >>> print(Categorical(2).at([0.0, 0.0]).logpmf([0, 1, 2]))
        [-0.69314718 -0.69314718        -inf]
        """
        return self._entries(log_softmax(self.logits), k, -np.inf)

    def pmf(self, k: ArrayLike) -> Array:
        """Return the probability of k.

        Parameters
        ----------
        k
            Any numbers.

        Returns
        -------
        ndarray
            Of the shape of k; 0 for what is no outcome.

        Examples
        --------
        >>> from kl_lib.families import Bernoulli
        >>> print(Bernoulli().at([0.0]).pmf([0, 1, 2]))
        [0.5 0.5 0. ]
        """
        return self._entries(softmax(self.logits).probabilities, k, 0.0)

    def entropy(self) -> float:
        """Return the entropy, in nats.

        Examples
        --------
        >>> from kl_lib.families import Bernoulli
        >>> round(Bernoulli().at([0.0]).entropy(), 6)
        0.693147
        """
        return float(softmax_entropy(self.logits))

    def _entries(self, table: Array, k: ArrayLike, elsewhere: float) -> Array:
        """Return the entries of a table of the outcomes."""
        k = np.asarray(k, dtype=np.float64)
        outcome = (k >= 0) & (k < self.logits.size) & (k == np.floor(k))
        entries = np.where(outcome, table[np.where(outcome, k, 0).astype(np.intp)], elsewhere)
        return np.asarray(entries)[()]

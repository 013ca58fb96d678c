"""The discrete families, in logits: Bernoulli and categorical."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from kl_lib.checks import as_count, as_positive, as_shape, as_weights
from kl_lib.families.base import Family
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
        return stats.bernoulli(special.expit(theta[0]))

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
        values = (np.arange(self.k), special.softmax(theta))
        return stats.rv_discrete(name="categorical", values=values)()

    def _sample(self, theta: Array, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.choice(self.k, size=n, p=special.softmax(theta))

    def _log_prob(self, theta: Array, x: NDArray[np.int64]) -> Array:
        log_probs: Array = special.log_softmax(theta)
        return log_probs[x]

    def _score(self, theta: Array, x: NDArray[np.int64]) -> Array:
        score_of: Array = np.eye(self.k) - special.softmax(theta)
        return score_of[x]

    def _entropy(self, theta: Array) -> float:
        log_probs = special.log_softmax(theta)
        return float(-(np.exp(log_probs) @ log_probs))

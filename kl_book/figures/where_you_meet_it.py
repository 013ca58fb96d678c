"""The plots of chapter 8: a classifier's loss above its floor, and a reference tilted by a reward."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from kl_book.figures.style import D_COLOR, INK, MUTED, P_COLOR, Q_COLOR, name_curves, panels, styled
from kl_lib.types import Array


@styled
def conditional_gap(x: Array, truth: Array, model: Array, gap: Array) -> Figure:
    """Draw the probability of a label, true and learned, and under it where the divergence is spent."""
    figure, ((above,), (below,)) = panels([1.6, 1.6], top=0.3, gap=0.42, sharex=True)
    above.plot(x, truth, color=P_COLOR)
    above.plot(x, model, color=Q_COLOR, dashes=(4, 2))
    above.set(title="probability of label 1, given x", ylim=(0, 1.02))
    name_curves(above, p=(0.62, 0.93), q=(-0.95, 0.33))
    below.fill_between(x, gap, color=D_COLOR, alpha=0.35, linewidth=0)
    below.plot(x, gap, color=D_COLOR, linewidth=1.2)
    area = gap.sum() * (x[1] - x[0])
    below.set(xlim=(x[0], x[-1]), ylim=(0, 1.25 * gap.max()), xlabel="x")
    below.set_title(f"divergence × density: area {area:.2f} nats", color=D_COLOR, fontsize=10)
    return figure


@styled
def tilted_policy(
    length: Array, reference: Array, policy: Array, spent: Array, curves: Mapping[str, Array], here: float
) -> Figure:
    """Draw reference and policy over the answers, and under them what each nat of divergence has bought."""
    figure, ((above,), (below,)) = panels([1.7, 1.7], top=0.3, gap=0.85)
    above.fill_between(length, reference, color=MUTED, alpha=0.25, linewidth=0)
    above.plot(length, reference, color=MUTED, linewidth=1.2)
    above.plot(length, policy, color=P_COLOR)
    above.text(-3.9, reference.max(), "reference", color=MUTED)
    above.text(8.9, reference.max(), "policy p⋆", color=P_COLOR, ha="right")
    above.set(xlim=(length[0], length[-1]), ylim=(0, 1.15 * reference.max()), xlabel="length of the answer")
    above.set_title("probability of each answer")
    place = 0.8 * spent[-1]
    for (name, values), style, up in zip(curves.items(), ("--", "-"), (5, -5), strict=True):
        below.plot(spent, values, style, color=INK, linewidth=1.4)
        below.annotate(name, (place, np.interp(place, spent, values)), (0, up), textcoords="offset points",
                       ha="right", va="bottom" if up > 0 else "top")  # fmt: skip
    below.axvline(here, color=D_COLOR, linewidth=1.6)
    below.set(xlim=(0, spent[-1]), ylim=(-1.6, 5.2))
    below.set_xlabel("divergence from the reference (nats)", color=D_COLOR)
    below.set_title("what the nats have bought")
    return figure

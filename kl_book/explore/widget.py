"""The live face: core ipywidgets sliders that call Python at any value, on the grid and off it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from kl_book.explore.sliders import Slider, decimals_of, rounded, value_text

VIEW = "application/vnd.jupyter.widget-view+json"
FINER = 20


def kernel_runs() -> bool:
    """Return whether this process is a Jupyter kernel that can hold widgets."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None and find_spec("ipywidgets") is not None


def live_view(render: Callable[..., str], sliders: Sequence[Slider]) -> dict[str, Any]:
    """Return the MIME bundle of the live view; `render(**values)` gives its HTML."""
    bundle: dict[str, Any] = live_box(render, sliders)._repr_mimebundle_()
    return {VIEW: bundle[VIEW]}


def live_box(render: Callable[..., str], sliders: Sequence[Slider]) -> Any:
    """Return a box of controls over the picture, which follows them."""
    from ipywidgets import HTML, VBox

    controls = {slider.name: _live_control(slider) for slider in sliders}
    picture = HTML()

    def redraw(_change: object = None) -> None:
        picture.value = render(**{slider.name: _value(slider, controls[slider.name]) for slider in sliders})

    redraw()
    for control in controls.values():
        control.observe(redraw, names="value")
    return VBox([*controls.values(), picture])


def _live_control(slider: Slider) -> Any:
    from ipywidgets import Dropdown, FloatSlider, IntSlider

    values, initial = slider.values, slider.values[slider.initial]
    if not slider.is_range:
        options = [(value_text(value), value) for value in values]
        return Dropdown(options=options, value=initial, description=slider.label)
    span = {"min": values[0], "max": values[-1], "value": initial, "description": slider.label}
    if all(isinstance(value, int) for value in values):
        return IntSlider(**span)
    step = slider.step / FINER
    return FloatSlider(**span, step=step, readout_format=f".{decimals_of(slider.start, step)}f")


def _value(slider: Slider, control: Any) -> Any:
    """Return what the control shows: the browser adds up steps, which at zero leaves -2.2e-16."""
    if isinstance(control.value, float) and slider.is_range:
        return rounded(control.value, slider.step / FINER)
    return control.value

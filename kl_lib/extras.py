"""Packages that a user may have beside NumPy and SciPy, imported where they are needed and never before."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def import_extra(package: str, extra: str, purpose: str) -> Any:
    """Return a package, or say which extra of kl_lib brings it.

    Parameters
    ----------
    package
        Its name in an import.
    extra
        The extra of kl_lib that has it.
    purpose
        What it is needed for: the first words of the error.

    Returns
    -------
    module
        The package.

    Raises
    ------
    ModuleNotFoundError
        If it is not installed.

    Examples
    --------
    >>> from kl_lib.extras import import_extra
    >>> import_extra("numpy", "arrays", "this example").__name__
    'numpy'
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{purpose} needs {package}, which is not installed: pip install "kl_lib[{extra}]"',
            name=error.name,
        ) from error

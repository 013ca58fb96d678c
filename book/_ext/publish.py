"""Put a finished build in the place of the last one: `publish.py STAGE SITE`.

The site is exchanged whole, so that a build that fails half-way never shows, and no page outlives its source.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def publish(stage: Path, site: Path) -> None:
    """Copy `stage` beside `site`, then let it take its place."""
    new = site.with_name(site.name + ".new")
    for folder in (new, site.with_name(site.name + ".old")):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(stage, new, ignore=shutil.ignore_patterns(".buildinfo", "objects.inv"))
    if site.exists():
        site.rename(site.with_name(site.name + ".old"))
    new.rename(site)
    shutil.rmtree(site.with_name(site.name + ".old"), ignore_errors=True)


if __name__ == "__main__":
    publish(Path(sys.argv[1]), Path(sys.argv[2]))

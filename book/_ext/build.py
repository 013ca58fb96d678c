"""Build the site with Jupyter Book, and put it in the place of the last one: `build.py`.

The site is exchanged whole, so that a build that fails half-way never shows, and no page outlives its source.
Nothing is built where no source has changed; only the stamp, which tells of the tests, is written anew. The
home page offers the book on paper where `paper` has printed this very state of it.
"""

from __future__ import annotations

import fcntl
import re
import shutil
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from isolation import leave_home_alone
from stamp import sentence, stamp_pages

ROOT = Path(__file__).resolve().parents[2]
STAGE = ROOT / "_build" / "stage"
SITE = ROOT / "_build" / "html"
PAPER = ROOT / "_build" / "book.pdf"
PAPER_RECORD = PAPER.with_name("book.pdf.made-from")

# Every page depends on these.
SETTINGS = ("_config.yml", "_toc.yml", "requirements.txt", "book/_ext/*.*", "book/_templates/*")
SOURCES = (*SETTINGS, "book/*.*", "book/_static/**/*.*", "kl_*/**/*.*", "benchmarks/results.json")


def made_from(patterns: Iterable[str]) -> str:
    """Return a hash of the files that match, with their names."""
    digest = sha256()
    for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern)}):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def same(record: Path, key: str) -> bool:
    """Tell whether `record` says that what lies beside it was made from `key`."""
    return record.exists() and record.read_text(encoding="utf-8") == key


def build(stage: Path) -> None:
    """Build the site below `stage`, with warnings as errors; leave the program where it fails."""
    from jupyter_book.sphinx import build_sphinx

    key = made_from(SETTINGS)
    if not same(stage / "made-from", key):
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(parents=True)
        (stage / "made-from").write_text(key, encoding="utf-8")
    failure = build_sphinx(
        ROOT,
        stage / "html",
        noconfig=True,
        path_config=ROOT / "_config.yml",
        confoverrides={"external_toc_path": str(ROOT / "_toc.yml"), "latex_individualpages": False},
        warningiserror=True,
        keep_going=True,
        quiet=True,
    )
    if failure:
        sys.exit("The book was not built: mend what is named above. The site is the last one that was.")


def publish(stage: Path, site: Path) -> None:
    """Copy `stage` beside `site`, then let it take its place."""
    new, old = (site.with_name(f"{site.name}.{age}") for age in ("new", "old"))
    for folder in (new, old):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(stage, new, ignore=shutil.ignore_patterns(".buildinfo", "objects.inv"))
    if site.exists():
        site.rename(old)
    new.rename(site)
    shutil.rmtree(old, ignore_errors=True)


# The home page's place for the offer.
OFFER = re.compile(r'(<p class="paper">).*?(</p>)', re.DOTALL)


def paper_key() -> str:
    """Return what a printed book must be made from to be this one: it bears the stamp too."""
    return made_from(SOURCES) + sentence(ROOT)


def offer_paper(site: Path) -> None:
    """Put the printed book into `site` and a link to it on the home page; neither where there is none."""
    copy, text = site / PAPER.name, ""
    copy.unlink(missing_ok=True)
    if PAPER.is_file() and same(PAPER_RECORD, paper_key()):
        shutil.copy(PAPER, copy)
        size = PAPER.stat().st_size / 1e6
        text = f'On paper it is <a href="../{copy.name}">one PDF</a> ({size:.0f} MB).'
    home = site / "book" / "index.html"
    page = home.read_text(encoding="utf-8")
    home.write_text(OFFER.sub(lambda place: place[1] + text + place[2], page), encoding="utf-8")


def main() -> None:
    """Bring the site up to date, one build at a time."""
    leave_home_alone()
    with (ROOT / "_config.yml").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        key = made_from(SOURCES)
        record = SITE.with_name("html.made-from")
        if same(record, key) and SITE.is_dir():
            stamp_pages(ROOT, SITE)
        else:
            record.unlink(missing_ok=True)
            build(STAGE)
            publish(STAGE / "html", SITE)
            record.write_text(key, encoding="utf-8")
        offer_paper(SITE)


if __name__ == "__main__":
    main()

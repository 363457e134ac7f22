"""Builds the documentation site: `python -m tools.site.build` assembles the pages and runs Sphinx on them.

Everything is written below build/site. The build needs no network. Each warning of Sphinx is an error, and so are dead
links and whatever a page would load from another host.

    python -m tools.site.build               the whole site
    python -m tools.site.build --no-gallery  without the notebooks, which may have to run first
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from tools.site.assemble import assemble
from tools.site.check import problems

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "site"


def build(folder: Path = BUILD, *, gallery: bool = True) -> Path:
    """Assemble the site's pages in the folder and build them; the path of its first page. Raises SystemExit."""
    source, html = folder / "source", folder / "html"
    assemble(source, gallery=gallery)
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", "--conf-dir", str(ROOT / "docs")]
    command += ["--doctree-dir", str(folder / "doctrees"), str(source), str(html)]
    variables = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    if subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode:  # noqa: S603 (own command)
        raise SystemExit("found warnings of Sphinx, expected none; correct the pages that are named above")
    if found := problems(html):
        raise SystemExit("\n".join([*found, "found these problems of the built pages, expected none; correct them"]))
    return html / "index.html"


def main() -> None:
    """Build the site and print where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-gallery", action="store_true", help="leave the notebooks out")
    options = parser.parse_args()
    started = time.perf_counter()
    page = build(gallery=not options.no_gallery)
    print(f"site: {page} ({time.perf_counter() - started:.0f} s); open it in a browser, no server is needed")


if __name__ == "__main__":
    main()

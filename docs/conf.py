"""Settings of Sphinx for the documentation site; `make docs` assembles the pages and builds them."""

from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_settings = ConfigParser()
_settings.read(ROOT / "settings.ini", encoding="utf-8")

project = "pipeline_lib"
version = release = _settings["project"]["version"]
author = "the authors of pipeline_lib"
project_copyright = f"{author}, {_settings['project']['license']}"
html_title = f"pipeline_lib {version}"

extensions = ["myst_nb", "sphinx.ext.mathjax"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_static"]
suppress_warnings = ["myst.domains"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "off"  # notebooks come from records, with their outputs
nb_ipywidgets_js = {}  # these would come from another host

html_theme = "furo"
html_static_path = [str(ROOT / "docs" / "_static")]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_search_summary = False  # a page that is opened from disk cannot read other pages
python_maximum_signature_line_length = 88
highlight_language = "none"

"""The report that people read: the executed notebook without its code, in one offline page."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from pipeline_lib.records.layout import ENVIRONMENT, PARAMETERS
from pipeline_lib.records.record import Record
from pipeline_lib.system.files import write_atomic

TEMPLATES = Path(__file__).parent / "templates"
_NAMED = ("numpy", "pandas", "scikit-learn", "feature-engine", "scipy", "nb-pipeline-lib")
_DROPPED = re.compile(r"<(style|script)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
# fmt: off
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3",
    "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}
# fmt: on
_ATTRIBUTES = {
    "*": ["class", "id", "title"],
    "a": ["href"],
    "img": ["src", "alt"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
}  # fmt: skip


def write_report(record: Record, manifest: dict[str, Any]) -> None:
    """Render the record's executed notebook to `report.html`: no code, no scripts, no request to anywhere.

    The template passes every text and output through `clean_html`; nbconvert's own cleaning would come before
    Markdown has become HTML.
    """
    import nbformat

    notebook = nbformat.read(record.notebook, as_version=4)
    run = {
        "reference": record.reference,
        "status": manifest["status"],
        "error": (manifest.get("error") or {}).get("message"),
        "facts": _facts(record, manifest),
    }
    page, _ = _exporter().from_notebook_node(notebook, resources={"run": run})
    write_atomic(record.report, page.encode())


@cache
def _exporter() -> Any:
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="report",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_anchor_links=True,  # an empty one would turn what follows it into a link
    )
    exporter.register_filter("clean_html", clean_html)
    return exporter


def clean_html(element: str) -> str:
    """HTML with harmless tags only; styles and scripts go with their content."""
    import bleach

    cleaned: str = bleach.clean(
        _DROPPED.sub("", str(element)),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        protocols=["http", "https", "mailto", "data"],
        strip=True,
    )
    return cleaned


def _facts(record: Record, manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """What the page says at its head about the run; nothing about what it did not reach."""
    environment = record.read_json(ENVIRONMENT) or {}
    packages = environment.get("packages", {})
    versions = [f"{name} {packages[name]}" for name in _NAMED if name in packages]
    artifact = manifest["hashes"].get("artifact")
    facts = [
        ("run", record.reference),
        ("status", str(manifest["status"])),
        ("started", str(manifest["times"]["started"])),
        ("took", f"{manifest['times']['seconds']:.1f} s"),
        ("parameters", str(manifest["parameters_file"])),
        *((f"  {key}", value) for key, value in _flat(record.read_json(PARAMETERS) or {})),
        ("git commit", _commit(manifest.get("git") or {})),
        ("python", "; ".join([environment.get("python", {}).get("version", ""), ", ".join(versions)]).strip("; ")),
        ("artifact", f"sha256 {artifact[:16]}" if artifact else ""),
        ("to repeat", f"pipeline-lib parity {record.reference}" if manifest["status"] == "finished" else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _commit(git: dict[str, Any]) -> str:
    if not git:
        return "none"
    changed = " with uncommitted changes" if git["changed"] else ""
    untracked = f" + {len(git['untracked'])} untracked files" if git["untracked"] else ""
    return f"{git['commit'][:12]}{changed}{untracked}"


def _flat(values: dict[str, Any], group: str = "") -> list[tuple[str, str]]:
    """Parameters by their dotted names, as `--set` takes them."""
    flat: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, dict) and value:
            flat += _flat(value, f"{group}{name}.")
        else:
            flat.append((f"{group}{name}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
    return flat

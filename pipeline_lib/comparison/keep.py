"""A comparison is kept beside the challengers' records: as JSON, which promotion and review read, and as a page."""

from dataclasses import replace

from pipeline_lib.comparison.page import write_comparison_page
from pipeline_lib.comparison.result import Comparison
from pipeline_lib.records.comparison_kept import comparison_path, write_comparison


def keep(comparison: Comparison) -> Comparison:
    """Write JSON and page beside every challenger's record; the comparison, which then names its page.

    A later comparison of the same records replaces them.
    """
    champion = comparison.scored.champion.record
    challengers = [side.record for side in comparison.scored.challengers if side.record]
    if champion is None or not challengers:
        return comparison
    digest, content = str(champion.manifest()["digest"]), comparison.to_json()
    for record in challengers:
        write_comparison(record, digest, content)
        write_comparison_page(comparison_path(record, digest, ".html"), comparison)
    return replace(comparison, page=comparison_path(challengers[0], digest, ".html"))

"""What a parity check prints of ways to write a file that lose values."""

from pipeline_lib.parity.result import Outcome, Parity, in_words, one_line

DATES = "refused: opened: found int64, expected a naive datetime; convert it first: datetime.fromisoformat(text)"
VALUES = "36 raw values in 36 of 60 rows change, and 36 outputs"


def lossy(name: str, detail: str) -> Outcome:
    return Outcome(name, "lossy file", "lossy", 60, detail=detail, seconds=0.25)


def test_a_format_whose_rows_are_refused_is_not_offered() -> None:
    exact = Outcome("fresh process", "rows", "exact", 60)
    outcomes = [lossy("DataFrame.to_json", DATES), lossy("as {json}", DATES), lossy("float32", VALUES), exact]
    parity = Parity.of("loans/1", 60, [], outcomes)
    assert parity.exact
    assert str(parity).split("\n")[1:] == [
        "  exact      rows: fresh process",
        "  not offered  DataFrame.to_json, as {json}: since such a file gives opened back as int64, and `Row` needs a "
        "naive datetime",
        "  lossy       float32: the file itself loses: 36 raw values in 36 of 60 rows change, and 36 outputs",
    ]
    assert one_line(outcomes[0]).startswith("not offered DataFrame.to_json (0.2 s): since such a file gives opened")
    assert one_line(outcomes[2]) == f"lossy     float32 (0.2 s): {VALUES}"


def test_a_refusal_of_a_careful_format_is_a_difference() -> None:
    parity = Parity.of("loans/1", 60, [], [Outcome("CSV", "file", "different", 60, detail=DATES)])
    assert not parity.exact
    assert f"  DIFFERENT  CSV: {DATES}" in str(parity)
    assert "not offered" not in str(parity)


def test_a_reader_of_the_report_learns_the_verdict_in_a_sentence() -> None:
    exact = [Outcome("fresh process", "rows", "exact", 60), Outcome("CSV", "file", "exact", 60), lossy("a", VALUES)]
    headline, verdict = in_words(Parity.of("loans/1", 60, [], exact))
    assert headline == "Production gives the same answers."
    assert verdict.startswith("all 60 rows had the same answer in production, to the last bit, in 2 ways of asking")
    red = [*exact, Outcome("one row", "rows", "different", 60, 3)]
    headline, verdict = in_words(Parity.of("loans/1", 60, [], red))
    assert headline == "Production does NOT give the same answers."
    assert verdict.startswith("other answers in 1 of 3 ways of asking, first: one row")

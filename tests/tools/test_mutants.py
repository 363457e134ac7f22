"""The mutation run: a check finds and names every mutation; with a weak check mutations survive."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.records.record import Record
from pipeline_lib.system.files import sha256_tree
from tools.mutants import CHECKS, SURVIVED, UNNAMED, Check, World, build, judge, run, summary
from tools.mutations import KINDS, Mutation, draw
from tools.mutations.code import edited, tokens

ULPS = "plan: a weight or constant by one ULP"


@pytest.fixture(scope="module")
def world(houses_record: Record, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The record with an exact repetition of itself."""
    return build(tmp_path_factory.mktemp("mutants") / "world", houses_record.folder, houses_record.folder)


def some(world: World, *names: str, seed: int = 1, share: float = 0.1) -> list[Mutation]:
    return [mutation for mutation in draw(world.tree, seed, share) if not names or mutation.kind in names]


def test_every_drawn_mutation_is_seen_and_named(world: World) -> None:
    mutations = some(world)[::4]
    text, code = summary(run(world, mutations))
    assert len(mutations) > 10
    assert code == 0, text
    assert f"0 of {len(mutations)} survive" in text


def test_the_seed_alone_decides_what_is_drawn(world: World) -> None:
    assert some(world, ULPS) == some(world, ULPS)
    assert some(world, ULPS) != some(world, ULPS, seed=2)
    assert {mutation.kind for mutation in some(world)} == {kind.name for kind in KINDS}
    assert sum(kind.count for kind in KINDS) >= 200


def test_a_check_with_a_tolerance_lets_mutations_survive(world: World) -> None:
    def close(world: World) -> str:
        """Compare the predictions with `allclose`."""
        evidence = read_evidence(world.record.evidence)
        found = load_model(world.record.artifact).predict(evidence.inputs)
        return "" if np.allclose(found, evidence.outputs.column("prediction").to_numpy()) else "outputs"

    mutations = some(world, ULPS, share=0.2)
    assert len(mutations) > 3
    text, code = summary(run(world, mutations, [Check("allclose", ("record/",), close)]))
    assert code == 1
    assert f"{len(mutations)} of {len(mutations)} survive" in text
    assert mutations[0].location in text
    assert "compare record/artifact/artifact.json with what made it" in text
    assert summary(run(world, mutations))[1] == 0


def test_a_check_that_names_nothing_is_not_enough(world: World) -> None:
    mutation = some(world, ULPS)[0]
    assert judge(world, mutation, [Check("vague", ("record/",), lambda world: "something is wrong")]).seen_by == UNNAMED
    assert judge(world, mutation, []).seen_by == SURVIVED


def test_a_mutation_that_leaves_the_seal_whole_survives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.mutants.verify", lambda record: [])
    verdict = judge(world, some(world, ULPS)[0])
    assert (verdict.seen_by, verdict.message) == (SURVIVED, "`verify` calls the record whole")


def test_no_mutation_is_no_success() -> None:
    assert summary([])[1] == 1


def test_the_world_is_restored_after_each_mutation(world: World) -> None:
    before = sha256_tree(world.record.folder)
    run(world, some(world, "evidence: a row dropped", "manifest"))
    assert sha256_tree(world.record.folder) == before


def test_a_world_in_which_a_check_is_red_is_refused(houses_record: Record, tmp_path: Path) -> None:
    folder = tmp_path / "houses" / houses_record.id
    shutil.copytree(houses_record.folder, folder)
    (folder / "metrics.json").write_text("{}")
    with pytest.raises(SystemExit, match=r"(?s)expected every check green, found.*reproduce: metrics"):
        build(tmp_path / "world", houses_record.folder, folder)


def test_each_kind_of_token_is_found_at_its_range() -> None:
    source = 'rate = 2 * x  # é\nname = "é" if rate < 3 else f"{rate}"\n'
    whole = source.encode()
    found = {kind: [(whole[start:end].decode(), new) for start, end, new in at] for kind, at in tokens(source).items()}
    assert sorted(text for text, _ in found["number"]) == ["2", "3"]
    assert found["operator"] == [("*", "/"), ("<", "<=")]
    assert found["text"] == [("", "x")]
    assert len(found["name"]) == 5


@pytest.mark.parametrize("kind", ["number", "text", "operator", "name"])
def test_an_edited_source_is_another_source_and_still_python(kind: str) -> None:
    import random

    source = 'rate = 2 * x\nname = "a"\n'
    done = edited(source, random.Random(0), kind)  # noqa: S311
    assert done is not None
    assert done[0] != source
    compile(done[0], "cell", "exec")
    assert edited("", random.Random(0), kind) is None  # noqa: S311


@pytest.mark.slow
@pytest.mark.whole
def test_all_mutations_are_seen_and_named(world: World) -> None:
    mutations = some(world, share=1.0, seed=3)
    verdicts = run(world, mutations)
    text, code = summary(verdicts)
    assert len(mutations) >= 200
    assert code == 0, text
    assert {verdict.seen_by for verdict in verdicts} >= {"seal", *(check.name for check in CHECKS)}

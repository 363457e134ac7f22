"""What the state of an opaque step may hold: each rule admits this, and refuses that before it is imported."""

import io
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from pipeline_lib.compiled.opaque_state import UntrustedError, load_state
from pipeline_lib.compiled.opaque_trust import Node, check_trust, is_allowed, nodes_of
from pipeline_lib.compiler.opaque_dump import dump_state
from pipeline_lib.errors import InputError

TRUST = ("category_encoders",)


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two packages that leave a mark where they are imported: `evil_steps`, and one with a trusted name before it."""
    for name in ("evil_steps", "category_encoders_evil"):
        package = tmp_path / name
        package.mkdir()
        (package / "__init__.py").write_text(
            f"import pathlib\npathlib.Path({str(tmp_path / 'imported')!r}).touch()\n"
            "class Encoder:\n    pass\ndef run(*words):\n    pathlib.Path('ran').touch()\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "imported"
    for name in ("evil_steps", "category_encoders_evil"):
        sys.modules.pop(name, None)


def state_with(node: dict[str, Any]) -> bytes:
    """The state of a scaler whose `copy` is another node."""
    stream = io.BytesIO(skops.io.dumps(StandardScaler()))
    with ZipFile(stream) as archive:
        schema = json.loads(archive.read("schema.json"))
        rest = {name: archive.read(name) for name in archive.namelist() if name != "schema.json"}
    schema["content"]["content"]["copy"] = node
    changed = io.BytesIO()
    with ZipFile(changed, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
        for name, content in rest.items():
            archive.writestr(name, content)
    return changed.getvalue()


def named(loader: str, full_name: str, **more: Any) -> dict[str, Any]:
    module, _, name = full_name.rpartition(".")
    return {"__loader__": loader, "__module__": module, "__class__": name, "__id__": 1, **more}


EMPTY = {"__loader__": "TupleNode", "__module__": "builtins", "__class__": "tuple", "content": [], "__id__": 2}


@pytest.mark.parametrize(
    "node",
    [
        named("ObjectNode", "evil_steps.Encoder"),
        named("ConstructorFromReduceNode", "evil_steps.run", content=EMPTY),
        named("FunctionNode", "evil_steps.run"),
        named("TypeNode", "evil_steps.Encoder"),
        named("ObjectNode", "category_encoders_evil.Encoder"),
        named("ListNode", "category_encoders_evil.run", content=[]),
    ],
    ids=lambda node: f"{node['__loader__']} {node['__module__']}",
)
def test_a_planted_package_is_refused_before_it_is_imported(node: dict[str, Any], planted: Path) -> None:
    with pytest.raises(UntrustedError, match=rf"found {node['__module__']}\.{node['__class__']} in an opaque step"):
        load_state(state_with(node), "pipeline_lib", TRUST)
    assert not planted.exists()


@pytest.mark.parametrize(
    ("loader", "name"),
    [
        ("FunctionNode", "pandas.read_pickle"),
        ("FunctionNode", "pandas.io.pickle.read_pickle"),
        ("FunctionNode", "joblib.load"),
        ("FunctionNode", "numpy.load"),
        ("FunctionNode", "builtins.eval"),
        ("TypeNode", "builtins.eval"),
        ("TypeNode", "builtins.exec"),
        ("ConstructorFromReduceNode", "subprocess.Popen"),
        ("ConstructorFromReduceNode", "numpy.memmap"),
        ("ListNode", "numpy.memmap"),
        ("ConstructorFromReduceNode", "pathlib.Path"),
        ("ObjectNode", "pickle.Unpickler"),
        ("MethodNode", "sklearn.linear_model._base.LinearRegression"),
        ("PartialNode", "functools.partial"),
        ("OperatorFuncNode", "operator.attrgetter"),
        ("FunctionNode", "category_encoders.utils.convert_cols_to_list"),
        ("ObjectNode", "category_encoders.hashing.Queue"),
        ("ConstructorFromReduceNode", "category_encoders.utils.convert_cols_to_list"),
        ("ObjectNode", "sklearn.utils.parallel.Parallel"),
        ("ObjectNode", "sklearn.base.np"),
        ("FunctionNode", "pipeline_lib.steps.years.load_state"),
        ("ObjectNode", "pipeline_lib.compiled.opaque_state.ZipFile"),
    ],
)
def test_what_is_no_class_of_an_admitted_package_is_refused(loader: str, name: str) -> None:
    module, _, attribute = name.rpartition(".")
    assert not is_allowed(Node(loader, module, attribute), "pipeline_lib", TRUST)


@pytest.mark.parametrize(
    ("loader", "name"),
    [
        ("ObjectNode", "sklearn.linear_model._base.LinearRegression"),
        ("ObjectNode", "feature_engine.encoding.count_frequency.CountFrequencyEncoder"),
        ("TreeNode", "sklearn.tree._tree.Tree"),
        ("ObjectNode", "sklearn.gaussian_process.kernels.RBF"),
        ("FunctionNode", "numpy.log1p"),
        ("NdArrayNode", "numpy.ndarray"),
        ("TypeNode", "numpy.float64"),
        ("SparseMatrixNode", "scipy.sparse._csr.csr_matrix"),
        ("ObjectNode", "category_encoders.target_encoder.TargetEncoder"),
        ("ObjectNode", "lightgbm.sklearn.LGBMClassifier"),
        ("ObjectNode", "pipeline_lib.steps.years.ElapsedYears"),
    ],
)
def test_data_estimators_and_trusted_classes_are_admitted(loader: str, name: str) -> None:
    module, _, attribute = name.rpartition(".")
    assert is_allowed(Node(loader, module, attribute), "pipeline_lib", TRUST)


def test_the_projects_package_comes_from_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {name: types.ModuleType(name) for name in ("prices", "prices.steps", "prices.steps.own")}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    exec("class Own:\n    pass\ndef double(X):\n    return X * 2", vars(modules["prices.steps.own"]))  # noqa: S102
    for loader, name in (("ObjectNode", "Own"), ("FunctionNode", "double")):
        assert is_allowed(Node(loader, "prices.steps.own", name), "prices", ())
        assert not is_allowed(Node(loader, "prices.steps.own", name), "pipeline_lib", ())
    assert not is_allowed(Node("ConstructorFromReduceNode", "prices.steps.own", "double"), "prices", ())


@pytest.mark.parametrize("name", ["joblib", "pickle", "cloudpickle", "numpy", "pandas", "os", "subprocess", "__main__"])
def test_packages_that_run_anything_are_never_trusted(name: str) -> None:
    with pytest.raises(InputError, match=f"found '{name}' in trust, expected a package of estimators"):
        check_trust((name,))


def test_trust_is_a_list_of_names() -> None:
    with pytest.raises(InputError, match=r"write trust=\('category_encoders',\)"):
        check_trust("category_encoders")
    with pytest.raises(InputError, match="found 'a b' in trust"):
        check_trust(("a b",))
    assert check_trust(["category_encoders", "imblearn.ensemble"]) == ("category_encoders", "imblearn.ensemble")


def test_a_pickle_is_no_state() -> None:
    import pickle

    with pytest.raises(InputError, match="found a damaged opaque step"):
        load_state(pickle.dumps(LinearRegression()), "pipeline_lib")


def test_an_array_of_objects_in_a_pickle_is_not_read() -> None:
    """NumPy would unpickle such a file, were it allowed to."""
    stream, content = io.BytesIO(dump_state(StandardScaler().fit(np.ones((3, 2))))), io.BytesIO()
    np.save(content, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    changed = io.BytesIO()
    with ZipFile(stream) as archive, ZipFile(changed, "w") as other:
        for name in archive.namelist():
            other.writestr(name, content.getvalue() if name.endswith(".npy") else archive.read(name))
    with pytest.raises(InputError, match="cannot be loaded"):
        load_state(changed.getvalue(), "pipeline_lib")


def test_every_node_is_checked_where_ever_it_is() -> None:
    schema = {"a": [{"__loader__": "FunctionNode", "__module__": "os", "__class__": "system"}], "__loader__": {"b": 1}}
    assert list(nodes_of(schema)) == [Node("FunctionNode", "os", "system")]


def test_a_function_of_the_list_is_loaded() -> None:
    state = dump_state(FunctionTransformer(np.log1p).fit(np.ones((3, 2))))
    loaded = load_state(state, "pipeline_lib")
    assert loaded.transform(np.ones((1, 1))).tolist() == [[np.log1p(1.0)]]

"""Roles of statements: the models that are fitted, the chosen one, its target, its predictions."""

import ast
from dataclasses import dataclass, field

from pipeline_lib.project.from_notebook.calls import PIPELINES, SEARCHES, argument, assigned, calls, method, receiver
from pipeline_lib.project.from_notebook.chains import Chain, Chains
from pipeline_lib.project.from_notebook.flow import Flow

_NO_PREDICTORS = (
    *("Scaler", "Encoder", "Imputer", "PCA", "Vectorizer", "Binarizer", "Transformer", "KMeans", "Discretizer"),
)


@dataclass(frozen=True)
class Fit:
    """A model's fit: statement, variable, what it is fitted on, its class, and the statement that makes it."""

    statement: int
    name: str
    made: int
    class_name: str
    rows: ast.expr = field(repr=False)
    target: ast.expr = field(repr=False)
    chain: Chain = field(repr=False)
    search: bool = False


class Roles(Chains):
    """The roles that statements play in a notebook."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(flow)
        self._tested: dict[int, list[tuple[int, ast.Call]]] = {}
        self.fits = [fit for statement in flow.statements for fit in self._fits(statement.index)]
        self.model = self._choose()
        self.split = self.model.chain.split if self.model else None

    def _fits(self, index: int) -> list[Fit]:
        node = self.flow.statements[index].node
        if isinstance(node, ast.For | ast.While | ast.If | ast.FunctionDef | ast.ClassDef | ast.With | ast.Try):
            return []
        result = []
        for call in calls(node):
            rows, target = argument(call, 0, "X"), argument(call, 1, "y")
            if method(call) != "fit" or rows is None or target is None:
                continue
            fit = self._fit(index, call, rows, target)
            if fit:
                result.append(fit)
        return result

    def _fit(self, index: int, call: ast.Call, rows: ast.expr, target: ast.expr) -> Fit | None:
        on, node = receiver(call), self.flow.statements[index].node
        if isinstance(on, ast.Name):
            name, made = on.id, self.flow.bound_by(on.id, index)
        else:  # model = Model().fit(X, y)
            found = assigned(node)
            name, made = (found[0], index) if found and found[1] is call else ("", None)
        if made is None:
            return None
        class_name = self.class_of(name, made)
        if not class_name or class_name.endswith(_NO_PREDICTORS):
            return None
        return Fit(index, name, made, class_name, rows, target, self.chain(rows, index), class_name in SEARCHES)

    def class_of(self, name: str, made: int) -> str:
        """The class of the estimator that a statement makes; "" for anything else."""
        found = assigned(self.flow.statements[made].node)
        value = found[1] if found else None
        while isinstance(value, ast.Call) and method(value) in ("fit", "set_params", "set_output"):
            value = receiver(value)
        if value is None:
            return ""
        own = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
        is_own = own in self.functions and isinstance(self.flow.statements[self.functions[own]].node, ast.ClassDef)
        return own if is_own else self.imports.makes_estimator(value)

    def _choose(self) -> Fit | None:
        """The last model that is fitted on a split's training part; else the last one that is fitted at all."""
        on_training = [fit for fit in self.fits if fit.chain.part == "train"]
        judged = [fit for fit in on_training if self.judged_by(fit)]
        return next(iter(reversed(judged or on_training or self.fits)), None)

    def judged_by(self, fit: Fit) -> list[int]:
        """The statements that predict or score with a fitted model on the test part."""
        return [index for index, call in self.uses(fit) if self._on_test(call, index)]

    def uses(self, fit: Fit) -> list[tuple[int, ast.Call]]:
        """The calls of predict, predict_proba and score of a fitted model, with their statements."""
        result = []
        for statement in self.flow.statements[fit.statement :]:
            if isinstance(statement.node, ast.FunctionDef | ast.ClassDef):
                continue
            for call in calls(statement.node):
                on = receiver(call)
                if method(call) not in ("predict", "predict_proba", "score") or not isinstance(on, ast.Name):
                    continue
                if on.id == fit.name and self.flow.bound_by(fit.name, statement.index) == fit.made:
                    result.append((statement.index, call))
        return result

    def _on_test(self, call: ast.Call, index: int) -> bool:
        rows = argument(call, 0, "X")
        return rows is not None and self.chain(rows, index).part == "test"

    def on_test(self, fit: Fit) -> list[tuple[int, ast.Call]]:
        """The uses of a fitted model on the test part."""
        if fit.statement not in self._tested:
            self._tested[fit.statement] = self._find_on_test(fit)
        return self._tested[fit.statement]

    def _find_on_test(self, fit: Fit) -> list[tuple[int, ast.Call]]:
        return [(index, call) for index, call in self.uses(fit) if self._on_test(call, index)]

    def target(self, fit: Fit) -> Chain:
        """Where the target of a fit comes from."""
        split = fit.chain.split
        if split is None:
            return Chain((), fit.target, fit.statement)
        if not split.of_tables:
            return Chain((), split.call.args[1], split.statement, split)
        return self.column(fit.target, fit.statement) or Chain((), fit.target, fit.statement, split)

    def is_pipeline(self, fit: Fit) -> bool:
        """Whether the model is a pipeline itself."""
        return fit.class_name in PIPELINES

"""The research notebook: the original's prose, plots and explorations in their order, with the run's calls."""

import ast
from collections.abc import Iterator

from pipeline_lib.project.from_notebook.calls import assigned, method, receiver
from pipeline_lib.project.from_notebook.edits import Edit, edited, path_edits
from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.imports import used_names
from pipeline_lib.project.from_notebook.kept import kept_statements
from pipeline_lib.project.from_notebook.module import CODE, PROSE, SPLIT_NAMES, NewCell
from pipeline_lib.project.from_notebook.parameters import Parameters
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.project.from_notebook.seeds import seed_edits
from pipeline_lib.project.notebooks import RAISES


class ResearchDraft:
    """Writes the cells of `nbs/research/NAME.ipynb`."""

    def __init__(self, plan: Plan, facts: Facts, parameters: Parameters, name: str, library: str) -> None:
        self.plan, self.facts, self.parameters = plan, facts, parameters
        self.name, self.library = name, library
        self.taken = {name for names in plan.flow.names for name in names.binds | names.reads}
        self.run, self.fitted = self._free("run"), self._free("fitted")
        self.compiled, self.predictions = self._free("compiled"), self._free("predictions")
        self.module = self._free(name)
        self.kept = kept_statements(plan)
        self.anchors = self._anchors()

    def cells(self) -> list[NewCell]:
        """All cells in order, and the diagnostics; cells whose statements have all moved are left out."""
        result: list[NewCell] = []
        placed = False
        code = self._code_order()
        for cell in self.plan.cells:
            if cell.kind != CODE:
                result.append((PROSE if cell.kind == PROSE else "raw", f"original-{cell.number}", cell.source, ()))
                continue
            if not placed:
                result += self._start()
                placed = True
            result += self._code(next(code))
        shown = f"{self.run}.diagnostics()"
        return [*result, (PROSE, "diagnostics-why", "## Diagnostics", ()), (CODE, "diagnostics", shown, ())]

    def _code_order(self) -> Iterator[int]:
        """The numbers of the code cells in the order in which they run; prose keeps its place."""
        numbers = [cell.number for cell in self.plan.cells if cell.kind == CODE]
        if self.plan.order:
            ran = list(dict.fromkeys(statement.cell for statement in self.plan.statements))
            numbers = [*ran, *(number for number in numbers if number not in ran)]
        return iter(numbers)

    def _start(self) -> list[NewCell]:
        names = sorted(self._from_module())
        lines = ["from pipeline_lib import " + ", ".join(sorted({"start_run", *self._data_path()}, key=str.lower))]
        alias = "" if self.module == self.name else f" as {self.module}"
        lines.append(f"from {self.library}.pipelines import {self.name}{alias}")
        if names:
            lines.append(f"from {self.library}.pipelines.{self.name} import {', '.join(names)}")
        lines += ["", f"{self.run} = start_run({self.module}, globals())"]
        lines += [
            f"{name} = {self.run}.params.{name.lower()}  # cell {self.plan.cell_of(index)}"
            for name, index in self.parameters.constants.items()
            if index in self.kept
        ]
        lines.append(self.run)
        return [
            (CODE, "parameters", self.parameters.cell_source(), ("parameters",)),
            (CODE, "start", "\n".join(lines), ()),
        ]

    def _from_module(self) -> set[str]:
        """Names that the module exports and kept code reads."""
        kept = [self.plan.statements[index].node for index in self.kept if index not in self.plan.module]
        used = used_names([ast.unparse(node) for node in kept]) if kept else set()
        exported = {
            name
            for index in self.plan.module
            if index not in self.parameters.constants.values()
            for name in self.plan.flow.names[index].binds
        }
        return used & exported

    def _data_path(self) -> set[str]:
        edits = [path_edits(self.plan.statements[i].node, self.facts.files) for i in self.kept - self.plan.module]
        return {"data_path"} if any(edits) else set()

    def _anchors(self) -> dict[int, str]:
        """The run's calls, by the statement that they stand for."""
        plan, module, run = self.plan, self.module, self.run
        split, model = plan.roles.split, plan.model
        split = None if split and split.of_tables else split
        original = split.names if split else SPLIT_NAMES
        own = ("rows_train", "rows_test", "target_train", "target_test")
        others = [i for i in range(len(plan.statements)) if not split or i != split.statement]
        touched = any(
            name in plan.flow.names[i].binds | plan.flow.names[i].changes for i in others for name in original
        )
        plain = split is not None and self.facts.is_frame and not touched
        names = original if plain else own
        lines = [f"{', '.join(names)} = {module}.split({module}.load(), {run}.params)"]
        anchors: dict[int, list[str]] = {}
        if split:
            if not plain and self._reads_split(original, split.statement):
                ending = ".copy()" if self.facts.is_frame else ".to_numpy()"
                values = [f"{part}{ending if place < 2 else self._target_ending()}" for place, part in enumerate(own)]
                lines.append(f"{', '.join(original)} = {', '.join(values)}")
            anchors[split.statement] = lines
        else:
            anchors[model.statement] = lines
        anchors.setdefault(model.statement, []).extend(self._fit_lines(names))
        for index in range(model.statement, len(plan.statements)):
            found = assigned(plan.statements[index].node)
            if found and self._is_prediction(index, found[1]):
                anchors[index] = [f"{found[0]} = {self.predictions}"]
        return {index: "\n".join(text) for index, text in anchors.items()}

    def _target_ending(self) -> str:
        return ".copy()" if self.facts.target_form == "series" else ".to_numpy()"

    def _reads_split(self, names: tuple[str, ...], at: int) -> bool:
        return any(
            name in self.plan.flow.names[index].reads | self.plan.flow.names[index].changes
            and at in self.plan.flow.made_by(name, index)
            for index in self.kept
            for name in names
        )

    def _fit_lines(self, names: tuple[str, ...]) -> list[str]:
        chances = (
            f", {self.compiled}.predict_proba({names[1]})" if any(s.probabilities for s in self.plan.scores) else ""
        )
        lines = [
            f"{self.fitted} = {self.module}.build({self.run}.params).fit({names[0]}, {names[2]})",
            f"{self.compiled} = {self.run}.compile({self.fitted}, like={names[0]}, target={names[2]})",
            f"{self.predictions} = {self.run}.evidence({names[1]}, {names[3]})",
            f"{self.run}.metrics({self.module}.metrics({names[3]}, {self.predictions}, {self.run}.params{chances}))",
        ]
        if not self.plan.model.search:
            steps = self.plan.model.chain.steps
            whole = all(step.before_split for step in steps) and (bool(steps) or self._is_whole())
            lines.append(f"{self.plan.model.name} = {self.fitted if whole else f'{self.fitted}[-1]'}")
        return lines

    def _is_whole(self) -> bool:
        return self.plan.roles.is_pipeline(self.plan.model)

    def _is_prediction(self, index: int, value: ast.expr) -> bool:
        plan = self.plan
        calls = [call for at, call in plan.roles.on_test(plan.model) if at == index]
        return any(call is value and method(call) == "predict" and receiver(call) is not None for call in calls)

    def _code(self, number: int) -> list[NewCell]:
        """The cells that one original cell becomes."""
        cell = self.plan.cells[number - 1]
        if cell.problem:
            text = "\n".join(f"# {line}" for line in cell.source.splitlines())
            return [(CODE, f"original-{number}", f"# cell {number}: {cell.problem}\n{text}", ())]
        if cell.source.strip() and not any(statement.cell == number for statement in self.plan.statements):
            return [(CODE, f"original-{number}", cell.source, ())]
        parts: list[tuple[bool, str]] = []
        mine = sorted((s for s in self.plan.statements if s.cell == number), key=lambda statement: statement.lines)
        for statement in mine:
            if statement.index in self.anchors and self._wanted_anchor(statement.index):
                parts.append((self._is_call(statement.index), self.anchors[statement.index]))
                if statement.index == self.plan.model.statement and statement.index in self.kept:
                    parts.append((False, self._text(statement.index)))
            elif statement.index in self.kept and statement.index not in self.plan.module:
                parts.append((False, self._text(statement.index)))
        groups: list[tuple[bool, list[str]]] = []
        for is_call, text in parts:
            if groups and groups[-1][0] == is_call:
                groups[-1][1].append(text)
            else:
                groups.append((is_call, [text]))
        result: list[NewCell] = []
        for place, (is_call, texts) in enumerate(groups):
            cell_id = f"original-{number}" if not place else f"original-{number}-{place + 1}"
            tags = (RAISES,) if number in self.facts.failed and not is_call else ()
            result.append((CODE, cell_id, f"# cell {number}\n" + "\n".join(texts), tags))
        return result

    def _wanted_anchor(self, index: int) -> bool:
        return (
            self._is_call(index)
            or index in self.kept
            or any(
                index in self.plan.flow.made_by(name, user)
                for user in self.kept
                for name in self.plan.flow.names[index].binds & self.plan.flow.names[user].reads
            )
        )

    def _is_call(self, index: int) -> bool:
        split = self.plan.roles.split
        splits = split is not None and not split.of_tables and index == split.statement
        return splits or index == self.plan.model.statement

    def _text(self, index: int) -> str:
        statement = self.plan.statements[index]
        edits: list[Edit] = path_edits(statement.node, self.facts.files) + seed_edits(self.plan, index)
        text = edited(statement, edits)
        if statement.magic and not text.lstrip().startswith(("%matplotlib", "%config")):
            return "\n".join(f"# not run: {line}" for line in text.splitlines())
        return text

    def _free(self, name: str) -> str:
        while name in self.taken or name in self.parameters.values:
            name += "_"
        return name

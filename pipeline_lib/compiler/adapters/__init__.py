"""Adapters: what each fitted step of scikit-learn, feature-engine and others means, as operations of a plan.

An own step is exact without an adapter when its class has a method

    def plan(self, columns: dict[str, Value], build: Builder) -> dict[str, Value]

which returns the columns that the fitted step makes of its input columns, in order. Values have operators
(`+ - * / < <= > >= & | ~`), `.missing()` and `.equals()`; `build` has the rest: `where`, `fill`, `lookup`,
`dot`, `apply`. Compiling compares it with the step's own `transform`, and refuses it where they differ.
Of a pipeline over several raw tables the first step gets a dict of such dicts, by the tables' names. Operations on
a child table's columns go row by row; `build.count`, `build.total`, `build.extreme` and the operations of
`compiled/operations/aggregations.py` bring them to the main rows.
An own estimator has `plan_outputs(self, values: list[Value], build: Builder)` instead, which returns a mapping
with `prediction`, and, where it has them, `probability` and `decision`, each a list of values.
"""

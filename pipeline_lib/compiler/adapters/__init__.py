"""Adapters: functions that write the plan of a fitted step of scikit-learn, feature-engine and the boosting libraries.

A step of your own needs no adapter. It is exact when its class has a method

    def plan(self, columns: dict[str, Value], build: Builder) -> dict[str, Value]

which returns the output columns of the fitted step, in order, as operations on its input columns. docs/compiled.md
lists the operators of a `Value`, the methods of `build`, and the NumPy functions that work on values. Compiling
compares the plan with the step's own `transform`, and refuses it where they differ.

In a pipeline over several raw tables the first step gets a dict of such dicts, by table name. Operations on a child
table's columns apply to each child row; `build.count`, `build.total`, `build.extreme` and the operations of
`compiled/operations/aggregations.py` reduce them to one value for each main row.

An estimator of your own has a method `plan_outputs(self, values: list[Value], build: Builder)`, which returns a
mapping with `prediction` and, where it has them, `probability` and `decision`, each a list of values.
"""

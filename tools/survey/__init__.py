"""The survey: what becomes of every public estimator and transformer of seven libraries when it is compiled.

tables/     the classes, each with the options that users meet
data.py     small data with ties, duplicates, missing, negative and large values
cases.py    class x option x seed: the cases, and how each is fitted
checks.py   one case: compiled, compared with its library, saved
fresh.py    saved models, predicted in another process
worker.py   a process that takes cases in turn
runner.py   starts the workers, ends those that hang, keeps results that are finished
results.py  the committed result, and what is worse than it
page.py     docs/what-compiles.md
"""

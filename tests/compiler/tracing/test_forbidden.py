"""Own code that reads clocks, random numbers, files or the environment, or that cannot be read itself, is refused."""
# ruff: noqa: PTH110, PTH123, S102, S307, S311

import datetime
import json
import os
import random
import sys
import time
from datetime import date
from datetime import datetime as clock
from pathlib import Path
from random import choice
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.random import normal
from own_refusals import assert_refused
from sklearn.utils import check_random_state, resample

GENERATOR = np.random.default_rng(0)
DICE = random.Random(0)
PATH = Path("rates.csv")


class Other:
    value = 1


def datetime_now(self, X):
    return X.assign(z=datetime.datetime.now().year)


def datetime_utcnow(self, X):
    return X.assign(z=clock.utcnow().hour)


def date_today(self, X):
    return X.assign(z=date.today().year)


def timestamp_now(self, X):
    return X.assign(z=(pd.Timestamp.now() - X["when"]).dt.days)


def timestamp_today(self, X):
    return X.assign(z=pd.Timestamp.today().year)


def timestamp_text(self, X):
    return X.assign(z=pd.Timestamp("now").year)


def to_datetime_text(self, X):
    return X.assign(z=(pd.to_datetime("today") - X["when"]).dt.days)


def date_range_text(self, X):
    return X.assign(z=pd.date_range(end=" Today ", periods=2)[0].year)


def numpy_today(self, X):
    return X.assign(z=np.datetime64("today").astype(int))


def time_time(self, X):
    return X.assign(z=time.time())


def time_imported(self, X):
    from time import perf_counter

    return X.assign(z=perf_counter())


CLOCKS = [datetime_now, datetime_utcnow, date_today, timestamp_now, timestamp_today, timestamp_text, to_datetime_text]
CLOCKS += [date_range_text, numpy_today, time_time, time_imported]


def random_module(self, X):
    return X.assign(z=random.random())


def random_imported(self, X):
    return X.assign(z=choice([1, 2]))


def random_object(self, X):
    return X.assign(z=DICE.random())


def random_made(self, X):
    return X.assign(z=random.Random(3).random())


def numpy_random(self, X):
    return X.assign(z=np.random.rand())


def numpy_imported(self, X):
    return X.assign(z=X["a"] + normal(size=len(X)))


def numpy_seeded(self, X):
    np.random.seed(0)
    return X.assign(z=np.random.rand())


def numpy_generator(self, X):
    return X.assign(z=np.random.default_rng(0).normal())


def numpy_state(self, X):
    return X.assign(z=np.random.RandomState(0).normal())


def global_generator(self, X):
    return X.assign(z=GENERATOR.normal())


def kept_generator(self, X):
    return X.assign(z=self.generator_.normal())


def random_state(self, X):
    return X.assign(z=check_random_state(0).normal())


def resampled(self, X):
    return X.assign(z=resample([1, 2, 3], random_state=0)[0])


def sampled(self, X):
    return X.sample(frac=1.0)


DRAWS = [random_module, random_imported, random_object, random_made, numpy_random, numpy_imported, numpy_seeded]
DRAWS += [numpy_generator, numpy_state, global_generator, kept_generator, random_state, resampled, sampled]


def opened(self, X):
    return X.assign(z=len(open("rates.csv").read()))


def opened_in_with(self, X):
    with open("rates.json") as file:
        rates = json.load(file)
    return X.assign(z=rates["a"])


def path_made(self, X):
    return X.assign(z=Path("rates.csv").read_text())


def path_kept(self, X):
    return X.assign(z=PATH.read_text())


def path_joined(self, X):
    return X.assign(z=(PATH / "x").read_text())


def pandas_read(self, X):
    return X.merge(pd.read_csv("rates.csv"), on="a")


def numpy_load(self, X):
    return X.assign(z=np.load("rates.npy")[0])


def written(self, X):
    X.to_csv("seen.csv")
    return X


def file_exists(self, X):
    return X.assign(z=os.path.exists("rates.csv"))


FILES = [opened, opened_in_with, path_made, path_kept, path_joined, pandas_read, numpy_load, written, file_exists]


def environ(self, X):
    return X.assign(z=os.environ["HOME"])


def environ_get(self, X):
    return X.assign(z=os.environ.get("HOME", ""))


def getenv(self, X):
    return X.assign(z=os.getenv("HOME"))


def arguments(self, X):
    return X.assign(z=len(sys.argv))


def platform(self, X):
    return X.assign(z=sys.platform)


def option(self, X):
    return X.assign(z=pd.get_option("display.max_rows"))


ENVIRONMENTS = [environ, environ_get, getenv, arguments, platform, option]


@pytest.mark.parametrize("function", CLOCKS)
def test_a_clock_is_refused(function: Any) -> None:
    line = "perf_counter()" if function is time_imported else "z="
    assert_refused(
        function, line, "the time of the call is no part of the row", "give the step the date as a parameter"
    )


@pytest.mark.parametrize("function", DRAWS)
def test_a_random_draw_is_refused(function: Any) -> None:
    line = {"numpy_seeded": "np.random.seed", "sampled": "X.sample"}.get(function.__name__, "z=")
    state = {"generator_": np.random.default_rng(0)}
    assert "a random draw gives" in assert_refused(function, line, **state)


@pytest.mark.parametrize("function", FILES)
def test_a_file_is_refused(function: Any) -> None:
    line = {"opened_in_with": "open(", "pandas_read": "read_csv", "written": "to_csv"}.get(function.__name__, "z=")
    message = assert_refused(function, line)
    assert ("what is made of the rows" if function is written else "production has other files") in message


@pytest.mark.parametrize("function", ENVIRONMENTS)
def test_the_environment_is_refused(function: Any) -> None:
    assert_refused(function, "z=", "production has another environment")


# Code that cannot be read, and what depends on the process


def evaluated(self, X):
    return X.assign(z=eval("X['a'] + 1"))


def executed(self, X):
    exec("X['a'] = 1")
    return X


def evaluated_by_pandas(self, X):
    return X.assign(z=pd.eval("1 + 1"))


def evaluated_by_frame(self, X):
    return X.eval("z = a + 1")


def query(self, X):
    return X.query("a > 0")


def identity(self, X):
    return X.assign(z=id(self) % 7)


def hashed(self, X):
    return X.assign(z=hash("abc") % 7)


def imported(self, X):
    return X.assign(z=__import__("random").random())


def ended(self, X):
    sys.exit(1)


def ended_now(self, X):
    os._exit(1)


def own_object(self, X):
    return X.assign(z=Other().value)


def globals_dict(self, X):
    globals()["PATH"] = 3
    return X


CODES = [
    *[(evaluated, "eval(", "code made at run time cannot be read"), (executed, "exec(", "code made at run time")],
    *[(evaluated_by_pandas, "pd.eval", "code made at run time"), (evaluated_by_frame, "X.eval", "code in text")],
    *[(query, "X.query", "code in text cannot be read"), (identity, "id(self)", "another number in each process")],
    *[(hashed, "hash(", "another number in each process"), (imported, "__import__", "a random draw gives")],
    *[(ended, "sys.exit", "it ends the process"), (ended_now, "os._exit", "it ends the process")],
    (globals_dict, "globals()", "code made at run time"),
    (own_object, "Other()", "an object of the class Other made in `transform`"),
]


@pytest.mark.parametrize(("function", "line", "why"), CODES, ids=[function.__name__ for function, *_ in CODES])
def test_code_that_cannot_be_read_is_refused(function: Any, line: str, why: str) -> None:
    assert_refused(function, line, why)

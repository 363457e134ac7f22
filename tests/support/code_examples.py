"""Source text with a definition of every kind, and a module that is made from text."""

import types
from typing import Any

SOURCE = """
import functools
import os
import numpy as np
LIMIT = 3
TABLE = np.array([1, 2])
class Scale:
    '''Numbers, scaled.'''
    factor: int
    offset: int = 5
    limit = 3
    def __init__(self, factor=2):
        self.factor = factor
    def get_params(self, deep=True):
        return {"factor": self.factor}
    @property
    def double(self):
        return self.factor * 2
    @classmethod
    def unit(cls):
        return cls(1)
    @staticmethod
    def name():
        return "scale"
def twice(x, y=1, *, z=2):
    return [x * 2 for _ in range(1) if x not in {1, 2}]
def make():
    def inner():
        return 1
    return inner
def limited(x):
    '''At most LIMIT.'''
    return min(x, LIMIT), TABLE
def doubled(function):
    @functools.wraps(function)
    def both(x):
        return function(x), function(x)
    return both
@doubled
def wrapped(x):
    return x
@functools.cache
def kept(x):
    return x + 1
def loop(n):
    return n and loop(n - 1) or limited(n)
"""


def make_module(source: str = SOURCE, name: str = "__main__") -> Any:
    module = types.ModuleType(name)
    exec(compile(source, "cell", "exec"), vars(module))  # noqa: S102 (our own text)
    return module

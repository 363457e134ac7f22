"""Random state that preloaded modules drew from the system: each forked process draws its own."""

import gc
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_NUMPY = "numpy.random.bit_generator"


class Draws:
    """Generators without a seed of their own, wherever the modules keep them. One with a seed stays as it is."""

    def __init__(self) -> None:
        self._generators: list[random.Random] = []
        self._entropies: set[int] = set()
        self._arrays: list[Any] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note generators of Python, and what NumPy draws for its own; numpy.random is not imported yet."""
        import secrets  # here: a module that the server itself imports is seen in its processes

        original = random.Random.seed, secrets.randbits

        def seed(generator: random.Random, a: Any = None, version: int = 2) -> None:
            if a is None:
                self._generators.append(generator)
            original[0](generator, a, version)

        def randbits(k: int) -> int:
            drawn = original[1](k)
            self._entropies.add(drawn)
            return drawn

        random.Random.seed, secrets.randbits = seed, randbits  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            random.Random.seed, secrets.randbits = original  # type: ignore[method-assign]
            numpy = sys.modules.get(_NUMPY)
            if numpy is not None:
                vars(numpy).update(randbits=original[1])
                self._arrays = [one for one in gc.get_objects() if isinstance(one, vars(numpy)["BitGenerator"])]

    def again(self) -> None:
        """Give them fresh state."""
        random.seed()
        for generator in self._generators:
            generator.seed()
        for one in self._arrays:
            if getattr(one.seed_seq, "entropy", None) in self._entropies:  # a seeded RandomState has no sequence
                one.state = type(one)().state

"""Random state that preloaded modules took from the system: each forked process gets its own."""

import gc
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_NUMPY = "numpy.random.bit_generator"


class UnseededGenerators:
    """Generators that were created without a seed, wherever modules keep them. A seeded one is left alone."""

    def __init__(self) -> None:
        self._generators: list[random.Random] = []
        self._entropies: set[int] = set()
        self._arrays: list[Any] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Record Python's generators and the entropy that NumPy draws; numpy.random is not imported yet."""
        import secrets  # imported here: what the server imports itself would be visible in its processes

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

    def reseed(self) -> None:
        """Give each of them new state."""
        random.seed()
        for generator in self._generators:
            generator.seed()
        for one in self._arrays:
            if getattr(one.seed_seq, "entropy", None) in self._entropies:  # a seeded RandomState has no seed sequence
                one.state = type(one)().state

"""The variations by name. One more is one more line: a function of rows, or a setting of a process."""

import difflib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.parity import deliveries as handovers
from pipeline_lib.parity import process_settings as settings
from pipeline_lib.parity.clean_environments import clean
from pipeline_lib.parity.deliveries import Delivery, Given
from pipeline_lib.parity.process_settings import Prepare
from pipeline_lib.parity.result import EDGES, FRESH

PYTHONS = ("3.11", "3.12", "3.13")
_ZONES = {"Asia/Kathmandu": 20_700, "America/St_Johns": -12_600}


@dataclass(frozen=True)
class Variation:
    """One thing that production may do: hand rows over in its own way (`deliver`), or run in its own (`prepare`).

    `lossy` is a hand-over that is known to change values: its loss is reported and fails nothing. `deliver` is a
    function at the top of a module, so that a fresh process can import it. `probes` stands for the rows at the edges
    of each raw column, which the record keeps with their answers, and `tables` is for pipelines over several tables.
    """

    name: str
    group: str
    what: str
    deliver: Callable[[Given], Delivery] | None = None
    prepare: Prepare | None = None
    lossy: bool = False
    probes: bool = False
    tables: bool = False

    def __post_init__(self) -> None:
        if sum((self.deliver is not None, self.prepare is not None, self.probes)) != 1:
            raise InputError(
                f"found a variation {self.name!r} that varies nothing, or two things, expected deliver= or prepare="
            )
        where = getattr(self.deliver, "__module__", None), getattr(self.deliver, "__qualname__", "")
        if self.deliver is not None and (where[0] in (None, "__main__") or "<" in where[1]):
            raise InputError(
                f"found deliver={self.deliver!r} in a variation {self.name!r}, expected a function at the top of a "
                "module, which a fresh process can import; move it into one"
            )

    @property
    def hands_over(self) -> bool:
        """Whether the first fresh process can do it; otherwise it is a process of its own."""
        return self.deliver is not None or self.probes

    def task(self) -> dict[str, Any]:
        """What a fresh process is asked, as JSON values; probes are delivered by nobody."""
        deliver: Any = self.deliver
        function = f"{deliver.__module__}:{deliver.__qualname__}" if deliver else None
        return {"name": self.name, "group": self.group, "what": self.what, "lossy": self.lossy, "deliver": function}


VARIATIONS: dict[str, Variation] = {}


def add(variation: Variation) -> Variation:
    """Make a variation known by its name. Raises InputError for a name that is taken."""
    if variation.name in VARIATIONS:
        raise InputError(f"found two variations named {variation.name!r}, expected a new name; choose another")
    VARIATIONS[variation.name] = variation
    return variation


def chosen(names: Sequence[str | Variation]) -> list[Variation]:
    """The variations of these names, each once. Raises InputError, with the nearest, for a name that nobody knows.

    Names are compared without case, and with `_` as a space.
    """
    if not names:
        raise InputError("found no variation, expected one or more by name; QUICK and FULL are all of them")
    return list(dict.fromkeys(name if isinstance(name, Variation) else _by_name(name) for name in names))


def _by_name(name: Any) -> Variation:
    plain = {known.casefold().replace("_", " "): known for known in VARIATIONS}
    wanted = str(name).casefold().replace("_", " ")
    if wanted in plain:
        return VARIATIONS[plain[wanted]]
    known = ", ".join([plain[found] for found in difflib.get_close_matches(wanted, plain, 3)] or VARIATIONS)
    raise InputError(f"found no variation {name!r}, expected one of: {known}; write it as listed")


def _fill() -> None:
    h = handovers
    for name, what, deliver in (
        (FRESH, "a new process loads the artifact and predicts all rows", h.at_once),
        ("one row", "each row alone, as a table", h.one_row),
        ("batches of 2", "", h.batches_of_2),
        ("batches of 3", "", h.batches_of_3),
        ("batches of 7", "", h.batches_of_7),
        ("batches of 64", "", h.batches_of_64),
        ("shuffled rows", "", h.shuffled_rows),
        ("shuffled and extra columns", "", h.other_columns),
    ):
        add(Variation(name, "rows", what or _first_line(deliver), deliver))
    shuffled = h.shuffled_child_rows
    add(Variation("shuffled child rows", "rows", _first_line(shuffled), shuffled, tables=True))
    add(Variation(EDGES, "edges", "one row with one value at the edge of its column, each answer kept", probes=True))
    for name, deliver in (
        ("DataFrame", h.data_frame),
        ("dict", h.mappings),
        ("list of dicts", h.list_of_mappings),
        ("Arrow table", h.at_once),
    ):
        add(Variation(name, "form", _first_line(deliver), deliver))
    for name, deliver in (
        ("CSV", h.csv_by_schema),
        ("CSV by pandas", h.csv_by_pandas),
        ("Parquet", h.parquet),
        ("Parquet by pandas", h.parquet_by_pandas),
        ("Feather", h.feather),
        ("JSON", h.json_lines),
    ):
        add(Variation(name, "file", _first_line(deliver), deliver))
    for name, deliver in (
        ("DataFrame.to_json", h.frame_to_json),
        ("to_csv(float_format)", h.csv_float_format),
        ("read_csv defaults", h.read_csv_defaults),
        ("float32", h.float32),
    ):
        add(Variation(name, "lossy file", _first_line(deliver), deliver, lossy=True))


def _fill_processes() -> None:
    s = settings
    for name, group, what, prepare in (
        ("1 thread", "threads", "BLAS and OpenMP with one thread", s.threads(1)),
        ("2 threads", "threads", "BLAS and OpenMP with two threads", s.threads(2)),
        ("BLAS SkylakeX", "machine", "OpenBLAS's kernel for AVX-512", s.kernel("SkylakeX", "AVX512F", "SkylakeX")),
        ("BLAS Haswell", "machine", "OpenBLAS's kernel for AVX2", s.kernel("Haswell", "AVX2", "Haswell")),
        ("BLAS Nehalem", "machine", "OpenBLAS's kernel for SSE 4.2", s.kernel("Nehalem", "SSE42", "Nehalem")),
        ("BLAS Prescott", "machine", "OpenBLAS's kernel for SSE 3", s.kernel("Prescott", "SSE3", "Katmai")),
        ("SIMD without AVX-512", "machine", "NumPy without AVX-512", s.simd_without("X86_V4", "AVX512")),
        ("SIMD baseline", "machine", "NumPy with the oldest CPU it runs on", s.simd_without("")),
        ("hash seed", "setting", "another order of sets", s.hash_seed),
        ("locale C", "setting", "no language, ASCII", s.locale_c),
        ("time zone", "setting", "another zone, 5:45 east or 3:30 west", s.time_zone(_ZONES)),
        ("another day", "setting", "the clock moved by 400 days", s.another_day),
    ):
        add(Variation(name, group, what, prepare=prepare))
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    for version in sorted(PYTHONS, key=lambda version: version != here):
        name = "clean environment" if version == here else f"Python {version}"
        add(Variation(name, "install", f"the wheel and core requirements, Python {version}", prepare=clean(version)))


def _first_line(deliver: Callable[[Given], Delivery]) -> str:
    return str(deliver.__doc__).partition("\n")[0].removesuffix(".")


_fill()
_fill_processes()
QUICK = tuple(name for name, variation in VARIATIONS.items() if variation.hands_over and not variation.tables)
FULL = tuple(name for name, variation in VARIATIONS.items() if not variation.tables)
OF_TABLES = tuple(name for name, variation in VARIATIONS.items() if variation.tables)
"""Added to both where a pipeline reads several raw tables."""

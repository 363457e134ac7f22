"""The variations by name: each is a delivery of rows or a setting of a process, one line to add."""

import difflib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.parity import deliveries, file_deliveries, process_settings
from pipeline_lib.parity.clean_environments import clean
from pipeline_lib.parity.deliveries import Delivery, RowsToDeliver
from pipeline_lib.parity.doors import DOORS, Door
from pipeline_lib.parity.process_settings import Prepare
from pipeline_lib.parity.replay_request import DeliveryTask
from pipeline_lib.parity.result import EDGES, FRESH

PYTHONS = ("3.11", "3.12", "3.13")
_ZONES = {"Asia/Kathmandu": 20_700, "America/St_Johns": -12_600}  # seconds east of Greenwich, no whole hours


@dataclass(frozen=True)
class Variation:
    """One thing that production may do otherwise: deliver rows (`deliver`), run in another process (`prepare`), or
    answer through a command or a server (`door`).

    `lossy` is a delivery that is known to change values: its loss is reported and is no failure. `deliver` is a
    function at the top of a module, so that a fresh process can import it. `edges` is for the edge rows, which the
    record keeps with their answers, and `tables` for pipelines over several tables. `what` describes the variation.
    """

    name: str
    group: str
    what: str
    deliver: Callable[[RowsToDeliver], Delivery] | None = None
    prepare: Prepare | None = None
    door: Door | None = None
    lossy: bool = False
    edges: bool = False
    tables: bool = False

    def __post_init__(self) -> None:
        varied = (self.deliver is not None, self.prepare is not None, self.door is not None, self.edges)
        if sum(varied) != 1:
            raise InputError(
                f"found a variation {self.name!r} that varies nothing, or two things, expected deliver=, prepare= or "
                "door="
            )
        module, name = getattr(self.deliver, "__module__", None), getattr(self.deliver, "__qualname__", "")
        if self.deliver is not None and (module in (None, "__main__") or "<" in name):
            raise InputError(
                f"found deliver={self.deliver!r} in a variation {self.name!r}, expected a function at the top of a "
                "module, which a fresh process can import; move it into one"
            )

    @property
    def is_delivery(self) -> bool:
        """Whether the first fresh process can do it; otherwise it needs a process of its own."""
        return self.deliver is not None or self.edges

    def task(self) -> DeliveryTask:
        """The request to a fresh process; edge rows need no delivery."""
        deliver: Any = self.deliver
        function = f"{deliver.__module__}:{deliver.__qualname__}" if deliver else None
        return DeliveryTask(self.name, self.group, self.what, self.lossy, function)


VARIATIONS: dict[str, Variation] = {}


def add(variation: Variation) -> Variation:
    """Register a variation by its name. Raises InputError for a name that is taken."""
    if variation.name in VARIATIONS:
        raise InputError(f"found two variations named {variation.name!r}, expected a new name; choose another")
    VARIATIONS[variation.name] = variation
    return variation


def find_variations(names: Sequence[str | Variation]) -> list[Variation]:
    """The variations with these names, each once. Raises InputError, with the nearest names, for an unknown one.

    Names are compared without case, and with `_` as a space.
    """
    if not names:
        raise InputError("found no variation, expected one or more by name; QUICK and FULL are all of them")
    return list(dict.fromkeys(name if isinstance(name, Variation) else _by_name(name) for name in names))


def _by_name(name: Any) -> Variation:
    names = {known.casefold().replace("_", " "): known for known in VARIATIONS}
    wanted = str(name).casefold().replace("_", " ")
    if wanted in names:
        return VARIATIONS[names[wanted]]
    known = ", ".join([names[near] for near in difflib.get_close_matches(wanted, names, 3)] or VARIATIONS)
    raise InputError(f"found no variation {name!r}, expected one of: {known}; write it as listed")


def _add_deliveries() -> None:
    d, f = deliveries, file_deliveries
    for name, what, deliver in (
        (FRESH, "a new process loads the artifact and predicts all rows", d.at_once),
        ("one row", "each row alone, as a table", d.one_row),
        ("batches of 2", "", d.batches_of_2),
        ("batches of 3", "", d.batches_of_3),
        ("batches of 7", "", d.batches_of_7),
        ("batches of 64", "", d.batches_of_64),
        ("shuffled rows", "", d.shuffled_rows),
        ("shuffled and extra columns", "", d.other_columns),
    ):
        add(Variation(name, "rows", what or _first_line(deliver), deliver))
    shuffled = d.shuffled_child_rows
    add(Variation("shuffled child rows", "rows", _first_line(shuffled), shuffled, tables=True))
    add(Variation(EDGES, "edges", "one value at the edge of its column, answers and refusals as kept", edges=True))
    for name, deliver in (
        ("DataFrame", d.data_frame),
        ("dict", d.mappings),
        ("list of dicts", d.list_of_mappings),
        ("Arrow table", d.at_once),
    ):
        add(Variation(name, "form", _first_line(deliver), deliver))
    for name, deliver in (
        ("CSV", f.csv_by_schema),
        ("CSV by pandas", f.csv_by_pandas),
        ("Parquet", f.parquet),
        ("Parquet by pandas", f.parquet_by_pandas),
        ("Feather", f.feather),
        ("JSON", f.json_lines),
    ):
        add(Variation(name, "file", _first_line(deliver), deliver))
    for name, deliver in (
        ("DataFrame.to_json", f.frame_to_json),
        ("to_csv(float_format)", f.csv_float_format),
        ("read_csv defaults", f.read_csv_defaults),
        ("float32", f.float32),
    ):
        add(Variation(name, "lossy file", _first_line(deliver), deliver, lossy=True))


def _add_processes() -> None:
    s = process_settings
    for name, group, what, prepare in (
        ("1 thread", "threads", "BLAS and OpenMP with one thread", s.threads(1)),
        ("2 threads", "threads", "BLAS and OpenMP with two threads", s.threads(2)),
        ("BLAS SkylakeX", "machine", "OpenBLAS's kernel for AVX-512", s.kernel("SkylakeX", "AVX512F", "SkylakeX")),
        ("BLAS Haswell", "machine", "OpenBLAS's kernel for AVX2", s.kernel("Haswell", "AVX2", "Haswell")),
        ("BLAS Nehalem", "machine", "OpenBLAS's kernel for SSE 4.2", s.kernel("Nehalem", "SSE42", "Nehalem")),
        ("BLAS Prescott", "machine", "OpenBLAS's kernel for SSE 3", s.kernel("Prescott", "SSE3", "Katmai")),
        ("SIMD without AVX-512", "machine", "NumPy without AVX-512", s.simd_without("X86_V4", "AVX512")),
        ("SIMD baseline", "machine", "NumPy with the oldest CPU it runs on", s.simd_without("")),
        ("NumPy alone", "machine", "plans carried out without the native core", s.executor("numpy")),
        ("core baseline", "machine", "the native core for any CPU", s.executor("baseline")),
        ("core AVX2", "machine", "the native core with AVX2", s.executor("avx2")),
        ("core AVX-512", "machine", "the native core with AVX-512", s.executor("avx512")),
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


def _first_line(deliver: Callable[[RowsToDeliver], Delivery]) -> str:
    return str(deliver.__doc__).partition("\n")[0].removesuffix(".")


def _add_doors() -> None:
    for name, door in DOORS.items():
        add(Variation(name, "doors", str(door.__doc__).removesuffix("."), door=door))


_add_deliveries()
_add_processes()
_add_doors()
QUICK = tuple(name for name, variation in VARIATIONS.items() if variation.is_delivery and not variation.tables)
FULL = tuple(name for name, variation in VARIATIONS.items() if not variation.tables)
OF_TABLES = tuple(name for name, variation in VARIATIONS.items() if variation.tables)
"""Added to QUICK and FULL where a pipeline reads several raw tables."""

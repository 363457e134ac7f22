"""All rules: importing this module registers them."""

import pipeline_lib.compiler.tracing.arrays
import pipeline_lib.compiler.tracing.batch
import pipeline_lib.compiler.tracing.frames
import pipeline_lib.compiler.tracing.locations
import pipeline_lib.compiler.tracing.row_values
import pipeline_lib.compiler.tracing.series  # noqa: F401

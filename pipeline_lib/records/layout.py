"""Names of the files directly in a record, of its checks and of the runs folder. Every version reads them: keep them.

Files inside `evidence/` and `artifact/` are named by the modules that write them.

runs/
  .index.sqlite  index.html
  .sweeps/NAME/            sweep.json  sweep.html
  PIPELINE/
    .raw/                  loaded raw data
    .checks/ID-DIGEST/     parity.json  parity.html  report.html  reproduce.json  reproduced/
                           compare-DIGEST.json  .html
    scratch/ID/            a record made in Jupyter
    ID/                    the record
      manifest.json  params.yml  params.json  metrics.json  value.json  baseline.json  threshold.json
      environment.json  training.json  columns.json  compile.json  git.diff  library.json  memory.json  learned.parquet
      training_rows.parquet  notebook.ipynb  report.html  artifact/  evidence/
      snapshots/DIGEST.parquet   what queries and addresses returned (snapshots.py)
"""

# the record
MANIFEST = "manifest.json"  # status, times, digests; written last, it seals the record
PARAMS_FILE = "params.yml"  # the parameters file, byte for byte
PARAMETERS = "params.json"  # the parameters of the run: file, overrides and defaults
METRICS = "metrics.json"  # name to number, computed from the evidence
VALUE = "value.json"  # business value on the evidence: unit, mean, total, rows; absent without `value`
BASELINE = "baseline.json"  # mean and median or label shares of the training target, and their scores
THRESHOLD = "threshold.json"  # from which score on a classifier of two labels predicts which; absent without one
SEASON_VALUES = "season.json"  # the last season of the training target, where the module exports SEASON
ENVIRONMENT = "environment.json"  # Python, packages, machine, variables of the kernel
TRAINING = "training.json"  # count and digest of the training rows
TRAINING_ROWS = "training_rows.parquet"  # keyed hashes of the training rows; not in artifact or package
RAW_PROFILE = "columns.json"  # ranges and categories of the raw training rows, without sensitive columns
COMPILE_REPORT = "compile.json"  # which step is exact, and how far each output was off
GIT_DIFF = "git.diff"  # what differed from the commit; absent where nothing did
LIBRARY = "library.json"  # source of every exported cell
CACHE_ENTRY = "memory.json"  # what the run depended on: for which later request it can be returned
FITTED_STATE = "learned.parquet"  # every fitted number and text, by step
NOTEBOOK = "notebook.ipynb"  # the executed notebook
REPORT = "report.html"  # the page that people read
ARTIFACT = "artifact"  # folder: what production loads
EVIDENCE = "evidence"  # folder: raw rows with the outputs that production must repeat
IMPORTS = "imports.json"  # files that the kernel has imported so far; removed before the seal

# results of later checks, in a folder next to the record
CHECKS = ".checks"  # folder of a pipeline with one folder for each checked record
PARITY = "parity.json"  # the last parity check
PARITY_PAGE = "parity.html"  # the same for people
CHECKED_REPORT = "report.html"  # the record's report with the verdict of parity
REPRODUCTION = "reproduce.json"  # the last reproduction
REPRODUCED = "reproduced"  # folder: the run that repeated the record

# the runs folder
INDEX = ".index.sqlite"  # summaries of all records; can be deleted at any time
RUNS_PAGE = "index.html"  # one row for each pipeline, written by `run-all`
SWEEPS = ".sweeps"  # folder with one folder for each sweep
SWEEP = "sweep.json"  # members of a sweep and the best one
SWEEP_PAGE = "sweep.html"  # the same for people
RAW_DATA = ".raw"  # folder of a pipeline: what a slow `load` returned

"""Elementary functions within 1 ULP, with the same bits on every CPU, BLAS and Python; the table is `functions`."""

"""Elementary functions with the same bits on every CPU, BLAS and Python; `functions` has them all."""

"""Research only: compiles a fitted pipeline into a plan, checked against the libraries' own results."""

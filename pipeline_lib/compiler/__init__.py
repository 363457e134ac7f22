"""Research only: from a fitted pipeline to a plan, checked against the libraries' own results."""

"""Dates and times: parts of a moment, parsing, differences; integer arithmetic alone."""

"""DataFrames of own code: columns chosen, set and joined, statistics of each row."""

"""Text: lengths, counts, case, tokens, from tables that are part of the plan."""

"""The kinds of errors: each with a code, what it means, and what to do."""

"""Own code as a plan: a step's `transform` runs once on recording columns, and what it does is written down."""

"""What changed since a git revision, and what it does to the results: Markdown for a pull request."""

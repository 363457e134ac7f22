"""The text methods of Series, `.str`."""

"""Chores of the checkout; not part of the distribution."""

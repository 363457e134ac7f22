"""The raw row: its schema, values, several tables, the check of a DataFrame against `Row`."""

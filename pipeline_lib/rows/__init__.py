"""Raw rows: the schema that `Row` declares, the check against it (`conform`), several tables, edge rows."""

"""The folder a run leaves: layout, seal, reference, index, query, report, transfer, store, champion."""

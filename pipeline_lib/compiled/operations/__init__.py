"""The operations of compiled pipelines, a module for each kind; `catalog` has them all."""

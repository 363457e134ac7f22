"""An exploration notebook read as a pipeline: its statements, their data flow, their roles, and the new notebooks."""

"""Which earlier run answers for this one."""

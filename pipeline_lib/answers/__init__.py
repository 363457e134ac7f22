"""PRODUCTION: what a server has answered: kept, read again, repeated.

log_format      the folder of a log, and reading it to its last whole batch
log_writer      appends answers, rotates, removes what is old
waiting         answers on their way to a thread
replay          the same rows again, bit for bit, or by another record
shadow          a second record that is asked what the first one is
"""

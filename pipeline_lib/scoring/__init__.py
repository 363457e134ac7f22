"""PRODUCTION: rows of files and databases in, files and tables of predictions out, with the bits of `predict`.

input_files    what an INPUT names: files, globs, partitioned folders, addresses
csv_rows, json_rows, arrow_rows, query_source
               each reads blocks of raw rows; text_values types text by `Row`, json_values the dates of JSON
blocks         rows in blocks of a fixed size, whatever they are read from; read_rows has them in Python
score_block    the predictions of a block, and what is said of refused rows
parts          the blocks that are done, kept until the output is complete
file_output, table_output
               the parts as one file, or as rows of a database table
cluster        blocks answered on the workers of a Dask scheduler
score          the whole of it: reading, answering and keeping parts overlap
"""

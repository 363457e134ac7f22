"""PRODUCTION: rows of files and databases in, files and tables of predictions out, with the bits of `predict`.

input_files    what an INPUT names: files, globs, partitioned folders, addresses
csv_rows, json_rows, arrow_rows, query_rows
               each reads blocks of raw rows; text_values types text by `Row`
blocks         rows in blocks of a fixed size, whatever they are read from
score_block    the predictions of a block, and what is said of refused rows
parts          the blocks that are done, kept until the output is complete
file_output, table_output
               the parts as one file, or as rows of a database table
score          the whole of it
"""

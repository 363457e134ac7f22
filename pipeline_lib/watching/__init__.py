"""PRODUCTION: whether live rows are still like the rows of training. It never changes an answer.

values         raw values of any form as numbers or texts that can be counted
bins           into which bins the values of a column fall, and how many do
statistics     what is known of the training rows: bins with their counts, which travel with the artifact
accumulator    counts of live rows in the same bins; counts of several workers and blocks are added
divergence     population stability index, two-sample test, correction for many columns
drift          what follows for each column, and in one sentence
page           the same with plots
watch          the accumulator as `predict` and `serve` hold it: whatever goes wrong in it, they go on
"""

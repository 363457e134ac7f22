"""Diagnostics of a run: the plots that suit what the pipeline predicts, drawn from the evidence and the artifact.

diagnostics.py    which plots, in which order; what a notebook shows
judged.py         the rows that the model is judged on, and their losses
drawing.py        one style: sizes, colours, a figure as a picture with alternative text
numbers.py        regression: predicted against actual, residuals
labels.py         classification: calibration, ROC and precision-recall, confusion with what it is worth
influence.py      permutation importance and partial dependence, through the compiled model
segments.py       errors by segment
"""

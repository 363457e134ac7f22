"""The encoders of all operations whose settings become arrays, by the plan operation's name."""

from pipeline_lib.compiled.native import (
    calendar_layout,
    document_layout,
    embedding_layout,
    math_layout,
    neighbor_layout,
    number_layout,
    sparse_layout,
    svm_layout,
    text_layout,
    text_number_layout,
    tree_layout,
    vector_layout,
)
from pipeline_lib.compiled.native.encoded import Encoders

ENCODERS: Encoders = {
    **calendar_layout.ENCODERS,
    **document_layout.ENCODERS,
    **embedding_layout.ENCODERS,
    **math_layout.ENCODERS,
    **neighbor_layout.ENCODERS,
    **number_layout.ENCODERS,
    **sparse_layout.ENCODERS,
    **svm_layout.ENCODERS,
    **text_layout.ENCODERS,
    **text_number_layout.ENCODERS,
    **tree_layout.ENCODERS,
    **vector_layout.ENCODERS,
}

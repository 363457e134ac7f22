"""What benchmarks/peers.py measures: the families of models, and who answers for them."""

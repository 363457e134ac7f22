"""PRODUCTION: predictions over HTTP, with the bits of `predict`.

settings         what a server is started with
server, worker   the process over the others, and those that answer
listening, connections
                 the socket they share; HTTP/1.1 with limits
app, http        requests to routes; what a request and a response are
served_model     a record that answers: its model, whose messages show no value, and its schema
models           those of this server, and how a new champion takes over
predictions      rows in, answers out: JSON and Arrow
predict_routes, open_inference, invocations
                 /predict; the Open Inference Protocol; MLflow's routes
about, openapi   the schema, the record, the page of documentation
counters         what /metrics counts
"""

"""What production loads: plan, operations, executors, artifact, CompiledPipeline."""

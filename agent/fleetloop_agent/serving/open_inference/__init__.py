"""The Open Inference Protocol V2 over HTTP: what KServe, Triton and their clients speak."""

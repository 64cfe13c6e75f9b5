"""A signed artifact as a small C program, for devices on which no ONNX Runtime runs."""

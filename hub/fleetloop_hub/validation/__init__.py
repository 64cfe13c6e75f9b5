"""Stage 5: gates, judged on the quantized bytes."""

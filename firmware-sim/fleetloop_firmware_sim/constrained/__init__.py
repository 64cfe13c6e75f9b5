"""A device without Python: a model as a C program, fed over MQTT."""

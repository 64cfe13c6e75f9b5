"""Telling people and programs of alerts: webhooks, e-mail, MQTT."""

"""Writes docs/openapi.yaml from the template, the functions, the dialects' tables and the models of what they say."""

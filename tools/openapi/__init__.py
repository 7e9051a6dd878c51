"""Writes docs/openapi.yaml from the template, the functions, and the types that the dialects parse and render."""

"""`make openapi`: rewrites docs/openapi.yaml."""

from openapi.document import FILE, text

FILE.write_text(text())

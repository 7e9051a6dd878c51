"""`make openapi`: write docs/openapi.yaml."""

from tools.openapi.document import FILE, text

FILE.write_text(text())

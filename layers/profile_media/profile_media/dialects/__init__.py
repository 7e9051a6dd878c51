"""The published API contracts, one module or package each. They parse requests and render answers and errors.

No dialect imports another one. The TypedDicts and models in them are also the schemas of docs/openapi.yaml.
"""

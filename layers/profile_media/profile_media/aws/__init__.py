"""The ports on AWS; the only package that talks to it. Each module's docstring lists the actions it needs."""

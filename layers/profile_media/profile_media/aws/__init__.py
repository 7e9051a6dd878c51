"""The ports on AWS. No other package talks to AWS; the docstring of each module lists the rights it needs."""

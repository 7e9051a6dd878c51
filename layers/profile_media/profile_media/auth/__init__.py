"""Deciding which bearer tokens to trust. Used by the Lambda authorizer only."""

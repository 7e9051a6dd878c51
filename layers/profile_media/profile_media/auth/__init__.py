"""Decides which bearer tokens to trust. Only the Lambda authorizer imports this package.

tokens      the whole check of one token: form, header, signature, claims
providers   the presets of identity providers, as one table
policy      which claims are accepted, as the operator configured them
claims      what a trusted token says about the user, for the profile
algorithms  the signature algorithms and their key types, as one table
key_set     the issuer's JWK set, parsed
cache       the key set, fetched again when it is due
fetch       the HTTPS request for the key set
encoding    strict base64url and JSON

The package imports no AWS SDK, no pydantic and no Powertools, because requests wait for the authorizer's cold start.
"""

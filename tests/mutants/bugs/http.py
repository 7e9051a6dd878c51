"""Bugs at the API's edge, the authorizer's among them."""

from tests.mutants.workbench import Bug

_HTTP = "layers/profile_media/profile_media/http"
_AUTHORIZE = "functions/authorize/app.py"
_TOKENS = ("tests/unit/http/test_tokens.py",)
_JWKS = ("tests/unit/http/test_jwks.py",)
_GATE = ("tests/functions/test_authorize.py",)
_LIMITS = ("tests/unit/test_limits.py",)
_EDGE = ("tests/unit/http/test_endpoint.py",)

BUGS = (
    # --- tokens
    Bug(
        "token: the algorithm it asks for",
        f"{_HTTP}/tokens.py",
        'if key.algorithm != header["alg"]:',
        "if not key.algorithm:",
        _TOKENS,
    ),
    Bug(
        "token: any signature",
        f"{_HTTP}/tokens.py",
        "            raise TokenRefused(Refusal.SIGNATURE)\n",
        "            pass\n",
        _TOKENS,
    ),
    Bug(
        "token: any audience",
        f"{_HTTP}/tokens.py",
        'if not self._is_audience(claims["aud"]):',
        'if not claims["aud"]:',
        _TOKENS,
    ),
    Bug(
        "token: an audience that holds ours",
        f"{_HTTP}/tokens.py",
        "return bool(audience == self._policy.audience)",
        "return self._policy.audience in str(audience)",
        _TOKENS,
    ),
    Bug(
        "token: an issuer that starts like ours",
        f"{_HTTP}/tokens.py",
        'if claims["iss"] != self._policy.issuer:',
        'if not str(claims["iss"]).startswith(self._policy.issuer):',
        _TOKENS,
    ),
    Bug(
        "token: demands that nobody understands",
        f"{_HTTP}/tokens.py",
        'if "crit" in header:',
        'if "crit" in header and not header:',
        _TOKENS,
    ),
    Bug(
        "token: expired long ago",
        f"{_HTTP}/tokens.py",
        "LEEWAY_SECONDS = 30\n",
        "LEEWAY_SECONDS = 10**12\n",
        _TOKENS,
    ),
    Bug(
        "token: a second too long",
        f"{_HTTP}/tokens.py",
        "if expires + LEEWAY_SECONDS <= now:",
        "if expires + LEEWAY_SECONDS < now:",
        _TOKENS,
    ),
    Bug(
        "token: not valid yet",
        f"{_HTTP}/tokens.py",
        "if starts - LEEWAY_SECONDS > now:",
        "if starts < 0:",
        _TOKENS,
    ),
    Bug(
        "token: of another kind",
        f"{_HTTP}/tokens.py",
        "if not isinstance(kind, str) or kind.lower() not in _TYPES:",
        "if not isinstance(kind, str):",
        _TOKENS,
    ),
    Bug(
        "token: names twice",
        f"{_HTTP}/tokens.py",
        '        raise ValueError("a name occurs twice")\n',
        "        pass\n",
        _TOKENS,
    ),
    Bug(
        "token: an administrator by part of a word",
        f"{_HTTP}/tokens.py",
        'return self.value in claim.split(" ")',
        "return self.value in claim",
        _TOKENS,
    ),
    Bug(
        "token: without a tenant where there are some",
        f"{_HTTP}/tokens.py",
        "            raise TokenRefused(Refusal.TENANT)\n",
        "            return None\n",
        _TOKENS,
    ),
    Bug(
        "token: a claim that is required is not asked for",
        f"{_HTTP}/tokens.py",
        "if self._required_claim and not self._required_claim.equals(claims):",
        "if self._required_claim and not claims:",
        _TOKENS,
    ),
    # --- keys
    Bug(
        "keys of the issuer: redirects are taken for keys",
        f"{_HTTP}/jwks.py",
        "if response.status != 200:",
        "if response.status >= 400:",
        _JWKS,
    ),
    Bug(
        "keys of the issuer: as many bytes as it sends",
        f"{_HTTP}/jwks.py",
        '    if len(body) > MAX_BYTES:\n        raise JwksUnavailable("too large")\n',
        "",
        _JWKS,
    ),
    Bug(
        "keys of the issuer: old ones for ever",
        f"{_HTTP}/jwks.py",
        "STALE_SECONDS = 60 * 60\n",
        "STALE_SECONDS = 60 * 60 * 24 * 3650\n",
        _LIMITS,
    ),
    Bug(
        "keys of the issuer: fetched for every unknown id",
        f"{_HTTP}/jwks.py",
        "COOLDOWN_SECONDS = 30\n",
        "COOLDOWN_SECONDS = 0\n",
        _JWKS,
    ),
    Bug(
        "keys of the issuer: over plain http",
        f"{_HTTP}/jwks.py",
        "if not secure and not (allow_loopback",
        "if not secure and (allow_loopback",
        _JWKS,
    ),
    Bug(
        "keys of the issuer: weak ones",
        f"{_HTTP}/jwks.py",
        "if not 2048 <= modulus.bit_length()",
        "if not 512 <= modulus.bit_length()",
        _JWKS,
    ),
    Bug(
        "keys of the issuer: waited for without end",
        f"{_HTTP}/jwks.py",
        "    worker.join(seconds)\n",
        "    worker.join(seconds + 8)\n",
        _JWKS,
    ),
    # --- the authorizer
    Bug(
        "authorizer: who is refused gets in",
        _AUTHORIZE,
        '        raise Exception("Unauthorized") from None\n',
        "        from profile_media.http.tokens import Verified\n\n"
        '        bearer = Verified("nobody", 2**40, admin=False)\n',
        _GATE,
    ),
    Bug(
        "authorizer: a policy for one route",
        _AUTHORIZE,
        '"Resource": f"{stage[1]}/*/*"}',
        '"Resource": event["methodArn"]}',
        _GATE,
    ),
    Bug(
        "authorizer: a policy for every stage",
        _AUTHORIZE,
        '"Resource": f"{stage[1]}/*/*"}',
        '"Resource": "*"}',
        _GATE,
    ),
    Bug(
        "authorizer: the token in the log",
        _AUTHORIZE,
        "reason=refused.refusal, function_request_id=request_id)",
        'reason=refused.refusal, token=event.get("authorizationToken"), function_request_id=request_id)',
        _GATE,
    ),
    Bug(
        "authorizer: no expiry passed on",
        _AUTHORIZE,
        '            "exp": str(bearer.exp),\n',
        '            "exp": "99999999999",\n',
        _GATE,
    ),
    Bug(
        "authorizer: everybody an administrator",
        _AUTHORIZE,
        '"admin": str(bearer.admin).lower(),',
        '"admin": "true",',
        _GATE,
    ),
    # --- handlers' own edge
    Bug(
        "edge: an expired token goes on",
        f"{_HTTP}/endpoint.py",
        "if not subject or not expires.isdecimal() or int(expires) <= time.time():",
        "if not subject or not expires.isdecimal():",
        _EDGE,
    ),
    Bug(
        "edge: an administrator by any text",
        f"{_HTTP}/endpoint.py",
        'is_admin=checked.get("admin") == "true",',
        'is_admin=bool(checked.get("admin")),',
        _EDGE,
    ),
    Bug(
        "edge: a bug tells what it is",
        f"{_HTTP}/endpoint.py",
        "    except Exception:\n"
        '        logger.exception("unexpected")\n'
        '        count("UnexpectedErrors")\n'
        "        return Response(HTTPStatus.INTERNAL_SERVER_ERROR, dialect.render_error(None, correlation_id))\n",
        "    except Exception as error:\n"
        '        logger.exception("unexpected")\n'
        '        count("UnexpectedErrors")\n'
        '        return Response(HTTPStatus.INTERNAL_SERVER_ERROR, {"message": repr(error)})\n',
        _EDGE,
    ),
    Bug(
        "edge: caches keep answers",
        f"{_HTTP}/request.py",
        '"Cache-Control": "no-store", ',
        "",
        ("tests/unit/dialects/test_public_id.py",),
    ),
    Bug(
        "edge: nobody is told when to come back",
        f"{_HTTP}/endpoint.py",
        'headers = {"Retry-After": str(error.retry_after)} if isinstance(error, LimitExceeded | Unavailable) else {}',
        "headers: dict[str, str] = {}",
        ("tests/functions/test_create_upload_intent.py",),
    ),
    Bug(
        "edge: answers without the request's id",
        f"{_HTTP}/endpoint.py",
        'shared = {"x-correlation-id": correlation_id, **cors',
        "shared = {**cors",
        ("tests/functions/test_bind.py",),
    ),
    Bug(
        "edge: any page may read",
        f"{_HTTP}/cors.py",
        '"Access-Control-Allow-Origin": origin,',
        '"Access-Control-Allow-Origin": "*",',
        ("tests/functions/test_preflight.py",),
    ),
    Bug(
        "edge: any origin is allowed",
        f"{_HTTP}/cors.py",
        "if origin is None or origin not in allowed:",
        "if origin is None:",
        ("tests/functions/test_preflight.py",),
    ),
    # --- bodies
    Bug(
        "bodies: names twice",
        f"{_HTTP}/json_body.py",
        '        raise ValueError("duplicate keys")\n',
        "        pass\n",
        ("tests/unit/http/test_json_body.py",),
    ),
    Bug(
        "bodies: as large as they are",
        f"{_HTTP}/json_body.py",
        "if len(request.body) > MAX_BYTES:",
        "if len(request.body) < 0:",
        ("tests/unit/http/test_json_body.py",),
    ),
    Bug(
        "bodies: of any type",
        f"{_HTTP}/json_body.py",
        'if media_type != "application/json":',
        "if not media_type:",
        ("tests/unit/http/test_json_body.py",),
    ),
    Bug(
        "forms: several files",
        f"{_HTTP}/multipart.py",
        "if len(files) != 1:",
        "if not files:",
        ("tests/unit/http/test_multipart.py",),
    ),
    Bug(
        "forms: a text passes for the file",
        f"{_HTTP}/multipart.py",
        'return part.name == "file" and part.filename is not None',
        'return bool(part.name == "file")',
        ("tests/unit/http/test_multipart.py",),
    ),
)

"""The local stand-in for S3 and the CDN, as browsers see them.

moto stores every form it receives. This server enforces the form's POST policy, and answers with S3's status codes and
error codes. It shares no code with the presigner. It knows the fields that this service signs, and refuses every other
field; so does S3, because no policy of this service covers them.
"""

from tools.local.s3_edge.app import create_app

__all__ = ["create_app"]

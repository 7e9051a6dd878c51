"""The local stand-in of S3's and the CDN's faces to browsers.

moto stores whatever a form brings. This edge is what makes the local stack say no where AWS would: it holds a browser's
POST to the policy it was signed with, and answers as S3 does. It shares no code with what issues those policies.
"""

from tools.local.s3_edge.app import create_app

__all__ = ["create_app"]

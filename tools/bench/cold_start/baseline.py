"""The process that functions are compared with: two boto3 clients, one call each.

python3.13 -I -S -B baseline.py SITE_PACKAGES BUCKET TABLE
"""

import sys

site_packages, bucket, table = sys.argv[1:]
sys.path.insert(0, site_packages)

import boto3  # noqa: E402

boto3.client("s3").list_objects_v2(Bucket=bucket, MaxKeys=1)
boto3.client("dynamodb").get_item(TableName=table, Key={"user_id": {"S": "nobody"}})

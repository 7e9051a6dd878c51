"""POST /avatar and GET /profile, as tutorials have them: the picture goes through the function, each size by itself."""

import base64
import io
import json
import os
import uuid
from typing import Any
from urllib.parse import urlparse

import boto3
from PIL import Image, ImageOps

BUCKET = os.environ["MEDIA_BUCKET"]
SIZES = {"full": (512, 512), "thumb": (256, 256), "small": (128, 128), "icon": (64, 64)}
EXPIRES = 3600

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["USERS_TABLE"])


def upload_avatar(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Stores the picture and a thumbnail for each size, remembers where, and deletes the old ones."""
    user_id = event["requestContext"]["authorizer"]["principalId"]
    picture = picture_in(event)
    folder = f"avatars/{user_id}/{uuid.uuid4()}"
    s3.put_object(Bucket=BUCKET, Key=f"{folder}/original", Body=picture, ContentType="image/jpeg")
    for name, size in SIZES.items():
        s3.put_object(
            Bucket=BUCKET, Key=f"{folder}/{name}.webp", Body=thumbnail(picture, size), ContentType="image/webp"
        )
    old = table.get_item(Key={"user_id": user_id}).get("Item", {})
    url = f"https://{BUCKET}.s3.amazonaws.com/{folder}/full.webp"
    table.update_item(
        Key={"user_id": user_id}, UpdateExpression="SET avatar_url = :url", ExpressionAttributeValues={":url": url}
    )
    if "avatar_url" in old:
        delete_pictures(old["avatar_url"])
    print(json.dumps({"message": "avatar updated", "user": user_id}))
    return answer(200, {"avatarUrl": url})


def get_profile(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Shows where the user's pictures are, for an hour."""
    user_id = event["requestContext"]["authorizer"]["principalId"]
    item = table.get_item(Key={"user_id": user_id}).get("Item")
    if not item:
        return answer(404, {"message": "User not found"})
    folder = folder_of(item["avatar_url"])
    urls = {
        name: s3.generate_presigned_url(
            "get_object", Params={"Bucket": BUCKET, "Key": f"{folder}/{name}.webp"}, ExpiresIn=EXPIRES
        )
        for name in SIZES
    }
    return answer(200, {"userId": user_id, "avatar": urls})


def picture_in(event: dict[str, Any]) -> bytes:
    """The file in the request's body."""
    return base64.b64decode(json.loads(event["body"])["user_avatar"])


def thumbnail(picture: bytes, size: tuple[int, int]) -> bytes:
    """The picture in that size, from the file."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(picture)))
    file = io.BytesIO()
    ImageOps.fit(image.convert("RGB"), size).save(file, "WEBP", quality=80)
    return file.getvalue()


def delete_pictures(url: str) -> None:
    """Deletes what an avatar's URL stands for."""
    folder = folder_of(url)
    for name in ("original", *(f"{size}.webp" for size in SIZES)):
        s3.delete_object(Bucket=BUCKET, Key=f"{folder}/{name}")


def folder_of(url: str) -> str:
    """Where the pictures of an avatar lie."""
    return urlparse(url).path.lstrip("/").rpartition("/")[0]


def answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """What API Gateway is told."""
    headers = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}

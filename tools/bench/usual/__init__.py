"""An avatar done the usual way: what most tutorials and small projects have, written as well as they mean it.

What is taken from where:
- the picture travels as base64 in a JSON body through API Gateway to a function that puts it into S3, as in
  github.com/ashishdesaigit/aws-lambda-s3-file-upload, whose field `user_avatar` this has kept; 6 MB fit into a call;
- a table of sizes, and for each of them a pipeline of its own from the file to the stored thumbnail, as in "Build a
  Serverless Thumbnail Generator with Lambda" (oneuptime.com/blog/post/2026-02-12-build-a-serverless-thumbnail-
  generator-with-lambda/view) and AWS's "Using an Amazon S3 trigger to create thumbnail images"
  (docs.aws.amazon.com/lambda/latest/dg/with-s3-tutorial.html);
- boto3's clients and its `Table`, made when the module is imported, with `get_item` and `update_item`, and
  `generate_presigned_url` for showing what lies in a private bucket, as in boto3's own guides
  (docs.aws.amazon.com/boto3/latest/guide/s3-presigned-urls.html);
- the URL kept in the user's row, and the old picture's files deleted by what it names.

In its favour: users are found by key, where many scan the table or ask a second index; the files are rendered where
the picture is received, so that no second invocation reads it again; orientation is applied and WebP is written, which
most leave out; the token is checked by Cognito or the gateway, at no charge; functions have the memory that ours have,
on the same processor, and nothing of it is ever repeated or lost. Left out are limits, validation beyond decoding,
idempotency, two requests at once, and whatever a crash between two calls leaves behind: they cost it nothing here.
"""

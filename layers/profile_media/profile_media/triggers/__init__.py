"""Code that event functions share: the handler decorators and the parsers of S3, SQS and DynamoDB stream events."""

"""The edge that event functions share: records of S3, of the table's stream and of the queue."""

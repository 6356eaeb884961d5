"""Files of recordings in S3-compatible storage."""

"""The rules of an upload's life: plain Python, no AWS, no HTTP, no pixels."""

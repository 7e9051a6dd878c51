"""The edge that all dialects share: requests, answers, who is calling, and what an error's status is."""

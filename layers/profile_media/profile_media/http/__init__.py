"""The HTTP code that all dialects share: requests, answers, the caller, and the status of each error."""

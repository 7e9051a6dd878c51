"""Where ports meet their adapters: one module per use case, each of which makes only what that use case needs."""

"""Connect ports with adapters: one module per area, whose functions create only the adapters that they need."""

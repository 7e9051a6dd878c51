"""Avatars and cover images: the core that every function of the service shares."""

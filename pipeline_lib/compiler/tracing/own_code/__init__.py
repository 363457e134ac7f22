"""Own code as copies that run on recorded objects, with what they may not do."""

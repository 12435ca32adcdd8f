"""Pictures of what the instruments measured; nothing here computes anything."""

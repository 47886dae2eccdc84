"""Text to spoken Vietnamese to a mixed, levelled MP3. No Django in here."""

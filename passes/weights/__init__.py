"""Constants at compile time: reading, moving and scaling weights with NumPy on their raw bytes."""

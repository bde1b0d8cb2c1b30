"""Front ends: each turns a user's model into one linalg-on-tensors module."""

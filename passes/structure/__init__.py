"""What the passes that reshape linear algebra share: iteration spaces, views, constants."""

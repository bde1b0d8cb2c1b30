"""What the rows of docs/models.md need said beside their numbers, by row."""

# Row -> what its time goes into, from `--profile`, and why a peer is faster where one is.
NOTES: dict[str, str] = {}

"""How much the report shows."""

MOST_TILES = 2_000
"""In lists and with small pictures; of more, the extremes."""

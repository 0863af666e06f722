"""Names of the features of a tile, and of its place, in the order of a table's columns."""

PLACE = ("sample", "tile", "z", "y", "x", "height", "width", "edge")
"""`edge` is `sliver` for a small rest at the edge of its plane, else empty."""

FEATURES = (
    *("mean", "sd", "contrast", "saturated", "focus", "gradient", "stripes"),
    *("separability", "contrast_to_noise"),
)

OF_FLAGS = ("sample", "tile", *FEATURES), dict.fromkeys(FEATURES, "float64")
"""What flags go by: columns, and the dtypes of those with numbers, as `frames.read` takes them."""

"""Names of the features of a tile, in the order of a table's columns."""

FEATURES = (
    *("mean", "sd", "contrast", "saturated", "focus", "gradient", "stripes"),
    *("separability", "contrast_to_noise"),
)

"""What the pixels of images may be."""

DTYPES = ("uint8", "uint16", "int16", "float32")
"""That the pipeline works on; bool is read as uint8, 0 or 1."""
PixelSize = tuple[float | None, float, float]
"""Of a pixel in z, y and x, in micrometres: z is the distance of planes and may be unknown."""

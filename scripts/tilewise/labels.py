"""Values of the label images, and the name of one."""

NOT_ANNOTATED = 255
"""Of the truth where nothing is known; 0 is background, 1 foreground."""
MOST_ANNOTATORS = 8
"""Of one sample: of so many truths the patterns of votes are counted."""
TN, FP, FN, TP = 1, 2, 3, 4
"""Of a confusion map; 0 is not annotated."""
SEGMENTATION = "segmentation"
"""The label of the mask by the method that was decided on; no method has this name."""

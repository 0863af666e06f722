"""Every special word of the report, in one sentence that a biologist reads once."""

WORDS = {
    "sample": (
        "An image, or a stack of planes, that counts as one thing in the science: a row of the "
        "sample sheet."
    ),
    "plane": "One picture of a stack, at one depth.",
    "tile": (
        "A rectangle of one plane, the piece that is thresholded, scored and shown; z0003_y01_x07 "
        "is that of plane 3, row 1 and column 7, all counted from 0."
    ),
    "truth": (
        "What an expert has marked as foreground and background, with which masks are compared."
    ),
    "foreground": (
        "The pixels that belong to what is looked for, such as vessels or cells; all others are "
        "background."
    ),
    "mask": "What a method has found: each pixel is foreground or background.",
    "annotated": "Says that a pixel or a tile has truth.",
    "not annotated": "Pixels that nobody has marked, which no score counts.",
    "region of interest": (
        "The part of an image that counts; what lies outside is not segmented, scored or judged."
    ),
    "annotator": "A person who has marked the truth; several may have marked the same sample.",
    "consensus": "One truth from the marks of several annotators.",
    "method": "A way to segment: a filter, a threshold and a clean-up, with their parameters.",
    "filter": "Steps that prepare an image before it is segmented, such as taking out noise.",
    "threshold": "The grey level above which a pixel is foreground.",
    "scope": (
        "The pixels that share a threshold: those of a tile, a plane, a sample, or all "
        "annotated tiles."
    ),
    "calibrated": (
        "Says that a threshold was found on the annotated tiles and is the same everywhere."
    ),
    "guard": (
        "The check whether a tile has two clear classes of grey levels; a tile that has not "
        "does not use its own threshold, and here stands what it got instead."
    ),
    "clean-up": "Steps that mend a mask, such as deleting small objects.",
    "grid": "The values of parameters that are tried; annotated tiles choose the best.",
    "tuned": (
        "Says of a method that annotated tiles have chosen its parameters, or that it has "
        "learned from them."
    ),
    "variant": "The values of the parameters that were chosen for a method.",
    "sweep": "The scores of all values of a grid.",
    "TP": "True positive: a pixel that is foreground in mask and truth.",
    "FP": (
        "False positive: a pixel that is foreground in the mask alone, so that the method has "
        "found too much."
    ),
    "FN": (
        "False negative: a pixel that is foreground in the truth alone, so that the method has "
        "missed it."
    ),
    "TN": "True negative: a pixel that is background in mask and truth.",
    "confusion": (
        "The four ways in which a pixel of mask and truth can agree or differ: TP, FP, FN and TN."
    ),
    "overlay": "The image with right and wrong pixels in colour.",
    "metric": "A number that says how alike mask and truth are.",
    "score": (
        "The value of a metric: of a method over all units, with parameters that others chose; "
        "of a tile with those that are used, so that both differ even if there is but one tile."
    ),
    "fixed": (
        "Says of a score that nothing about the method was chosen on annotated tiles, so that "
        "it is a fair one."
    ),
    "held out": (
        "Says of a score that the scored tiles had no part in choosing the parameters or "
        "training the model, so that it is a fair one."
    ),
    "resubstitution": (
        "Says of a score that the scored tiles also chose the parameters or trained the model, "
        "so that it is too high."
    ),
    "selected, optimistic": (
        "Says of a score that it belongs to the method that was picked because of it, so that "
        "it is a little too high."
    ),
    "cross-validated selection": (
        "The score of picking a method by this rule, with tiles that had no part in the "
        "picking: what to expect on new samples."
    ),
    "fold": (
        "A part of the annotated units that is set aside in turn: everything is chosen on the "
        "others and scored on this part."
    ),
    "independent unit": (
        "What counts as one observation in the statistics: a sample, a group of samples, or "
        "planes or tiles that are far enough apart; blocks of one image are not independent."
    ),
    "interval": (
        "The range that is likely to hold the score of other samples like these, at the stated "
        "confidence."
    ),
    "bootstrap": (
        "Drawing the units again and again at random, to see how much a score would vary with "
        "other units."
    ),
    "pooled": "From the counts of all tiles or units added up, so that large ones count more.",
    "set of the best": (
        "The methods that may be the best one: the truth at hand cannot tell them apart."
    ),
    "margin": (
        "A difference of scores that is too small to matter; of methods that are as good, the "
        "simplest is used."
    ),
    "cannot tell": "Says of two methods that there is too little truth to know which is better.",
    "equivalent": "Says of two methods that their difference is surely smaller than the margin.",
    "worse": "Says of a method that it is not in the set of the best.",
    "not tested": (
        "Says that there are too few independent units for a test, so that nobody knows whether "
        "the method is worse than the one with the highest score."
    ),
    "verdict": "What the comparison of methods says, and how sure that is.",
    "oracle": (
        "A score of thresholds that were picked with the truth in hand, after the filter that "
        "stands beside it: no global threshold can do better there."
    ),
    "best given the truth": (
        "A score of thresholds that were picked with the truth in hand, after the filter that "
        "stands beside it: no global threshold can do better there."
    ),
    "trivial": "A score without looking at the image: an empty mask, or foreground at random.",
    "reference scores": (
        "Oracles, trivial methods and annotators, which show how high or low a score can be here."
    ),
    "agreement": (
        "How alike the masks of all methods are on a tile, as the mean F1 of their pairs, 0 to "
        "1; of annotators, how alike their marks are."
    ),
    "disagreement": "The share of pixels of a tile on which the methods differ.",
    "trust": (
        "How far the mask of a tile may be trusted, 0 to 1, from agreement, drift, contrast, "
        "flags and distance: an order of tiles, not a forecast of a score."
    ),
    "drift": "How much more, or less, foreground a tile has than its neighbours have.",
    "quality": "What a tile looks like in numbers, such as focus and contrast, without truth.",
    "flags": "What is wrong with a tile, such as blurred or saturated.",
    "blurred": "A flag: the tile is less sharp than others of its sample.",
    "low_contrast": "A flag: the tile has less contrast than others of its sample.",
    "uneven": "A flag: the light changes much across the tile.",
    "striped": "A flag: rows or columns of the tile differ in brightness.",
    "unimodal": (
        "A flag: the grey levels of the tile do not fall into two classes, as where there is "
        "little foreground or noise alone."
    ),
    "empty": (
        "A flag: all pixels of the tile have one value; as an entry of `guard`, the mask was "
        "left empty."
    ),
    "foreground_outlier": (
        "A flag: the tile has much more or less foreground than others of its sample."
    ),
    "calibre": "The diameter of a true object, in pixels, at the nearest point of its centreline.",
    "centreline": "The middle line of an object, one pixel wide.",
    "surface": "The pixels of an object at its boundary.",
    "tolerance": "The distance up to which two boundaries count as the same.",
    "sliver": "A small rest at the edge of a plane, left out of means over tiles.",
    "annotate next": (
        "The tiles most worth annotating: they are trusted little, and differ from each other."
    ),
    "quantity of interest": "The fraction of the area that is foreground, over all tiles.",
    "corrected": (
        "The fraction of foreground, freed of the error of the masks by tiles that were drawn "
        "at random and annotated."
    ),
    "warning": "Something that could mislead in the results, with what to do about it.",
    "cost": "The time and memory that a method takes on the machine of the run.",
    "provenance": (
        "What the results were made from: checksums of configuration, code and input, and versions."
    ),
    "checksum": (
        "A short number from all bytes of a file: another one means that the file is another."
    ),
    "learning curve": (
        "How the score, or the width of its interval, changes with the number of annotated units."
    ),
}
"""Words of the report."""
METRICS = {
    "mcc": (
        "Matthews' correlation coefficient of mask and truth: 1 if all is right, 0 for chance, "
        "-1 if all is wrong; high only if foreground and background are both found."
    ),
    "f1": (
        "The overlap of mask and truth, also called Dice: 1 if they are the same, 0 if they "
        "share nothing."
    ),
    "iou": (
        "Intersection over union, also called Jaccard: the area that mask and truth share, over "
        "the area that either covers."
    ),
    "accuracy": (
        "The share of pixels that are right; high for an empty mask where foreground is rare."
    ),
    "precision": "The share of the mask that is right: low if a method finds too much.",
    "recall": "The share of the true foreground that is found: low if a method misses much.",
    "specificity": "The share of the true background that is left out of the mask.",
    "balanced_accuracy": "The mean of recall and specificity.",
    "prevalence": (
        "The share of pixels that are true foreground; it tells of the truth, and is no score."
    ),
    "cldice": (
        "The overlap of centrelines (clDice): 1 if all tubes are found and connected, whatever "
        "their width."
    ),
    "nsd": (
        "Normalised surface distance: the share of both boundaries that lies within the "
        "tolerance of the other."
    ),
    "hd95": (
        "The distance between both boundaries, in the unit of the study, that all but the worst "
        "5% of their pixels keep within."
    ),
    "assd": "The mean distance between both boundaries, in the unit of the study.",
    "object_precision": "The share of the mask's objects that match one of the truth.",
    "object_recall": "The share of the true objects that match one of the mask.",
    "object_f1": "The harmonic mean of precision and recall of objects, not pixels.",
    "count_error": "How many objects the mask has too many; negative if too few.",
    "area_error": (
        "How much foreground the mask has too much, as a share of the true one; negative if too "
        "little."
    ),
    "false_positive_area": (
        "The area of the mask, in pixels, in tiles whose truth has no foreground."
    ),
}
"""Metrics, by the names of the tables."""
COLUMNS = {
    "rank": "The place of the method or tile in the order, 1 for the first.",
    "estimate": (
        "What kind of score it is: fixed, held out, resubstitution, trivial or best given the "
        "truth."
    ),
    "value": "The score of the method by the metric of the row.",
    "low": "The lower end of the interval.",
    "high": "The upper end of the interval.",
    "difference": "How much lower the score is than the highest, over the same units.",
    "difference_low": "The lower end of the interval of the difference.",
    "difference_high": "The upper end of the interval of the difference.",
    "relation": (
        "What is known of a method beside the one with the highest score: worse, equivalent, "
        "cannot tell or not tested."
    ),
    "p": (
        "How often chance alone would make a difference as great as this one, by a two-sided test."
    ),
    "p_adjusted": "The p value, raised because many pairs of methods were tested at once (Holm).",
    "pairs": "How many pairs were tested at once.",
    "p_best": (
        "How well the results fit with the method being the best one; above 0.05 it is in the "
        "set of the best, at a confidence of 95%."
    ),
    "indistinguishable": (
        "Whether the method is in the set of the best, so that it cannot be told apart from the "
        "best one."
    ),
    "first": (
        "How often the method comes first when the units are drawn again at random; it is no test."
    ),
    "units": "How many independent units the score is over.",
    "unit": (
        "What counts as an independent unit: samples, planes, tiles or cells of tiles; or the "
        "name of one."
    ),
    "note": "Why something is missing, or what to bear in mind.",
    "sampling": (
        "How the annotated tiles were picked: at random, or unknown, as where someone chose "
        "typical ones."
    ),
    "distance to the boundary": "How far a wrong pixel is from the true boundary, in pixels.",
    "micro": "The score from the counts of all units added up, so that large units count more.",
    "micro_low": "The lower end of the interval of the pooled score.",
    "micro_high": "The upper end of the interval of the pooled score.",
    "macro": "The mean of the scores of the units, so that all units count alike.",
    "macro_low": "The lower end of the interval of the mean score.",
    "macro_high": "The upper end of the interval of the mean score.",
    "level": "Whether the row is of a sample or of a group of samples.",
    "name": "The name of the sample or the group.",
    "uncorrected": "The fraction of foreground of the masks, with their error in it.",
    "confidence": "How often intervals like this one hold the true value.",
    "lambda": (
        "How much the masks count beside the annotated tiles, 0 to 1: more if they follow the "
        "truth closely."
    ),
    "tiles": "How many tiles the row is of.",
    "truth_annotated": "The fraction of foreground of the truth, on the annotated tiles.",
    "mask_annotated": "The fraction of foreground of the masks, on the annotated tiles.",
    "region_um2": "The area of the region of interest, in square micrometres.",
    "corrected_um2": "The corrected area of the foreground, in square micrometres.",
    "low_um2": "The lower end of the interval of the area, in square micrometres.",
    "high_um2": "The upper end of the interval of the area, in square micrometres.",
    "assumption": "What must hold for the corrected fraction to be right.",
    "group": (
        "Samples that depend on each other or are compared with other groups, by a column of "
        "the sheet."
    ),
    "other": "The group that is compared with.",
    "mpx": "Millions of pixels that the method has segmented.",
    "cpu_s_per_mpx": "Seconds of computing, over all cores, for a million pixels.",
    "peak_mb": "The most memory that one job held, in megabytes.",
    "extent": "Whether the metric is of tiles, of whole planes or of whole samples.",
    "averaged": "How many tiles the mean is over.",
    "mean": "The mean over tiles; of grey levels, the mean of the tile.",
    "sd": "The standard deviation, how far values spread.",
    "median": "The value in the middle: half of the tiles have less.",
    "q25": "The value that a quarter of the tiles does not exceed.",
    "q75": "The value that three quarters of the tiles do not exceed.",
    "slivers": "How many small tiles at the edges of planes the mean leaves out.",
    "blank_truth": "How many tiles without true foreground the mean leaves out.",
    "blank_mask": "How many tiles have true foreground of which the mask has nothing.",
    "mean_without_blank": "The mean without those tiles either.",
    "left_empty": "How many tiles the guard left empty.",
    "left_empty_with_truth": "How many of those have foreground in the truth.",
    "excluded": "Says that a tile is left out of all scores because of its quality.",
    "by": (
        "What errors are sorted by: calibre, distance to the true boundary, or quality of the tile."
    ),
    "z": "The number of the plane, from 0.",
    "y": "The first pixel row of the tile, from 0.",
    "x": "The first pixel column of the tile, from 0.",
    "height": "Rows of pixels.",
    "width": "Columns of pixels.",
    "edge": "What is special about a tile: a sliver, an empty mask or an empty truth.",
    "drift_z": (
        "How much more foreground the tile has than tiles at its place in near planes, in "
        "robust standard deviations."
    ),
    "drift_plane": (
        "How much more foreground the tile has than the tiles around it, in robust standard "
        "deviations."
    ),
    "distance": (
        "How unlike the tile is to the nearest annotated one, by its quality; of errors, pixels "
        "from the true boundary."
    ),
    "contrast": "The 99th less the 1st percentile of the grey levels.",
    "saturated": "The share of pixels at the end of the range of grey levels.",
    "focus": "How sharp the details of the tile are.",
    "gradient": "How much the light changes across the tile, over the contrast.",
    "stripes": "The share of the variance that lies between rows or between columns.",
    "separability": "How well the grey levels fall into two classes, 0 to 1.",
    "contrast_to_noise": (
        "The distance of the two classes of grey levels, in standard deviations of the larger "
        "class; noise alone has 2.65."
    ),
    "purpose": "Whether a tile is to train, so that it chooses parameters, or to estimate scores.",
    "pi": "The chance with which a tile was drawn to be annotated.",
    "code": "The kind of the warning.",
    "message": "What could mislead.",
    "remedy": "What to do about it.",
    "reasons": "Why this tile is shown in full.",
    "why": "Why the method that is used scores as it does on this tile.",
}
"""Columns of tables, where their names are no words of the above."""
TERMS = WORDS | METRICS | COLUMNS
"""All of them. Metrics and columns stand by the names that tables have."""

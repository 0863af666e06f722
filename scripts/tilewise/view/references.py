"""What filters, thresholds, metrics and tests are called in a paper, and where they come from.

A new filter, threshold or metric has a line here: its name in prose, and the keys of its sources in
`BIBTEX`; none if it is too common to have one.
"""

from typing import NamedTuple


class Named(NamedTuple):
    """A name in prose, and keys of `BIBTEX`."""

    phrase: str
    keys: tuple[str, ...] = ()


COMMON = (
    *("red", "green", "blue", "luma", "value", "saturation", "hue", "lightness", "a", "b"),
    *("invert", "median", "gaussian", "equalize", "rescale", "background", "tophat", "destripe"),
    *("channel", "channels", "unsharp", "manual", "mean", "adaptive", "hysteresis"),
    *("python", "onnx", "vote"),
    *("external", "command", "remove_small", "fill_holes", "opening", "closing"),
    *("accuracy", "precision", "recall", "specificity", "balanced_accuracy", "prevalence"),
    *("object_precision", "object_recall", "object_f1", "count_error", "area_error"),
)
"""What needs no source: text books have it, or it is the user's own."""

FILTERS = {
    "red": Named("the red channel"),
    "green": Named("the green channel"),
    "blue": Named("the blue channel"),
    "luma": Named("the luma (brightness) of the colours"),
    "value": Named("the greatest of the three colours"),
    "saturation": Named("the saturation of the colours"),
    "hue": Named("the hue of the colours"),
    "lightness": Named("the lightness L* of the colours"),
    "a": Named("the green-red axis a* of the colours"),
    "b": Named("the blue-yellow axis b* of the colours"),
    "hematoxylin": Named("hematoxylin by colour deconvolution", ("ruifrok2001",)),
    "eosin": Named("eosin by colour deconvolution", ("ruifrok2001",)),
    "dab": Named("DAB by colour deconvolution", ("ruifrok2001",)),
    "stain": Named("a stain by colour deconvolution", ("ruifrok2001",)),
    "channel": Named("a channel of the image"),
    "channels": Named("several channels"),
    "external": Named("masks made elsewhere"),
    "command": Named("masks of another program"),
    "invert": Named("inversion"),
    "median": Named("a median filter"),
    "gaussian": Named("a Gaussian filter"),
    "clahe": Named("contrast-limited adaptive histogram equalisation", ("zuiderveld1994",)),
    "equalize": Named("histogram equalisation"),
    "rescale": Named("a stretch of the grey levels between two percentiles"),
    "background": Named("a correction of the background"),
    "tophat": Named("a top-hat transform"),
    "destripe": Named("a correction of stripes"),
    "bilateral": Named("a bilateral filter", ("tomasi1998",)),
    "nlm": Named("non-local means", ("buades2005", "darbon2008", "immerkaer1996")),
    "wavelet": Named("wavelet shrinkage", ("donoho1994", "chang2000", "immerkaer1996")),
    "unsharp": Named("unsharp masking"),
    "deconvolve": Named("Richardson-Lucy deconvolution", ("richardson1972", "lucy1974")),
    "ridge": Named("a multi-scale ridge filter", ("sato1998",)),
    "dog": Named("a difference of Gaussians", ("marr1980",)),
    "matched": Named("matched line filters", ("chaudhuri1989",)),
}
"""Every filter by the name that the configuration uses, projections and sources included."""
MEASURES = {
    "frangi": Named("Frangi's vesselness", ("frangi1998",)),
    "sato": Named("Sato's line measure", ("sato1998",)),
    "eigenvalue": Named("the greatest curvature", ("sato1998",)),
}
"""Measures of `ridge`."""
THRESHOLDS = {
    "manual": Named("a fixed threshold"),
    "otsu": Named("Otsu's threshold", ("otsu1979",)),
    "li": Named("Li's minimum cross entropy threshold", ("li1993", "li1998")),
    "yen": Named("Yen's threshold", ("yen1995",)),
    "isodata": Named("the isodata threshold of Ridler and Calvard", ("ridler1978",)),
    "triangle": Named("the triangle threshold", ("zack1977",)),
    "minimum": Named("the minimum between two modes of the histogram", ("prewitt1966",)),
    "mean": Named("the mean grey level as threshold"),
    "multiotsu": Named("Otsu's thresholds between several classes", ("otsu1979", "liao2001")),
    "circular": Named("a threshold of hues on the circle", ("lai2014",)),
    "adaptive": Named("the local mean as threshold of each pixel"),
    "sauvola": Named("Sauvola's local threshold", ("sauvola2000",)),
    "niblack": Named("Niblack's local threshold", ("niblack1986",)),
    "hysteresis": Named("hysteresis between two thresholds"),
    "python": Named("a function of our own"),
    "pixel_classifier": Named(
        "a pixel classifier of boosted trees, trained on annotated tiles",
        ("friedman2002", "chen2016", "prokhorenkova2018", "arganda2017"),
    ),
    "unet": Named(
        "a U-Net, trained on annotated tiles",
        ("ronneberger2015", "milletari2016", "shit2021", "smith2019", "lakshminarayanan2017"),
    ),
    "onnx": Named("a trained network, run as an ONNX file"),
    "vote": Named("a vote of other methods"),
    "external": Named("masks made elsewhere"),
    "command": Named("masks of another program"),
}
"""Every threshold by the name that the configuration uses."""
CLEANUP = {
    "remove_small": Named("removal of small objects"),
    "fill_holes": Named("filling of holes"),
    "opening": Named("a binary opening"),
    "closing": Named("a binary closing"),
}
"""Every step of the clean-up."""
METRICS = {
    "accuracy": Named("accuracy"),
    "precision": Named("precision"),
    "recall": Named("recall"),
    "specificity": Named("specificity"),
    "f1": Named("F1 (Dice)", ("dice1945",)),
    "iou": Named("IoU (Jaccard)", ("jaccard1912",)),
    "balanced_accuracy": Named("balanced accuracy"),
    "mcc": Named("Matthews' correlation coefficient (MCC)", ("matthews1975", "chicco2020")),
    "prevalence": Named("prevalence"),
    "cldice": Named("the centreline Dice (clDice)", ("shit2021",)),
    "nsd": Named("the normalised surface distance (NSD)", ("nikolov2021",)),
    "hd95": Named("the 95th percentile of the Hausdorff distance (HD95)", ("huttenlocher1993",)),
    "assd": Named("the average symmetric surface distance (ASSD)", ("maierhein2024",)),
    "object_precision": Named("precision of objects"),
    "object_recall": Named("recall of objects"),
    "object_f1": Named("F1 of objects"),
    "count_error": Named("the error of object counts"),
    "area_error": Named("the relative error of the area"),
}
"""Every metric by its name."""
SKELETONS = {"plane": "zhang1984", "volume": "lee1994"}
"""Sources of centrelines."""

BIBTEX = {
    "angelopoulos2023": """\
@misc{angelopoulos2023,
  author = {Angelopoulos, Anastasios N. and Duchi, John C. and Zrnic, Tijana},
  title = {{PPI++}: Efficient Prediction-Powered Inference},
  year = {2023},
  eprint = {2311.01453},
  archiveprefix = {arXiv}
}""",
    "arganda2017": """\
@article{arganda2017,
  author = {Arganda-Carreras, Ignacio and Kaynig, Verena and Rueden, Curtis and Eliceiri, Kevin W.
    and Schindelin, Johannes and Cardona, Albert and Seung, H. Sebastian},
  title = {Trainable {Weka} Segmentation: a machine learning tool for microscopy pixel
    classification},
  journal = {Bioinformatics},
  volume = {33},
  number = {15},
  pages = {2424--2426},
  year = {2017},
  doi = {10.1093/bioinformatics/btx180}
}""",
    "bradski2000": """\
@article{bradski2000,
  author = {Bradski, Gary},
  title = {The {OpenCV} Library},
  journal = {Dr. Dobb's Journal of Software Tools},
  year = {2000}
}""",
    "buades2005": """\
@inproceedings{buades2005,
  author = {Buades, Antoni and Coll, Bartomeu and Morel, Jean-Michel},
  title = {A Non-Local Algorithm for Image Denoising},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  volume = {2},
  pages = {60--65},
  year = {2005},
  doi = {10.1109/CVPR.2005.38}
}""",
    "chang2000": """\
@article{chang2000,
  author = {Chang, S. Grace and Yu, Bin and Vetterli, Martin},
  title = {Adaptive Wavelet Thresholding for Image Denoising and Compression},
  journal = {IEEE Transactions on Image Processing},
  volume = {9},
  number = {9},
  pages = {1532--1546},
  year = {2000},
  doi = {10.1109/83.862633}
}""",
    "chaudhuri1989": """\
@article{chaudhuri1989,
  author = {Chaudhuri, Subhasis and Chatterjee, Shankar and Katz, Norman and Nelson, Mark and
    Goldbaum, Michael},
  title = {Detection of Blood Vessels in Retinal Images Using Two-Dimensional Matched Filters},
  journal = {IEEE Transactions on Medical Imaging},
  volume = {8},
  number = {3},
  pages = {263--269},
  year = {1989},
  doi = {10.1109/42.34715}
}""",
    "chen2016": """\
@inproceedings{chen2016,
  author = {Chen, Tianqi and Guestrin, Carlos},
  title = {{XGBoost}: A Scalable Tree Boosting System},
  booktitle = {Proceedings of the 22nd ACM SIGKDD International Conference on Knowledge Discovery
    and Data Mining},
  pages = {785--794},
  year = {2016},
  doi = {10.1145/2939672.2939785}
}""",
    "chicco2020": """\
@article{chicco2020,
  author = {Chicco, Davide and Jurman, Giuseppe},
  title = {The advantages of the {Matthews} correlation coefficient ({MCC}) over {F1} score and
    accuracy in binary classification evaluation},
  journal = {BMC Genomics},
  volume = {21},
  pages = {6},
  year = {2020},
  doi = {10.1186/s12864-019-6413-7}
}""",
    "cohen1960": """\
@article{cohen1960,
  author = {Cohen, Jacob},
  title = {A Coefficient of Agreement for Nominal Scales},
  journal = {Educational and Psychological Measurement},
  volume = {20},
  number = {1},
  pages = {37--46},
  year = {1960},
  doi = {10.1177/001316446002000104}
}""",
    "darbon2008": """\
@inproceedings{darbon2008,
  author = {Darbon, J{\\'e}r{\\^o}me and Cunha, Alexandre and Chan, Tony F. and Osher, Stanley and
    Jensen, Grant J.},
  title = {Fast Nonlocal Filtering Applied to Electron Cryomicroscopy},
  booktitle = {IEEE International Symposium on Biomedical Imaging},
  pages = {1331--1334},
  year = {2008},
  doi = {10.1109/ISBI.2008.4541250}
}""",
    "dice1945": """\
@article{dice1945,
  author = {Dice, Lee R.},
  title = {Measures of the Amount of Ecologic Association Between Species},
  journal = {Ecology},
  volume = {26},
  number = {3},
  pages = {297--302},
  year = {1945},
  doi = {10.2307/1932409}
}""",
    "donoho1994": """\
@article{donoho1994,
  author = {Donoho, David L. and Johnstone, Iain M.},
  title = {Ideal Spatial Adaptation by Wavelet Shrinkage},
  journal = {Biometrika},
  volume = {81},
  number = {3},
  pages = {425--455},
  year = {1994},
  doi = {10.1093/biomet/81.3.425}
}""",
    "efron1993": """\
@book{efron1993,
  author = {Efron, Bradley and Tibshirani, Robert J.},
  title = {An Introduction to the Bootstrap},
  publisher = {Chapman and Hall},
  year = {1993}
}""",
    "fleiss1971": """\
@article{fleiss1971,
  author = {Fleiss, Joseph L.},
  title = {Measuring Nominal Scale Agreement Among Many Raters},
  journal = {Psychological Bulletin},
  volume = {76},
  number = {5},
  pages = {378--382},
  year = {1971},
  doi = {10.1037/h0031619}
}""",
    "frangi1998": """\
@inproceedings{frangi1998,
  author = {Frangi, Alejandro F. and Niessen, Wiro J. and Vincken, Koen L. and Viergever, Max A.},
  title = {Multiscale Vessel Enhancement Filtering},
  booktitle = {Medical Image Computing and Computer-Assisted Intervention (MICCAI)},
  pages = {130--137},
  year = {1998},
  doi = {10.1007/BFb0056195}
}""",
    "friedman2002": """\
@article{friedman2002,
  author = {Friedman, Jerome H.},
  title = {Stochastic Gradient Boosting},
  journal = {Computational Statistics \\& Data Analysis},
  volume = {38},
  number = {4},
  pages = {367--378},
  year = {2002},
  doi = {10.1016/S0167-9473(01)00065-2}
}""",
    "harris2020": """\
@article{harris2020,
  author = {Harris, Charles R. and Millman, K. Jarrod and van der Walt, St{\\'e}fan J. and others},
  title = {Array programming with {NumPy}},
  journal = {Nature},
  volume = {585},
  pages = {357--362},
  year = {2020},
  doi = {10.1038/s41586-020-2649-2}
}""",
    "holm1979": """\
@article{holm1979,
  author = {Holm, Sture},
  title = {A Simple Sequentially Rejective Multiple Test Procedure},
  journal = {Scandinavian Journal of Statistics},
  volume = {6},
  number = {2},
  pages = {65--70},
  year = {1979}
}""",
    "huttenlocher1993": """\
@article{huttenlocher1993,
  author = {Huttenlocher, Daniel P. and Klanderman, Gregory A. and Rucklidge, William J.},
  title = {Comparing Images Using the {Hausdorff} Distance},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  volume = {15},
  number = {9},
  pages = {850--863},
  year = {1993},
  doi = {10.1109/34.232073}
}""",
    "immerkaer1996": """\
@article{immerkaer1996,
  author = {Immerk{\\ae}r, John},
  title = {Fast Noise Variance Estimation},
  journal = {Computer Vision and Image Understanding},
  volume = {64},
  number = {2},
  pages = {300--302},
  year = {1996},
  doi = {10.1006/cviu.1996.0060}
}""",
    "jaccard1912": """\
@article{jaccard1912,
  author = {Jaccard, Paul},
  title = {The Distribution of the Flora in the Alpine Zone},
  journal = {New Phytologist},
  volume = {11},
  number = {2},
  pages = {37--50},
  year = {1912},
  doi = {10.1111/j.1469-8137.1912.tb05611.x}
}""",
    "lai2014": """\
@article{lai2014,
  author = {Lai, Yu-Kun and Rosin, Paul L.},
  title = {Efficient Circular Thresholding},
  journal = {IEEE Transactions on Image Processing},
  volume = {23},
  number = {3},
  pages = {992--1001},
  year = {2014},
  doi = {10.1109/TIP.2013.2297014}
}""",
    "lakshminarayanan2017": """\
@inproceedings{lakshminarayanan2017,
  author = {Lakshminarayanan, Balaji and Pritzel, Alexander and Blundell, Charles},
  title = {Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {30},
  year = {2017}
}""",
    "lee1994": """\
@article{lee1994,
  author = {Lee, Ta-Chih and Kashyap, Rangasami L. and Chu, Chong-Nam},
  title = {Building Skeleton Models via 3-{D} Medial Surface/Axis Thinning Algorithms},
  journal = {CVGIP: Graphical Models and Image Processing},
  volume = {56},
  number = {6},
  pages = {462--478},
  year = {1994},
  doi = {10.1006/cgip.1994.1042}
}""",
    "li1993": """\
@article{li1993,
  author = {Li, Chun Hung and Lee, C. K.},
  title = {Minimum Cross Entropy Thresholding},
  journal = {Pattern Recognition},
  volume = {26},
  number = {4},
  pages = {617--625},
  year = {1993},
  doi = {10.1016/0031-3203(93)90115-D}
}""",
    "li1998": """\
@article{li1998,
  author = {Li, Chun Hung and Tam, Peter Kwong-Shun},
  title = {An Iterative Algorithm for Minimum Cross Entropy Thresholding},
  journal = {Pattern Recognition Letters},
  volume = {19},
  number = {8},
  pages = {771--776},
  year = {1998},
  doi = {10.1016/S0167-8655(98)00057-9}
}""",
    "liao2001": """\
@article{liao2001,
  author = {Liao, Ping-Sung and Chen, Tse-Sheng and Chung, Pau-Choo},
  title = {A Fast Algorithm for Multilevel Thresholding},
  journal = {Journal of Information Science and Engineering},
  volume = {17},
  number = {5},
  pages = {713--727},
  year = {2001}
}""",
    "lucy1974": """\
@article{lucy1974,
  author = {Lucy, Leon B.},
  title = {An Iterative Technique for the Rectification of Observed Distributions},
  journal = {The Astronomical Journal},
  volume = {79},
  number = {6},
  pages = {745--754},
  year = {1974},
  doi = {10.1086/111605}
}""",
    "maierhein2024": """\
@article{maierhein2024,
  author = {Maier-Hein, Lena and Reinke, Annika and Godau, Patrick and others},
  title = {Metrics reloaded: recommendations for image analysis validation},
  journal = {Nature Methods},
  volume = {21},
  number = {2},
  pages = {195--212},
  year = {2024},
  doi = {10.1038/s41592-023-02151-z}
}""",
    "marr1980": """\
@article{marr1980,
  author = {Marr, David and Hildreth, Ellen},
  title = {Theory of Edge Detection},
  journal = {Proceedings of the Royal Society of London. Series B},
  volume = {207},
  number = {1167},
  pages = {187--217},
  year = {1980},
  doi = {10.1098/rspb.1980.0020}
}""",
    "matthews1975": """\
@article{matthews1975,
  author = {Matthews, Brian W.},
  title = {Comparison of the predicted and observed secondary structure of {T4} phage lysozyme},
  journal = {Biochimica et Biophysica Acta (BBA) - Protein Structure},
  volume = {405},
  number = {2},
  pages = {442--451},
  year = {1975},
  doi = {10.1016/0005-2795(75)90109-9}
}""",
    "milletari2016": """\
@inproceedings{milletari2016,
  author = {Milletari, Fausto and Navab, Nassir and Ahmadi, Seyed-Ahmad},
  title = {{V-Net}: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation},
  booktitle = {Fourth International Conference on 3D Vision},
  pages = {565--571},
  year = {2016},
  doi = {10.1109/3DV.2016.79}
}""",
    "molder2021": """\
@article{molder2021,
  author = {M{\\"o}lder, Felix and Jablonski, Kim Philipp and Letcher, Brice and others},
  title = {Sustainable data analysis with {Snakemake}},
  journal = {F1000Research},
  volume = {10},
  pages = {33},
  year = {2021},
  doi = {10.12688/f1000research.29032.2}
}""",
    "moore2021": """\
@article{moore2021,
  author = {Moore, Josh and Allan, Chris and Besson, S{\\'e}bastien and others},
  title = {{OME-NGFF}: a next-generation file format for expanding bioimaging data-access
    strategies},
  journal = {Nature Methods},
  volume = {18},
  number = {12},
  pages = {1496--1498},
  year = {2021},
  doi = {10.1038/s41592-021-01326-w}
}""",
    "moore2023": """\
@article{moore2023,
  author = {Moore, Josh and Basurto-Lozada, Daniela and Besson, S{\\'e}bastien and others},
  title = {{OME-Zarr}: a cloud-optimized bioimaging file format with international community
    support},
  journal = {Histochemistry and Cell Biology},
  volume = {160},
  number = {3},
  pages = {223--251},
  year = {2023},
  doi = {10.1007/s00418-023-02209-1}
}""",
    "nadeau2003": """\
@article{nadeau2003,
  author = {Nadeau, Claude and Bengio, Yoshua},
  title = {Inference for the Generalization Error},
  journal = {Machine Learning},
  volume = {52},
  number = {3},
  pages = {239--281},
  year = {2003},
  doi = {10.1023/A:1024068626366}
}""",
    "niblack1986": """\
@book{niblack1986,
  author = {Niblack, Wayne},
  title = {An Introduction to Digital Image Processing},
  publisher = {Prentice-Hall},
  year = {1986}
}""",
    "nikolov2021": """\
@article{nikolov2021,
  author = {Nikolov, Stanislav and Blackwell, Sam and Zverovitch, Alexei and others},
  title = {Clinically Applicable Segmentation of Head and Neck Anatomy for Radiotherapy: Deep
    Learning Algorithm Development and Validation Study},
  journal = {Journal of Medical Internet Research},
  volume = {23},
  number = {7},
  pages = {e26151},
  year = {2021},
  doi = {10.2196/26151}
}""",
    "otsu1979": """\
@article{otsu1979,
  author = {Otsu, Nobuyuki},
  title = {A Threshold Selection Method from Gray-Level Histograms},
  journal = {IEEE Transactions on Systems, Man, and Cybernetics},
  volume = {9},
  number = {1},
  pages = {62--66},
  year = {1979},
  doi = {10.1109/TSMC.1979.4310076}
}""",
    "pechpacheco2000": """\
@inproceedings{pechpacheco2000,
  author = {Pech-Pacheco, Jos{\\'e} Luis and Crist{\\'o}bal, Gabriel and Chamorro-Mart{\\'i}nez,
    Jes{\\'u}s and Fern{\\'a}ndez-Valdivia, Joaqu{\\'i}n},
  title = {Diatom Autofocusing in Brightfield Microscopy: a Comparative Study},
  booktitle = {Proceedings of the 15th International Conference on Pattern Recognition},
  volume = {3},
  pages = {314--317},
  year = {2000},
  doi = {10.1109/ICPR.2000.903548}
}""",
    "prewitt1966": """\
@article{prewitt1966,
  author = {Prewitt, Judith M. S. and Mendelsohn, Mortimer L.},
  title = {The Analysis of Cell Images},
  journal = {Annals of the New York Academy of Sciences},
  volume = {128},
  number = {3},
  pages = {1035--1053},
  year = {1966},
  doi = {10.1111/j.1749-6632.1965.tb11715.x}
}""",
    "prokhorenkova2018": """\
@inproceedings{prokhorenkova2018,
  author = {Prokhorenkova, Liudmila and Gusev, Gleb and Vorobev, Aleksandr and Dorogush, Anna
    Veronika and Gulin, Andrey},
  title = {{CatBoost}: unbiased boosting with categorical features},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {31},
  year = {2018}
}""",
    "richardson1972": """\
@article{richardson1972,
  author = {Richardson, William Hadley},
  title = {{Bayesian}-Based Iterative Method of Image Restoration},
  journal = {Journal of the Optical Society of America},
  volume = {62},
  number = {1},
  pages = {55--59},
  year = {1972},
  doi = {10.1364/JOSA.62.000055}
}""",
    "ridler1978": """\
@article{ridler1978,
  author = {Ridler, T. W. and Calvard, S.},
  title = {Picture Thresholding Using an Iterative Selection Method},
  journal = {IEEE Transactions on Systems, Man, and Cybernetics},
  volume = {8},
  number = {8},
  pages = {630--632},
  year = {1978},
  doi = {10.1109/TSMC.1978.4310039}
}""",
    "ronneberger2015": """\
@inproceedings{ronneberger2015,
  author = {Ronneberger, Olaf and Fischer, Philipp and Brox, Thomas},
  title = {{U-Net}: Convolutional Networks for Biomedical Image Segmentation},
  booktitle = {Medical Image Computing and Computer-Assisted Intervention},
  pages = {234--241},
  year = {2015},
  doi = {10.1007/978-3-319-24574-4_28}
}""",
    "ruifrok2001": """\
@article{ruifrok2001,
  author = {Ruifrok, Arnout C. and Johnston, Dennis A.},
  title = {Quantification of Histochemical Staining by Color Deconvolution},
  journal = {Analytical and Quantitative Cytology and Histology},
  volume = {23},
  number = {4},
  pages = {291--299},
  year = {2001}
}""",
    "sarndal1992": """\
@book{sarndal1992,
  author = {S{\\"a}rndal, Carl-Erik and Swensson, Bengt and Wretman, Jan},
  title = {Model Assisted Survey Sampling},
  publisher = {Springer},
  year = {1992}
}""",
    "sato1998": """\
@article{sato1998,
  author = {Sato, Yoshinobu and Nakajima, Shin and Shiraga, Nobuyuki and Atsumi, Hideki and
    Yoshida, Shigeyuki and Koller, Thomas and Gerig, Guido and Kikinis, Ron},
  title = {Three-dimensional multi-scale line filter for segmentation and visualization of
    curvilinear structures in medical images},
  journal = {Medical Image Analysis},
  volume = {2},
  number = {2},
  pages = {143--168},
  year = {1998},
  doi = {10.1016/S1361-8415(98)80009-1}
}""",
    "sauvola2000": """\
@article{sauvola2000,
  author = {Sauvola, Jaakko and Pietik{\\"a}inen, Matti},
  title = {Adaptive Document Image Binarization},
  journal = {Pattern Recognition},
  volume = {33},
  number = {2},
  pages = {225--236},
  year = {2000},
  doi = {10.1016/S0031-3203(99)00055-2}
}""",
    "shit2021": """\
@inproceedings{shit2021,
  author = {Shit, Suprosanna and Paetzold, Johannes C. and Sekuboyina, Anjany and others},
  title = {{clDice} - a Novel Topology-Preserving Loss Function for Tubular Structure Segmentation},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  pages = {16555--16564},
  year = {2021},
  doi = {10.1109/CVPR46437.2021.01629}
}""",
    "smith2019": """\
@inproceedings{smith2019,
  author = {Smith, Leslie N. and Topin, Nicholay},
  title = {Super-convergence: Very Fast Training of Neural Networks Using Large Learning Rates},
  booktitle = {Artificial Intelligence and Machine Learning for Multi-Domain Operations
    Applications},
  pages = {1100612},
  year = {2019},
  doi = {10.1117/12.2520589}
}""",
    "tomasi1998": """\
@inproceedings{tomasi1998,
  author = {Tomasi, Carlo and Manduchi, Roberto},
  title = {Bilateral Filtering for Gray and Color Images},
  booktitle = {IEEE International Conference on Computer Vision},
  pages = {839--846},
  year = {1998},
  doi = {10.1109/ICCV.1998.710815}
}""",
    "vanderwalt2014": """\
@article{vanderwalt2014,
  author = {van der Walt, St{\\'e}fan and Sch{\\"o}nberger, Johannes L. and Nunez-Iglesias, Juan and
    others},
  title = {scikit-image: image processing in {Python}},
  journal = {PeerJ},
  volume = {2},
  pages = {e453},
  year = {2014},
  doi = {10.7717/peerj.453}
}""",
    "virtanen2020": """\
@article{virtanen2020,
  author = {Virtanen, Pauli and Gommers, Ralf and Oliphant, Travis E. and others},
  title = {{SciPy} 1.0: fundamental algorithms for scientific computing in {Python}},
  journal = {Nature Methods},
  volume = {17},
  number = {3},
  pages = {261--272},
  year = {2020},
  doi = {10.1038/s41592-019-0686-2}
}""",
    "warfield2004": """\
@article{warfield2004,
  author = {Warfield, Simon K. and Zou, Kelly H. and Wells, William M.},
  title = {Simultaneous Truth and Performance Level Estimation ({STAPLE}): An Algorithm for the
    Validation of Image Segmentation},
  journal = {IEEE Transactions on Medical Imaging},
  volume = {23},
  number = {7},
  pages = {903--921},
  year = {2004},
  doi = {10.1109/TMI.2004.828354}
}""",
    "wilcoxon1945": """\
@article{wilcoxon1945,
  author = {Wilcoxon, Frank},
  title = {Individual Comparisons by Ranking Methods},
  journal = {Biometrics Bulletin},
  volume = {1},
  number = {6},
  pages = {80--83},
  year = {1945},
  doi = {10.2307/3001968}
}""",
    "yen1995": """\
@article{yen1995,
  author = {Yen, Jui-Cheng and Chang, Fu-Juay and Chang, Shyang},
  title = {A New Criterion for Automatic Multilevel Thresholding},
  journal = {IEEE Transactions on Image Processing},
  volume = {4},
  number = {3},
  pages = {370--378},
  year = {1995},
  doi = {10.1109/83.366472}
}""",
    "zack1977": """\
@article{zack1977,
  author = {Zack, Gregory W. and Rogers, William E. and Latt, Samuel A.},
  title = {Automatic Measurement of Sister Chromatid Exchange Frequency},
  journal = {Journal of Histochemistry and Cytochemistry},
  volume = {25},
  number = {7},
  pages = {741--753},
  year = {1977},
  doi = {10.1177/25.7.70454}
}""",
    "zhang1984": """\
@article{zhang1984,
  author = {Zhang, T. Y. and Suen, C. Y.},
  title = {A Fast Parallel Algorithm for Thinning Digital Patterns},
  journal = {Communications of the ACM},
  volume = {27},
  number = {3},
  pages = {236--239},
  year = {1984},
  doi = {10.1145/357994.358023}
}""",
    "zuiderveld1994": """\
@incollection{zuiderveld1994,
  author = {Zuiderveld, Karel},
  title = {Contrast Limited Adaptive Histogram Equalization},
  booktitle = {Graphics Gems IV},
  publisher = {Academic Press},
  pages = {474--485},
  year = {1994}
}""",
}
"""Every source by its key, in their order."""

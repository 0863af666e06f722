"""The jobs of rules/learn.smk: models of methods that learn from annotated tiles."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, starmap
from typing import Any

from tilewise.learn.assignment import ALL, pair_of
from tilewise.learn.drawn import number_per_tile
from tilewise.plan import paths, reads, resources, validate
from tilewise.plan.methods import Method, Variant
from tilewise.plan.reads import PixelJob
from tilewise.plan.resources import Need
from tilewise.plan.study import Study
from tilewise.segment import learned, trained, unet
from tilewise.segment.filters import chain_dtype


@dataclass(frozen=True)
class Draw(PixelJob):
    """Pixels of a block's annotated tiles, with their features."""

    names: list[str]
    """Of the features."""
    number: int
    """Of pixels of each class and tile."""
    seed: int


@cache
def draw(study: Study, stack: str, method: str, number: str, block: str) -> Draw:
    """Of one block, for a set of parameters by its number."""
    own = study.methods[method]
    variant = own.variants[int(number)]
    settings = variant.segmenter.settings
    places = study.annotated_places(stack, block, method)
    reach = learned.reach(settings)
    is_tried = all(study.is_tried(sample, variant) for sample, _ in places)
    return Draw(
        parts=reads.parts(study, places),
        pixels=reads.filtered(study, places, variant.filter, reach, is_tried=is_tried),
        dtype=study.dtype(stack),
        need=resources.draw(study, stack, variant),
        names=learned.names_of(settings, study.filter_channels(variant.filter)),
        number=number_per_tile(settings["pixels"], _annotated_tiles(study, own)),
        seed=settings["seed"],
    )


@dataclass(frozen=True)
class Windows(PixelJob):
    """Filtered pixels and truth of a block's annotated tiles."""


@cache
def windows(study: Study, stack: str, method: str, number: str, block: str) -> Windows:
    """Of one block, for a set of parameters by its number."""
    variant = study.methods[method].variants[int(number)]
    places = study.annotated_places(stack, block, method)
    is_tried = all(study.is_tried(sample, variant) for sample, _ in places)
    return Windows(
        parts=reads.parts(study, places),
        pixels=reads.filtered(study, places, variant.filter, is_tried=is_tried),
        dtype=study.dtype(stack),
        need=resources.windows(study, stack, variant),
    )


def _annotated_tiles(study: Study, method: Method) -> int:
    """Of all samples of a method; those of pieces that overlap are counted twice."""
    return sum(
        study.grids[sample].number_of_tiles(region)
        for sample in study.annotated_samples(method)
        for region in dict.fromkeys(piece.region for piece in study.samples[sample].truth)
    )


@dataclass(frozen=True)
class Gather:
    """Which model is trained without which annotated tile, and on what."""

    drawn: list[str]
    samples: list[str]
    number: int
    """Of models that are trained without some, at most."""


@cache
def gather(study: Study, method: str, number: str) -> Gather:
    """Of a set of a method's parameters, by its number."""
    own = study.methods[method]
    variant, samples = own.variants[int(number)], study.annotated_samples(own)
    names = {"method": method, "number": _drawn_number(own, variant)}
    pattern = paths.WINDOWS if _is_network(variant) else paths.DRAWN
    return Gather(
        drawn=[
            path
            for stack in dict.fromkeys(study.stack_of[name].name for name in samples)
            for path in paths.of_blocks(
                pattern, study.annotated_blocks(stack, method), stack=stack, **names
            )
        ],
        samples=samples,
        number=_number_of_models(study, variant),
    )


def _number_of_models(study: Study, variant: Variant) -> int:
    return min(int(variant.segmenter.settings["folds"]), int(study.config["decision"]["folds"]))


@dataclass(frozen=True)
class Train:
    """A model of a method."""

    drawn: list[str]
    names: list[str]
    """Of the features."""
    dtype: str
    """Of the pixels that features are computed from."""
    settings: dict[str, Any]
    margin: int
    """Pixels between spatial blocks of a tile."""
    need: Need


@cache
def train(study: Study, method: str, number: str, model: str) -> Train:
    """One model, for a set of parameters by its number."""
    own = study.methods[method]
    variant = own.variants[int(number)]
    settings = variant.segmenter.settings
    stack = study.stack_of[study.annotated_samples(own)[0]].name
    return Train(
        drawn=gather(study, method, number).drawn,
        names=learned.names_of(settings, study.filter_channels(variant.filter)),
        dtype=chain_dtype(study.steps(variant.filter, stack), study.dtype(stack)),
        settings={name: settings[name] for name in ("keep", "trees", "depth", "rate", "seed")},
        margin=study.config["validate"]["margin"],
        need=resources.train(study, variant),
    )


@dataclass(frozen=True)
class TrainNetwork:
    """A U-Net of a method."""

    windows: list[str]
    dtype: str
    """Of its pixels."""
    channels: list[str]
    """Names of theirs; none of single planes."""
    settings: dict[str, Any]
    """As of `network.Settings`."""
    margin: int
    """Pixels between spatial blocks of a tile."""
    need: Need


@cache
def train_network(study: Study, method: str, number: str, model: str) -> TrainNetwork:
    """One network, for a set of parameters by its number."""
    own = study.methods[method]
    variant = own.variants[int(number)]
    stack = study.stack_of[study.annotated_samples(own)[0]].name
    return TrainNetwork(
        windows=gather(study, method, number).drawn,
        dtype=chain_dtype(study.steps(variant.filter, stack), study.dtype(stack)),
        channels=study.filter_channels(variant.filter),
        settings=vars(unet.settings_of(variant.segmenter.settings)),
        margin=study.config["validate"]["margin"],
        need=resources.train_network(study, stack, variant, _annotated_tiles(study, own)),
    )


def _is_network(variant: Variant) -> bool:
    return variant.segmenter.threshold == unet.NAME


def check(study: Study, *, has_environments: bool) -> None:
    """Check that PyTorch is there, unless jobs have environments of their own."""
    if has_environments or unet.is_installed():
        return
    for name, method in study.methods.items():
        if any(map(_is_network, method.variants)):
            raise ValueError(
                f"methods.{name}: unet needs PyTorch, which is not installed: run `pip install "
                "--requirement envs/requirements-unet.txt`, or give Snakemake "
                "`--software-deployment-method conda`"
            )


def needs_network(study: Study, methods: Iterable[str]) -> bool:
    """Whether masks of some methods may be by a U-Net, whatever is chosen."""
    voters = [one for name in study.methods for _, one in study.voters(name)]
    for method in methods:
        variants = study.candidates(method)
        if any(map(_is_network, variants)):
            return True
        if any(one.segmenter.is_vote for one in variants) and any(map(_is_network, voters)):
            return True
    return False


def _drawn_number(method: Method, variant: Variant) -> int:
    """The first set of parameters for which the same pixels are drawn."""

    def drawing(one: Variant) -> tuple[Any, ...]:
        kind, settings = one.segmenter.threshold, one.segmenter.settings
        names = trained.KINDS[kind].of_drawing if one.segmenter.is_classifier else ()
        return one.filter, kind, *(str(settings[name]) for name in names)

    return [drawing(one) for one in method.variants].index(drawing(variant))


@dataclass(frozen=True)
class ModelFiles:
    """Models that a job applies."""

    files: list[str]
    names: list[tuple[str, str]]
    """Of each: the set of parameters, by a name, and the model."""
    assigned: list[str]
    """Tables that say which model predicts an annotated tile; see `learned.read_models`."""


def models(
    study: Study,
    variants: Iterable[tuple[str, str, Variant]],
    *,
    is_tried: bool,
    chooses: bool = False,
) -> ModelFiles:
    """Models of sets of parameters: each with a name for it, its method and itself.

    Where methods are tried, annotated tiles are predicted by models that were trained without them;
    where it `chooses` among sets, also by those that were trained without each pair of folds.
    """
    files, names, assigned = [], [], []
    for name, method, variant in variants:
        if not variant.is_learned:
            continue
        number = study.methods[method].variants.index(variant)
        numbered: dict[str, Any] = {"method": method, "number": number}
        others = range(_number_of_models(study, variant) if is_tried else 0)
        has_pairs = chooses and variant.is_nested and len(others) > 2
        pairs = combinations(map(str, others), 2) if has_pairs else ()
        for model in (ALL, *map(str, others), *starmap(pair_of, pairs)):
            files.append(_model_file(variant, **numbered, model=model))
            names.append((name, model))
        if is_tried:
            assigned.append(paths.ASSIGNED.format(**numbered))
    return ModelFiles(files, names, assigned)


def _model_file(variant: Variant, **names: Any) -> str:
    return (paths.NETWORK if _is_network(variant) else paths.MODEL).format(**names)


def chosen_model(study: Study, method: str, variant: str) -> str:
    """The model of a method's set of parameters, by its name, that is trained on all tiles."""
    own = study.methods[method]
    known = own.variant(variant)
    return _model_file(known, method=method, number=own.variants.index(known), model=ALL)


def applied_models(study: Study) -> list[str]:
    """The models of methods that learn, as results."""
    return [
        paths.APPLIED_MODEL.format(method=name)
        for name, method in study.methods.items()
        if method.is_learned
    ]


def learning_curves(study: Study) -> list[str]:
    """Scores by number of units, of each of `with_learning_curve`."""
    return [paths.LEARNING_CURVE.format(method=name) for name in with_learning_curve(study)]


def with_learning_curve(study: Study) -> list[str]:
    """Methods that are asked for one."""
    return [
        name
        for name, method in study.methods.items()
        if any(
            one.is_learned and one.segmenter.settings.get("learning_curve")
            for one in method.variants
        )
    ]


@cache
def learning_curve_need(study: Study, method: str) -> Need:
    """Of some tens of models, most of them on few units, one after the other."""
    needs = [resources.train(study, one) for one in study.methods[method].variants]
    most = max(needs, key=lambda need: need.memory)
    return replace(most, runtime=20 * max(need.runtime for need in needs))


def pixel_sizes(study: Study, method: str) -> list[list[float | None] | None]:
    """Those of the annotated samples of a method, each once."""
    sizes: list[list[float | None] | None] = []
    for sample in study.annotated_samples(study.methods[method]):
        size = validate.pixel_size(study, sample)
        if size not in sizes:
            sizes.append(size)
    return sizes

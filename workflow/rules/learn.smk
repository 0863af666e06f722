"""Methods that learn: pixels are taken from annotated tiles, block by block, and models trained on them."""


rule draw:
    """Features of a few pixels of each class, of a block's annotated tiles."""
    input:
        pixels=lambda w: learn.draw(STUDY, **w).pixels.files,
        rois=lambda w: learn.draw(STUDY, **w).pixels.rois,
        colors=lambda w: learn.draw(STUDY, **w).pixels.colors,
        sources=lambda w: learn.draw(STUDY, **w).pixels.sources,
        own=lambda w: list(map(local, learn.draw(STUDY, **w).pixels.own_files)),
        truth="results/{stack}/image.zarr/labels/truth/0/c/{block}",
        code=get_code("draw"),
    output:
        drawn="results/{stack}/{method}/drawn/{number}/{block}.npz",
    log:
        "logs/{stack}/{method}/drawn/{number}/{block}.log",
    benchmark:
        "benchmarks/{stack}/{method}/drawn/{number}/{block}.tsv"
    params:
        parts=lambda w: learn.draw(STUDY, **w).parts,
        steps=lambda w: learn.draw(STUDY, **w).pixels.steps,
        blocks=lambda w: learn.draw(STUDY, **w).pixels.blocks,
        arrays=lambda w: learn.draw(STUDY, **w).pixels.arrays,
        codec=lambda w: learn.draw(STUDY, **w).pixels.codec,
        dtype=lambda w: learn.draw(STUDY, **w).dtype,
        names=lambda w: learn.draw(STUDY, **w).names,
        number=lambda w: learn.draw(STUDY, **w).number,
        seed=lambda w: learn.draw(STUDY, **w).seed,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: learn.draw(STUDY, **w).need.group
    priority: 3
    threads: lambda w: learn.draw(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: learn.draw(STUDY, **w).need),
    script:
        "../../scripts/draw.py"


rule windows:
    """Filtered pixels and truth of a block's annotated tiles: what a U-Net is trained on."""
    input:
        pixels=lambda w: learn.windows(STUDY, **w).pixels.files,
        rois=lambda w: learn.windows(STUDY, **w).pixels.rois,
        colors=lambda w: learn.windows(STUDY, **w).pixels.colors,
        sources=lambda w: learn.windows(STUDY, **w).pixels.sources,
        own=lambda w: list(map(local, learn.windows(STUDY, **w).pixels.own_files)),
        truth="results/{stack}/image.zarr/labels/truth/0/c/{block}",
        code=get_code("windows"),
    output:
        windows="results/{stack}/{method}/windows/{number}/{block}.npz",
    log:
        "logs/{stack}/{method}/windows/{number}/{block}.log",
    benchmark:
        "benchmarks/{stack}/{method}/windows/{number}/{block}.tsv"
    params:
        parts=lambda w: learn.windows(STUDY, **w).parts,
        steps=lambda w: learn.windows(STUDY, **w).pixels.steps,
        blocks=lambda w: learn.windows(STUDY, **w).pixels.blocks,
        arrays=lambda w: learn.windows(STUDY, **w).pixels.arrays,
        codec=lambda w: learn.windows(STUDY, **w).pixels.codec,
        dtype=lambda w: learn.windows(STUDY, **w).dtype,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: learn.windows(STUDY, **w).need.group
    priority: 3
    threads: lambda w: learn.windows(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: learn.windows(STUDY, **w).need),
    script:
        "../../scripts/windows.py"


checkpoint gather:
    """Which model is trained without which annotated tile, and a checksum of all pixels that were drawn.

    Models depend on that alone: what is drawn again and stays the same trains nothing again."""
    input:
        drawn=lambda w: learn.gather(STUDY, **w).drawn,
        folds="results/folds.tsv",
        code=get_code("gather"),
    output:
        places="results/models/{method}/{number}/places.tsv",
        pixels="results/models/{method}/{number}/pixels.json",
    log:
        "logs/models/{method}/{number}/pixels.log",
    params:
        samples=lambda w: learn.gather(STUDY, **w).samples,
        number=lambda w: learn.gather(STUDY, **w).number,
    conda:
        "../../envs/tilewise.yaml"
    priority: 4
    localrule: True
    script:
        "../../scripts/gather.py"


rule train:
    """A model of a method with a set of its parameters: on all annotated tiles, or without some of them."""
    input:
        drawn=lambda w: list(map(ancient, learn.train(STUDY, **w).drawn)),
        places=ancient("results/models/{method}/{number}/places.tsv"),
        pixels=lambda w: get_pixels_file(w.method, w.number),
        code=get_code("train"),
    output:
        model="results/models/{method}/{number}/{model}.npz",
        card="results/models/{method}/{number}/{model}.json",
    log:
        "logs/models/{method}/{number}/{model}.log",
    benchmark:
        "benchmarks/models/{method}/{number}/{model}.tsv"
    params:
        names=lambda w: learn.train(STUDY, **w).names,
        dtype=lambda w: learn.train(STUDY, **w).dtype,
        settings=lambda w: learn.train(STUDY, **w).settings,
        margin=lambda w: learn.train(STUDY, **w).margin,
        metric=config["decision"]["metric"],
        pixels=lambda w: get_pixels(w.method, w.number),
    conda:
        "../../envs/tilewise.yaml"
    priority: 4
    resources:
        **resources.of_attempts(lambda w: learn.train(STUDY, **w).need),
    script:
        "../../scripts/train.py"


rule train_network:
    """A U-Net of a method with a set of its parameters: on all annotated tiles, or without some of them.

    While it is trained, what a training that is interrupted goes on from lies beside it."""
    input:
        windows=lambda w: list(map(ancient, learn.train_network(STUDY, **w).windows)),
        places=ancient("results/models/{method}/{number}/places.tsv"),
        pixels=lambda w: get_pixels_file(w.method, w.number),
        code=get_code("train_network"),
    output:
        model="results/models/{method}/{number}/unet-{model}.npz",
        card="results/models/{method}/{number}/unet-{model}.json",
    log:
        "logs/models/{method}/{number}/unet-{model}.log",
    benchmark:
        "benchmarks/models/{method}/{number}/unet-{model}.tsv"
    params:
        dtype=lambda w: learn.train_network(STUDY, **w).dtype,
        channels=lambda w: learn.train_network(STUDY, **w).channels,
        settings=lambda w: learn.train_network(STUDY, **w).settings,
        margin=lambda w: learn.train_network(STUDY, **w).margin,
        metric=config["decision"]["metric"],
        pixels=lambda w: get_pixels(w.method, w.number),
    conda:
        "../../envs/unet.yaml"
    priority: 4
    resources:
        **resources.of_attempts(lambda w: learn.train_network(STUDY, **w).need),
    script:
        "../../scripts/train_network.py"


rule model:
    """The model that a method applies, of the parameters that annotated tiles chose, and its card."""
    input:
        model=lambda w: get_chosen_model(w.method, "npz"),
        card=lambda w: get_chosen_model(w.method, "json"),
        sweep="results/sweeps/{method}/sweep.tsv",
        code=get_code("model"),
    output:
        model="results/models/{method}.npz",
        card="results/models/{method}.json",
    log:
        "logs/models/{method}.log",
    params:
        method=lambda w: w.method,
        variant=lambda w: get_choice(w.method).variant,
        kind=lambda w: get_variants(get_choice(w.method))[0].segmenter.threshold,
        pixel_sizes=lambda w: learn.pixel_sizes(STUDY, w.method),
    conda:
        "../../envs/tilewise.yaml"
    localrule: True
    script:
        "../../scripts/model.py"


rule learning_curve:
    """The score of a method by the number of units it is trained on, on drawn pixels of other units."""
    input:
        drawn=lambda w: list(map(ancient, get_training(w.method).drawn)),
        places=lambda w: ancient(
            f"results/models/{w.method}/{get_chosen_number(w.method)}/places.tsv"
        ),
        pixels=lambda w: get_pixels_file(w.method, get_chosen_number(w.method)),
        code=get_code("learning_curve"),
    output:
        curve="results/models/{method}/learning_curve.tsv",
    log:
        "logs/models/{method}/learning_curve.log",
    benchmark:
        "benchmarks/models/{method}/learning_curve.tsv"
    params:
        names=lambda w: get_training(w.method).names,
        dtype=lambda w: get_training(w.method).dtype,
        settings=lambda w: get_training(w.method).settings,
        margin=lambda w: get_training(w.method).margin,
        metric=config["decision"]["metric"],
        pixels=lambda w: get_pixels(w.method, get_chosen_number(w.method)),
    conda:
        "../../envs/tilewise.yaml"
    resources:
        **resources.of_attempts(lambda w: learn.learning_curve_need(STUDY, w.method)),
    script:
        "../../scripts/learning_curve.py"

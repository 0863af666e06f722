"""Decide what tiles of a sample get that have no clear threshold of their own."""

import json
from pathlib import Path

from tilewise import job
from tilewise.segment import sample_histogram
from tilewise.segment.outcomes import asks_sample, outcome_of
from tilewise.segment.segmenters import Segmenter

job.start(snakemake)
given, params = snakemake.input, snakemake.params
blocks, outcomes = params.blocks, {}
for number, source in enumerate(params.filters):
    paths = given.histograms[number * len(blocks) : (number + 1) * len(blocks)]
    histograms = list(map(sample_histogram.read, paths))
    whole = sample_histogram.merge(histograms)
    for variant in params.variants:
        if variant["filter"] == source:
            segmenter = Segmenter(**variant["segmenter"])
            asking = [
                block
                for block, own in zip(blocks, histograms, strict=True)
                if asks_sample(own, segmenter)
            ]
            outcome = outcome_of(whole, segmenter).to_json()
            outcomes[variant["name"]] = {"outcome": outcome, "blocks": asking}
text = json.dumps(outcomes, indent=1)
Path(snakemake.output.outcomes).write_text(f"{text}\n", encoding="utf-8")

"""What the plan knows could mislead, before any pixel is read."""

from studies import imagined_sample, study_of, with_defaults

from tilewise.plan import doubts


def studied(*truths, **settings):
    """A study of samples, of each the planes that its annotators have traced."""
    samples = [
        imagined_sample(name, truth=own) for name, own in zip("abcdef", truths, strict=False)
    ]
    methods = {"otsu": {"threshold": "otsu"}}
    return study_of(samples, with_defaults({"methods": methods} | settings))


def test_two_annotators_are_too_few_for_staple():
    study = studied([[0], [0]], [[0], [0], [0]], [0])
    (doubt,) = doubts.warnings(study).doubts
    assert (doubt.code, doubt.sample) == ("two_annotators", "a")
    assert doubt.message.startswith("two annotators traced a, and STAPLE needs three")
    (doubt,) = doubts.warnings(studied(*[[[0], [0]]] * 4)).doubts
    assert doubt.message.startswith("two annotators traced a, b, c, ..., and")
    assert doubts.warnings(studied([[0], [0]], truth={"consensus": "majority"})).doubts == []


def test_images_of_annotated_samples_are_told_apart():
    known = doubts.warnings(studied([0], (), [0]))
    assert known.traced == [("a", "a.tif", ""), ("c", "c.tif", "")]
    assert known.images == [f"results/{name}/made_from/image/0/0/0.json" for name in "ac"]

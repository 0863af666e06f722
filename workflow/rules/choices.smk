"""What checkpoints chose, for the jobs that wait for it."""

from itertools import chain

from tilewise.tables import damage


@cache
def read_choice(file):
    """What a checkpoint chose; kept, since the copy of a file in object storage goes again."""
    with file.open() as text:
        try:
            return dict(json.load(text))
        except (TypeError, ValueError):
            raise WorkflowError(str(damage(file))) from None


def get_method(method):
    """The method itself, or the one that was decided on."""
    if method != SEGMENTATION:
        return method
    if STUDY.apply != "best":
        return STUDY.apply
    if len(STUDY.methods) == 1:
        return next(iter(STUDY.methods))
    file = checkpoints.decide.get().output.choice
    chosen = read_choice(file).get("method")
    if chosen not in STUDY.methods:
        raise WorkflowError(str(damage(file)))
    return chosen


def get_choice(method):
    """What segments, once annotated tiles have chosen it."""
    name = get_method(method)
    if name not in STUDY.swept:
        return Choice(name)
    chosen = read_choice(checkpoints.choose.get(method=name).output.choice)
    calibration = chosen.get("calibration")
    return Choice(name, chosen["variant"], calibration and tuple(calibration.items()))


def get_choice_files(method):
    """Files of the checkpoints that a mask waits for.

    Only what they choose makes it new, not their time; which is safe for outputs of checkpoints.
    """
    return list(map(ancient, segment.choice_files(STUDY, method, get_choice(method))))


def get_threshold(wildcards):
    """The job of a mask, by what was chosen."""
    return segment.threshold(STUDY, **wildcards, choice=get_choice(wildcards.method))


def get_pixels(method, number):
    """What says which pixels a model is trained on, once they are drawn."""
    return read_choice(checkpoints.gather.get(method=method, number=number).output.pixels)


def get_pixels_file(method, number):
    """Its file; as `get_guard_files`."""
    get_pixels(method, number)
    return ancient(checkpoints.gather.get(method=method, number=number).output.pixels)


def get_chosen_number(method):
    """The number of the chosen set of parameters."""
    own = STUDY.methods[method]
    return str(own.variants.index(own.variant(get_choice(method).variant)))


def get_chosen_model(method, kind):
    """The model of the chosen set of parameters, or its card."""
    model = learn.chosen_model(STUDY, method, get_choice(method).variant)
    return model.removesuffix("npz") + kind


def get_training(method):
    """How it is trained."""
    return learn.train(STUDY, method, get_chosen_number(method), "all")


def get_guard(stack, method):
    """What tiles of a sample of several blocks get that have no clear threshold, once all are filtered."""
    return checkpoints.guard.get(stack=stack, method=method).output.outcomes


def get_guard_files(stack, method, variants):
    """Its file, where any set of parameters waits for the sample; as `get_choice_files`."""
    if not segment.waiting(STUDY, stack, variants):
        return []
    file = get_guard(stack, method)
    # from object storage, files are fetched for inputs alone: params read it later
    read_choice(file)
    return [ancient(file)]


def get_outcomes(stack, block, method, variants):
    """What masks of a block use of it, by the name of the set of parameters."""
    if not segment.waiting(STUDY, stack, variants):
        return {}
    known = read_choice(get_guard(stack, method))
    return segment.outcomes(STUDY, stack, block, variants, known)


def get_variants(choice):
    """The set of parameters that was chosen."""
    return [STUDY.methods[choice.method].variant(choice.variant)]


def get_mask_guard(wildcards):
    """Files of the guard that a mask waits for, if any: of a vote, those of all that it counts."""
    choice = get_choice(wildcards.method)
    voters = [(name, [one]) for name, one in STUDY.voters(choice.method)]
    makers = voters or [(choice.method, get_variants(choice))]
    return [*chain.from_iterable(get_guard_files(wildcards.stack, *one) for one in makers)]


def get_mask_outcome(wildcards):
    """What a mask uses of it; None if nothing."""
    choice = get_choice(wildcards.method)
    used = get_outcomes(wildcards.stack, wildcards.block, choice.method, get_variants(choice))
    return used.get(choice.variant)


def get_vote_outcomes(wildcards):
    """The same of the methods that a vote counts, by their names."""
    own = {
        name: get_outcomes(wildcards.stack, wildcards.block, name, [one])
        for name, one in STUDY.voters(get_choice(wildcards.method).method)
    }
    return {name: outcome for name, used in own.items() for outcome in used.values()}


def get_survey(wildcards):
    """The job of a survey, by what was chosen for each method."""
    methods = quality.survey_methods(STUDY, **wildcards)
    return quality.survey(STUDY, **wildcards, choices=tuple(map(get_choice, methods)))


def get_survey_choices(wildcards):
    """Files of the checkpoints that a survey waits for."""
    methods = quality.survey_methods(STUDY, **wildcards)
    choices = list(map(get_choice, methods))
    guards = (get_guard_files(wildcards.stack, c.method, get_variants(c)) for c in choices)
    return [*chain.from_iterable(map(get_choice_files, methods)), *chain.from_iterable(guards)]


def get_survey_outcomes(wildcards):
    """Outcomes of a sample of several blocks, by method."""
    # all of them before any guard, as for the inputs
    choices = list(map(get_choice, quality.survey_methods(STUDY, **wildcards)))
    own = {
        c.method: get_outcomes(wildcards.stack, wildcards.block, c.method, get_variants(c))
        for c in choices
    }
    return {method: outcome for method, used in own.items() for outcome in used.values()}


def get_provenance(wildcards):
    """The job; masks made elsewhere are read where the method is applied that was decided on."""
    is_chosen = STUDY.applied and STUDY.arrays
    return provenance.provenance(STUDY, get_choice(SEGMENTATION) if is_chosen else None)


def get_costs(wildcards):
    """The table of costs, by what was chosen for each method."""
    methods = report_jobs.cost_methods(STUDY)
    return report_jobs.costs(STUDY, tuple(map(get_choice, methods)))


def get_figures(wildcards):
    """The job of the figures, by what was chosen for each method."""
    return report_jobs.figures(STUDY, tuple(map(get_choice, FIGURE_METHODS)))


def get_report_tiles(wildcards):
    """The job of the pictures of tiles, by what was chosen for each method, and for all samples."""
    choices = tuple(map(get_choice, report_tiles.shown_methods(STUDY)))
    applied = get_choice(SEGMENTATION) if STUDY.applied else None
    return report_tiles.report_tiles(STUDY, choices, applied)


def get_compared_choices(wildcards):
    """Files of the checkpoints that what the report says of methods waits for."""
    return [*chain.from_iterable(map(get_choice_files, COMPARED))]


def get_facts(wildcards):
    """What the report is told of the study, by what was chosen for each method."""
    return definitions.facts(STUDY, tuple(map(get_choice, COMPARED)))


def get_methods_facts(wildcards):
    """What its methods text is told."""
    return methods_facts.facts(STUDY, tuple(map(get_choice, COMPARED)))

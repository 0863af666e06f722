"""Files of the user: where they are, and whether they have changed."""


def get_file(name):
    """A file that the sheet names: on this machine, in object storage, or made by a rule."""
    if "://" in name:
        return storage(name)
    return name if name.startswith("results/sources/") else local(name)


@cache
def is_made(name):
    """Whether a rule makes a file."""
    return any(rule.is_producer(name) for rule in workflow.rules)


def get_sources(job):
    """Files of the user: once they are recorded, their revision tells whether they have changed."""
    is_recorded = os.path.exists(job.record)
    return [
        ancient(get_file(name)) if is_recorded and not is_made(name) else get_file(name)
        for name in job.files
    ]

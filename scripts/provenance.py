"""Write what the results were made from."""

import json
from pathlib import Path

from tilewise import job, provenance

job.start(snakemake)
given, params = snakemake.input, snakemake.params


def records(paths):
    """What jobs have recorded of the files that they read."""
    return (json.loads(Path(path).read_text(encoding="utf-8")) for path in paths)


kinds = {"images": given.images, "truths": given.truths, "rois": given.rois}
kinds["external"] = given.externals
found = {
    "format": 1,
    "configuration": params.configuration,
    "sheet": provenance.of_file(given.sheet),
    # the first is the workflow's own Snakefile, at the root of the code
    "code": provenance.of_code(given.code, Path(given.code[0]).parent),
    "inputs": {
        kind: provenance.of_inputs(records(paths)) for kind, paths in kinds.items() if paths
    },
    "files": provenance.of_files(given.files, params.users),
    "programs": params.programs,
    "versions": provenance.versions(Path(given.requirements).read_text(encoding="utf-8")),
}
text = json.dumps(found, indent=1)
Path(snakemake.output.provenance).write_text(f"{text}\n", encoding="utf-8")

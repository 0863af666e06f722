"""A Workflow Run RO-Crate of results: `ro-crate-metadata.json`, which archives and catalogues read.

It follows RO-Crate 1.1 and the profiles Process, Workflow and Workflow Run Crate 0.5, and describes
what is in the folder of results: tables, pages, models, folders of pictures, and the roots of
OME-Zarr images, not their shards. Beside it, `workflow/` has the main file of the workflow, the
configuration with all defaults and the sample sheet, so that a folder that is moved says what it
was made by. What was read is named by its checksums; it is not copied.
"""

import json
import os
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

METADATA = "ro-crate-metadata.json"
WORKFLOW = "workflow"
"""The folder with what the results were made by."""
LISTED = 1000
"""So many stacks are described one by one; `stacks.tsv` names them all."""
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
"""What RO-Crate 1.1 has no word for."""
NGFF = "https://ngff.openmicroscopy.org/0.5/"
FORMATS = {
    **{".tsv": "text/tab-separated-values", ".json": "application/json", ".md": "text/markdown"},
    **{".html": "text/html", ".js": "text/javascript", ".yaml": "application/yaml"},
    ".csv": "text/csv",
}
FILES = {
    "report.html": "The answer, the methods and their tiles on one page",
    "decision.md": "Which method to use, what to expect of it, and how sure that is",
    "decision.json": "The decision for programs",
    "warnings.tsv": "What could mislead in the results",
    "ranking.tsv": "Methods by every metric, with paired differences, intervals and tests",
    "scores.tsv": "Scores of methods, held out or fixed, beside reference scores",
    "units.tsv": "Scores of methods on each independent unit",
    "metrics.tsv": "Confusion matrix and metrics of each annotated tile",
    "summary.tsv": "Metrics of each sample and method",
    "quantities.tsv": "Fraction of foreground of each sample and group",
    "folds.tsv": "Unit and fold of every annotated tile",
    "errors.tsv": "Errors by calibre, by distance to the boundary and by quality",
    "costs.tsv": "What each method costs",
    "stacks.tsv": "Where each sample is",
    "provenance.json": "Checksums and versions of what the results were made from",
    "checksums.tsv": "Checksums of the results",
    "run.js": "Command, times and cost of the last run",
}
FOLDERS = {
    "figures": "Figures for papers",
    "masks": "The decided method's masks as image files",
    "models": "Trained models, with their cards",
    "report": "Tiles that the report shows",
    "sweeps": "Scores of the tried parameters",
}
IMAGES = {
    "image.zarr": "The image, with truth, masks and errors as labels",
    "color.zarr": "The image in colour",
    "channels/*.zarr": "A channel of the image",
    "probability/*.zarr": "How probable foreground is",
    "external/*.zarr": "Masks made elsewhere",
}


def write(
    results: Path,
    code: Path,
    config: Mapping[str, Any],
    sheet: Path,
    stacks: Iterable[str],
    run: Mapping[str, Any],
) -> None:
    """Describe a folder of results whose run has ended well.

    Parameters
    ----------
    code
        Folder of the workflow, with its Snakefile.
    config
        With all defaults.
    sheet
        The sample sheet; one that is not on this machine is passed over.
    stacks
        Names of the folders with images.
    run
        As `plan.run_record.record` returns it.

    Raises
    ------
    ImportError
        If `rocrate` is not installed.
    OSError
        If the folder cannot be written to.
    """
    from rocrate.rocrate import ROCrate

    made_by = _copy(results, code, config, sheet)
    provenance = json.loads((results / "provenance.json").read_text(encoding="utf-8"))
    with warnings.catch_warnings():
        # the files are there already, and are not to be copied
        warnings.simplefilter("ignore")
        crate = ROCrate(version="1.1")
        crate.metadata.extra_terms.update(TERMS)
        _describe(crate, config, run)
        main = _workflow(crate, provenance, run)
        read = [_file(crate, results, path, text) for path, text in made_by.items()]
        read += [_input(crate, *one) for one in _inputs(provenance)]
        made = [_file(crate, results, path, text) for path, text in _tables(results)]
        made += [_folder(crate, *one) for one in _folders(results, stacks)]
        action = crate.add_action(
            main,
            "#run",
            object=read,
            result=made,
            properties={
                "name": "Run of tilewise",
                "description": run["command"],
                "startTime": run["started"],
                "endTime": run["finished"],
                "actionStatus": "http://schema.org/CompletedActionStatus",
            },
        )
        crate.root_dataset["mentions"] = action
        text = json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False)
    # who reads it never sees half of it
    new = results / f".{METADATA}.new"
    new.write_text(f"{text}\n", encoding="utf-8")
    os.replace(new, results / METADATA)


def _copy(results: Path, code: Path, config: Mapping[str, Any], sheet: Path) -> dict[str, str]:
    """What results were made by, and a description of each file but the workflow itself."""
    folder = results / WORKFLOW
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    shutil.copyfile(code / "Snakefile", folder / "Snakefile")
    text = yaml.safe_dump(json.loads(json.dumps(config)), sort_keys=False, allow_unicode=True)
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    copied = {f"{WORKFLOW}/config.yaml": "The configuration, with all defaults"}
    if sheet.is_file():
        name = sheet.name
        shutil.copyfile(sheet, folder / name)
        copied[f"{WORKFLOW}/{name}"] = "The sample sheet"
    return copied


def _describe(crate, config, run):
    """The folder as a whole."""
    root = crate.root_dataset
    root["name"] = config["title"] or "Results of tilewise"
    root["description"] = config["description"] or (
        "Segmentation of microscopy, tile by tile, validated against ground truth"
    )
    root["datePublished"] = run["finished"]
    root["license"] = crate.add_jsonld(_license(config["license"]))
    root["conformsTo"] = [
        crate.add_jsonld(
            {"@id": uri, "@type": "CreativeWork", "name": name, "version": uri.rpartition("/")[2]}
        )
        for uri, name in PROFILES.items()
    ]
    own = crate.metadata["conformsTo"]
    crate.metadata["conformsTo"] = [own, {"@id": list(PROFILES)[-1]}]


def _license(name: str) -> dict[str, str]:
    """An address as it is, an SPDX name by its address there."""
    own = {"@type": "CreativeWork", "name": name or "Not declared"}
    if not name:
        return own | {
            "@id": "#license",
            "description": "Ask the authors (`license: ` declares one)",
        }
    return own | {"@id": name if "://" in name else f"https://spdx.org/licenses/{quote(name)}"}


def _workflow(crate, provenance, run):
    """The main entity."""
    versions = provenance["versions"]
    return crate.add_workflow(
        dest_path=f"{WORKFLOW}/Snakefile",
        main=True,
        lang="snakemake",
        lang_version=versions["snakemake"],
        properties={
            "name": "tilewise",
            "description": "Segment tiled microscopy, validate it against ground truth, decide on "
            "a method, and run it on everything",
            "license": "MIT",
            "version": run["commit"] or provenance["code"],
            "identifier": f"SHA-256 of all code: {provenance['code']}",
            "encodingFormat": "text/plain",
            "softwareRequirements": ", ".join(f"{name} {own}" for name, own in versions.items()),
        },
    )


def _inputs(provenance: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind, and properties, of what was read: each file, or of many files one collection."""
    for kind, found in provenance["inputs"].items():
        for one in found.get("listed", ()):
            last = one["first"] + one["planes"] - 1
            planes = f"plane {one['first']}" + (f" to {last}" if last > one["first"] else "")
            crc = f"CRC-32C of {planes}: {one['crc32c']}"
            yield kind, {"@type": "CreativeWork", "name": one["file"], "identifier": crc}
        if "listed" not in found:
            name = f"{found['planes']} planes of {found['files']} files: {kind}"
            identifier = f"SHA-256 of their checksums: {found['sha256']}"
            yield kind, {"@type": "Collection", "name": name, "identifier": identifier}
    for one in provenance["files"]:
        users = f"Used by {', '.join(one['methods'])}"
        own = {"name": one["file"], "sha256": one["sha256"], "description": users}
        yield "files", {"@type": "CreativeWork", **own}


def _input(crate, kind, properties):
    number = sum(1 for _ in crate.get_entities())
    return crate.add_jsonld({"@id": f"#{kind}-{number}", **properties})


def _tables(results: Path) -> Iterator[tuple[str, str]]:
    """Files in the folder itself, and what they are."""
    for path in sorted(results.iterdir()):
        if path.is_file() and not path.name.startswith(".") and path.name != METADATA:
            yield path.name, FILES.get(path.name, "")


def _folders(results: Path, stacks: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Folders of many files, and roots of OME-Zarr images; with what they are."""
    for name, text in FOLDERS.items():
        if (results / name).is_dir():
            yield f"{name}/", {"name": name, "description": text}
    for stack in list(stacks)[:LISTED]:
        for pattern, text in IMAGES.items():
            for path in sorted((results / stack).glob(pattern)):
                name = path.relative_to(results).as_posix()
                format_ = {
                    "encodingFormat": "application/vnd+zarr",
                    "conformsTo": {"@id": NGFF},
                }
                yield f"{name}/", {"name": name, "description": text, **format_}


def _file(crate, results, path, text):
    properties = {"name": path, "contentSize": str((results / path).stat().st_size)}
    if format_ := FORMATS.get(Path(path).suffix):
        properties["encodingFormat"] = format_
    if text:
        properties["description"] = text
    return crate.add_file(dest_path=path, properties=properties)


def _folder(crate, path, properties):
    return crate.add_dataset(dest_path=path, properties=properties)

"""Take a published file from a folder or from its address, and check it."""

import hashlib
import logging
import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path

from tilewise import job

job.start(snakemake)
settings = snakemake.params.settings
target, name = Path(snakemake.output.file), Path(snakemake.place_of(snakemake.output.file)).name
variable = settings["environment"]
folder = os.environ.get(variable, "") if variable else ""
remedy = f"set {variable} to a folder that holds {name}" if variable else "get it by hand"

if folder:
    source = Path(folder, name)
    if not source.is_file():
        raise ValueError(f"{source} does not exist: correct {variable}, or unset it to download")
    shutil.copyfile(source, target)
else:
    source = settings["url"]
    logging.info("downloading %s", source)
    try:
        with urllib.request.urlopen(source, timeout=60) as answer, target.open("wb") as file:
            shutil.copyfileobj(answer, file)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise ValueError(
            f"{source} cannot be downloaded ({error}): go online, or {remedy}"
        ) from None

with target.open("rb") as file:
    digest = hashlib.file_digest(file, "sha256").hexdigest()
if digest != settings["sha256"]:
    target.unlink()
    raise ValueError(
        f"{source} has SHA-256 {digest}, not {settings['sha256']}: "
        f"it is not the published file; {remedy}"
    )

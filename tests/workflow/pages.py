"""What the report holds."""

import base64
import gzip
import io
import json
import re

import jsonschema
import numpy as np
from PIL import Image
from projects import ROOT

SCHEMA = ROOT / "workflow/schemas/report.schema.json"


def report_data(project):
    """The data of a project's report."""
    return data_in((project.results / "report.html").read_text())


def data_in(html):
    """The data of a report, which keep their schema."""
    packed = re.search(r'<script type="application/gzip" id="data">([^<]*)</script>', html)[1]
    data = json.loads(gzip.decompress(base64.b64decode(packed)))
    jsonschema.validate(data, json.loads(SCHEMA.read_text()))
    return data


def pack_of(path):
    """The pack in a script; None where there is none."""
    script = re.fullmatch(r"tilewise_pack\((\d+), (.*)\);\n", path.read_text())
    assert path.name == f"pack_{int(script[1]):04d}.js"
    return json.loads(script[2])


def decoded(picture):
    """Pixels of a picture in a pack, as Pillow reads them."""
    return np.array(Image.open(io.BytesIO(base64.b64decode(picture["data"]))))


def texts(table, name):
    """A column of text."""
    return [table[name]["values"][code] for code in table[name]["codes"]]

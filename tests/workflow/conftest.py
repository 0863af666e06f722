import pytest
from projects import Project


@pytest.fixture
def project(tmp_path):
    return Project.create(tmp_path / "project")

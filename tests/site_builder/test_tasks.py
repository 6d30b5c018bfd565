"""What a task of Ray takes and gets, and when it is sent: told without a cluster."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from site_builder.core.project import Project
from site_builder.measure import cluster
from site_builder.measure.cluster import Cluster, _environment, _needs
from site_builder.measure.runner import Measured
from site_builder.measure.worker import Came, _lab
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.site_builder.conftest import REPO


class Machines:
    """What Ray says that there is."""

    def __init__(self, **there: float) -> None:
        self.there = there

    def cluster_resources(self) -> dict[str, float]:
        return self.there


@pytest.mark.parametrize(
    ("there", "cpus", "takes", "slots"),
    [
        ({"CPU": 64, "GPU": 8}, 0, {"num_gpus": 1, "num_cpus": 1}, 8),
        ({"CPU": 64, "GPU": 8}, 4, {"num_gpus": 1, "num_cpus": 4}, 8),
        ({"CPU": 64}, 16, {"num_cpus": 16}, 4),
        ({"CPU": 4 * (os.cpu_count() or 1)}, 0, {"num_cpus": os.cpu_count()}, 4),
        ({}, 0, {"num_cpus": os.cpu_count()}, 1),
    ],
)
def test_a_task_takes_a_gpu_where_there_is_one_else_cores_as_many_as_are_said_or_all(
    there: dict[str, float], cpus: int, takes: dict[str, float], slots: int
) -> None:
    assert _needs(Machines(**there), Cluster(cpus=cpus)) == (takes, slots)


def test_workers_are_told_where_weights_are_and_get_the_code_with_its_autoencoders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = {"LIST_STUDY_MODEL": "/models/gemma", "LIST_STUDY_CACHE": "/cache", "HF_TOKEN": "hf_x"}
    for name, value in where.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("UNRELATED_SECRET", "1")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    here = _environment(tmp_path, Cluster())
    assert here == {"env_vars": where | {"PYTHONPATH": str(tmp_path)}}
    there = _environment(tmp_path, Cluster("head:6379"))
    assert (there["working_dir"], there["env_vars"]) == (str(tmp_path), where)
    sae = "data/smollm2-135m-instruct/saes/resid_post-6/sae_weights.safetensors"
    sent = [sae, "analyses/lists.py", "analyses/studies/tiny.toml"]
    assert not [n for n in sent for left in there["excludes"] if any(
        Path(part).match(left) for part in Path(n).parts)]  # fmt: skip
    assert Path("data/smollm2-135m-instruct/lists.parquet").match(there["excludes"][-1])


def test_a_worker_keeps_the_model_that_it_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("analyses", "data"):
        (tmp_path / name).symlink_to(REPO / name)
    first = _lab(str(tmp_path), "tiny")
    assert _lab(str(tmp_path), "tiny") is first
    assert first.model is first.model


class Ray:
    """Two machines that finish what they were sent first: a stand-in for what is sent to them."""

    exceptions = SimpleNamespace(RayError=RuntimeError)

    def __init__(self) -> None:
        self.under_way: list[str] = []
        self.seen: list[set[str]] = []

    def cluster_resources(self) -> dict[str, float]:
        return {"GPU": 2}

    def put(self, thing: object) -> object:
        return thing

    def remote(self, _function: object) -> "Ray":
        return self

    def options(self, **_needs: object) -> SimpleNamespace:
        return SimpleNamespace(remote=self.send)

    def send(self, _root: str, _study: str, analysis: str, *_more: object) -> str:
        self.under_way.append(analysis)
        return analysis

    def wait(self, running: list[str], timeout: float) -> tuple[list[str], list[str]]:
        self.seen.append({*running})
        return running[:1], running[1:]

    def get(self, analysis: str) -> Came:
        table = pa.table({"x": [1], "estimate": [1.0], "low": [1.0], "high": [1.0]})
        return Came(Measured(table, frozenset(), {}, {}, 1.0), "", 0, {}, 1.0)


def test_all_that_has_its_inputs_is_under_way_at_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = Ray()
    monkeypatch.setattr(cluster, "_connected", lambda *_: nullcontext(ray))
    monkeypatch.setattr(sys, "path", [*sys.path])
    ids = [ResultId("toy", "totals"), ResultId("toy", "numbers", "small")]
    done = cluster.measure(Store(project), ids, lambda _: True, Cluster(), say=lambda _: None)
    assert ray.seen == [{"base", "numbers"}, {"numbers", "totals"}, {"totals"}]
    assert [id.analysis for id in done] == ["base", "numbers", "totals"]
    assert [id for id in ids if Store(project).why_stale(id)] == []

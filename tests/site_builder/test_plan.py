"""What a run would do: in which order, what it took last time, and how many shards are made."""

from site_builder.core.project import Project
from site_builder.measure.checkpoints import Ledger
from site_builder.measure.plan import lines, plan
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.site_builder.conftest import put


def test_a_plan_says_what_is_done_what_is_not_and_what_it_took(project: Project) -> None:
    store = Store(project)
    totals, base = (ResultId("toy", name) for name in ("totals", "base"))
    assert [step.state for step in plan(store, [totals], lambda _: False)] == ["done", "done"]
    steps = plan(store, [totals], lambda id: id == base)
    assert [(str(step.id), step.state) for step in steps] == [
        ("base", "to do"),
        ("totals", "to do"),  # reads what will be measured
    ]
    store.path(base).unlink()
    told = lines(plan(store, [totals], lambda id: id == base))
    assert told[0].split() == ["to", "do", "base", "never", "measured"]
    assert told[1].split() == ["to", "do", "totals", "0", "s", "after", "base"]
    assert told[2] == ("2 of 2 to do, about 0 s one after the other, and 1 of unknown cost")


def test_a_plan_names_the_study_that_it_knows_the_cost_from(project: Project) -> None:
    study = project.analyses / "studies" / "toy.toml"
    study.with_name("other.toml").write_text(study.read_text("utf-8"), "utf-8")
    store, base = Store(project), ResultId("toy", "base")
    put(store, ResultId("other", "base"))
    store.path(base).unlink()
    told = lines(plan(store, [base], lambda _: True))
    assert told[0].split() == ["to", "do", "base", "0", "s", "for", "other"]


def test_a_plan_counts_the_shards_that_were_made_with_this_code(project: Project) -> None:
    store, base = Store(project), ResultId("toy", "base")
    Ledger.of(store, base, store.current.code("base"), {}).note("loop", 3, [0, 2], 1.5)
    assert "2 of 3 shards" in lines(plan(store, [base], lambda _: True))[0]
    path = project.analyses / "base.py"
    path.write_text(path.read_text("utf-8").replace("return None", "return 1"), "utf-8")
    assert "shards" not in lines(plan(Store(project), [base], lambda _: True))[0]

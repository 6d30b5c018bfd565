import json
from pathlib import Path

import pytest

from analyses.lab.core.errors import LabError
from analyses.lab.core.study_file import FOLDER, load_study, study_names

ROOT = Path(__file__).parents[2]
SAES = '[[saes]]\nsite = "z"\nlayers = [0, 1]\nfolder = "saes/z-{layer}"\n'
TINY = (ROOT / FOLDER / "tiny.toml").read_text("utf-8") + SAES


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / FOLDER).mkdir(parents=True)
    return tmp_path


def message(project: Path, text: str) -> str:
    (project / FOLDER / "mine.toml").write_text(text, "utf-8")
    with pytest.raises(LabError) as caught:
        load_study("mine", root=project)
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith("analyses/studies/mine.toml: ")
    return said


def test_all_studies_load_and_hold_out_a_third():
    names = study_names(ROOT)
    replication = "smollm2-135m-instruct-replication"  # it chooses nothing: all are held out
    assert names == [
        "gemma-2-2b-it", "gemma-3-270m", "smollm2-135m-instruct", replication, "tiny",
    ]  # fmt: skip
    names.remove(replication)
    for name in names:
        study = load_study(name, root=ROOT)
        assert len(study.topics.held_out) == round(len(study.topics.names) / 3)
    embedded = load_study("smollm2-135m-instruct", root=ROOT)
    assert load_study("gemma-3-270m", root=ROOT).topics == embedded.topics
    for study in (embedded, load_study("gemma-2-2b-it", root=ROOT)):
        assert len(study.topics.names) == 23
        assert study.sampling.sweep.temperatures == (0.1, 0.5, 0.7, 0.9, 1.3)
        assert study.bootstrap.resamples >= 2000


def test_reading_is_noted_by_dotted_key():
    read: set[str] = set()
    study = load_study("tiny", root=ROOT, note=read.add)
    assert read == set()
    group = study.sampling
    assert read == set()
    assert (group.top_p, study.seed) == (0.9, 20260)
    assert group.sweep.lists == 3
    assert study.model.folder is None
    assert read == {"sampling.top_p", "seed", "sampling.sweep", "model.folder"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("top_p = 0.9", "topp = 0.9", "unknown key sampling.topp (did you mean top_p?)"),
        ("top_p = 0.9", "topp = 0.9", "missing key sampling.top_p"),
        ("seed = 20260", 'seed = "20260"', "seed must be an integer"),
        ("seed = 20260", "seed = true", "seed must be an integer"),
        ("temperature = 0.8", 'temperature = "warm"', "sampling.temperature must be a number"),
        ("temperature = 0.8", "temperature = 0", "temperatures must be numbers above 0"),
        ("temperature = 0.8", "temperature = nan", "temperatures must be numbers above 0"),
        ("temperature = 0.8", "temperature = 0.5", "must differ, from sampling.temperature as well"),
        ("seed = 0", "seed = -1", "bootstrap.seed must be at least 0"),
        ('prefill = "-"', 'prefill = ""', "prompt.prefill must not be empty"),
        ('information."\nlong', 'information. "\nlong', "templates.short must not begin or end blank"),
        ("top_p = 0.9", "top_p = 1.5", "sampling.top_p must be above 0 and at most 1"),
        ("lists = 4", "lists = 0", "sampling.lists must be at least 1"),
        ('template = "short"', 'template = "shrt"', "no template (did you mean short?)"),
        ('"Animals", "Colors"]', '"Animal"]', "no topic Animal (did you mean Animals?)"),
        ('"Fruits", "Animals"', '"Fruits", "Fruits", "Animals"', "topics.names must be a list of"),
        ("with a few {topic}", "with a few", "prompt.emphatic.short must contain {topic} once"),
        ('primary = "proxy_a"', 'primary = "a"', "decision.primary must be proxy_a or proxy_b"),
        ('at = "break"', 'at = "end"', "decision.proxy_a.at must be item-last or break"),
        ('device = "cpu"', 'device = "gpu"', "model.device must be cpu, cuda or auto"),
        ('dtype = "float32"', 'dtype = "f32"', "model.dtype must be float32"),
        ("[sampling.sweep]", "[sampling.swept]", "key sampling.swept (did you mean sweep?)"),
        ("[prompt.templates]", "[prompt.template]", "missing key prompt.templates"),
        ("[bootstrap]", "[bootstrap", "broken TOML"),
        (SAES, SAES.replace("z", "resid"), "saes[0].site must be resid_post or z"),
        (SAES, SAES.replace("[0, 1]", "[1, 1]"), "saes[0].layers must be different layers"),
        (SAES, SAES.replace("folder", "id"), "saes[0] must have either folder, or release and id"),
        (SAES, SAES.replace("-{layer}", ""), "saes[0].folder must contain {layer}"),
        (SAES, SAES.replace("folder", "file"), "unknown key saes[0].file"),
    ],
)  # fmt: skip
def test_a_faulty_file_says_what_and_where(project, old, new, said):
    assert old in TINY
    assert said in message(project, TINY.replace(old, new))


def test_all_faults_come_at_once(project):
    text = TINY.replace("top_p", "topp").replace("seed = 20260", 'seed = "a"')
    said = message(project, text)
    assert "sampling.topp" in said
    assert "seed must be an integer" in said


def test_a_group_that_is_no_table(project):
    head, tail = TINY.split("[bootstrap]")
    assert "bootstrap must be a table" in message(project, "bootstrap = 3\n" + head)
    assert tail


def test_an_unknown_study_names_the_nearest():
    with pytest.raises(LabError, match=r"no such study; did you mean tiny\?"):
        load_study("tinny", root=ROOT)


@pytest.mark.parametrize(
    "topic", ["</script>", "{{ 7*7 }}", "<< figure: entropy >>", "ñ {x}", "%s"]
)
def test_hostile_topics_are_text(project, topic):
    (project / FOLDER / "mine.toml").write_text(TINY.replace('"Fruits"', f"'{topic}'"), "utf-8")
    assert load_study("mine", root=project).topics.names[0] == topic


def test_the_autoencoders_of_the_embedded_study_are_here_with_their_recipes():
    study = load_study("smollm2-135m-instruct", root=ROOT)
    (group,) = study.saes
    for layer in group.layers:
        folder = ROOT / group.folder.replace("{layer}", str(layer))
        recipe = json.loads((folder / "recipe.json").read_text("utf-8"))
        assert (recipe["study"], recipe["layer"]) == ("smollm2-135m-instruct", layer)
        assert recipe["text"]["written"] > 100_000
        for name in ("cfg.json", "sae_weights.safetensors"):
            assert (folder / name).stat().st_size > 100

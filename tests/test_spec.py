from decimal import Decimal

import pytest
import tomli_w

from recbench.errors import RecbenchError
from recbench.tasks.named_specs import builtin_specs
from recbench.tasks.spec import TaskSpec, parse_spec, read_spec

GOOD = """
name = "mine"
[dataset]
source = "file"
path = "ratings.csv"
[split]
method = "leave-last-fraction"
fraction = 0.1
[negatives]
method = "uniform"
"""


def test_paths_count_from_the_spec_and_fractions_are_exact(tmp_path):
    (tmp_path / "mine.toml").write_text(GOOD)
    spec = read_spec(tmp_path / "mine.toml")
    assert spec.dataset.path == tmp_path / "ratings.csv"
    assert spec.split.fraction == Decimal("0.1")
    assert spec.negatives.count == 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("fraction = 0.1", "fraction = 1.5"), "split.leave-last-fraction.fraction: Input should be less than 1"),
        (('method = "uniform"', 'method = "random"'), "negatives"),
        (('source = "file"', 'source = "web"'), "dataset"),
        (('name = "mine"', 'name = "a/b"'), "name: String should match"),
        (("fraction = 0.1", "fraction = 1e-30"), "split.leave-last-fraction.fraction"),
        (('method = "uniform"', 'method = "uniform"\nseed = 99999999999999999999'), "negatives.uniform.seed"),
        (("[split]", "[splot]"), "splot: Extra inputs are not permitted"),
        (("[split]", "[split"), "not valid TOML"),
    ],
)
def test_a_broken_spec_names_each_field(change, message):
    with pytest.raises(RecbenchError, match=r"here\.toml") as caught:
        parse_spec(GOOD.replace(*change), "here.toml")
    assert message in caught.value.message


def test_a_missing_spec(tmp_path):
    with pytest.raises(RecbenchError, match="Cannot read the task spec"):
        read_spec(tmp_path / "absent.toml")


@pytest.mark.parametrize("spec", builtin_specs().values(), ids=builtin_specs())
def test_specs_survive_toml_and_json(spec):
    dumped = spec.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    assert parse_spec(tomli_w.dumps(dumped), "dumped") == spec
    assert TaskSpec.model_validate_json(spec.model_dump_json()) == spec


def test_rules_do_not_depend_on_names_or_places():
    first = parse_spec(GOOD, "one")
    other = parse_spec(GOOD.replace("mine", "other").replace("ratings.csv", "/else/where.csv"), "other")
    assert first.rules() == other.rules()
    assert first.rules() != parse_spec(GOOD.replace("0.1", "0.2"), "third").rules()
    assert first.rules() == parse_spec(GOOD.replace("0.1", "0.10"), "fourth").rules()
    assert first.fingerprint() != other.fingerprint()

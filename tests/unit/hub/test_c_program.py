"""A C program of a signed artifact answers as the artifact does, or is refused by what is in it."""

from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.artifact import Artifact, Rows
from fleetloop_hub.packaging.c_program.program import program
from fleetloop_hub.packaging.files import files
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.head import Calibration, GroupOffsets, Head
from fleetloop_hub.packaging.quantizing import STATIC, quantized_variants
from fleetloop_hub.spec.scalars import Family
from fleetloop_shared.answers import Rule
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.profile import LiveProfile
from support import c_programs
from support.c_programs import SANITIZED, answers, build, packed, run, signed
from support.fitted_models import example

pytestmark = pytest.mark.skipif(c_programs.COMPILER is None, reason=c_programs.WHY)

FITS: list[tuple[str, Family]] = [
    ("two", "linear"),
    ("two", "gradient-boosting"),
    ("several", "mlp"),
    ("several", "random-forest"),
    ("several", "gradient-boosting"),
    ("several", "svm"),
    ("regression", "mlp"),
    ("regression", "random-forest"),
    ("anomaly", "isolation-forest"),
    ("anomaly", "one-class-svm"),
]


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of `packed("two", "linear")`."""
    made = program(*packed("two", "linear"))
    return build(made, tmp_path_factory.mktemp("linear"), *SANITIZED)


def odd_rows() -> Rows:
    """Real rows, and rows with missing, infinite and enormous values and unknown categories."""
    rng = np.random.default_rng(3)
    known = example("two", "linear", "categories").fresh
    wild = np.array(known)
    wild[:, :3] *= 10 ** rng.uniform(-2, 4, (len(wild), 3)).astype(np.float32)
    for value in (np.nan, np.inf, -np.inf):
        wild[rng.random(wild.shape) < 0.05] = value
    wild[:, 3:] = rng.choice([-1, 0, 1, 2, 3, np.nan], (len(wild), 2))
    return np.concatenate([known, wild.astype(np.float32)])


def same_answers(manifest: Manifest, data: bytes, target: Path, rows: Rows) -> None:
    """The artifact and the program say the same about rows, also about which get no answer."""
    wanted = Artifact(data, manifest.signature).outputs(rows)
    found = answers(target, rows, wanted.shape[1])
    finite = np.isfinite(wanted).all(axis=1)
    np.testing.assert_array_equal(found.answered, finite)
    assert finite.sum() > len(rows) / 2
    tolerance = manifest.golden.tolerance
    near_f32 = 1e-6  # some steps of float32, of a line that is drawn far beyond the known rows
    np.testing.assert_allclose(found.outputs[finite], wanted[finite], near_f32, tolerance)
    scores, labels = Rule(manifest.signature).answer(wanted[finite])
    np.testing.assert_allclose(found.scores[finite], scores, near_f32, tolerance)
    if not manifest.signature.classes:
        return
    said = np.array(manifest.signature.classes)[found.places[finite]]
    two = np.sort(wanted[finite], axis=1)[:, -2:]
    at_limit = np.abs(scores - manifest.signature.decision_threshold) <= 2 * tolerance
    near = at_limit if manifest.signature.positive >= 0 else two[:, 1] - two[:, 0] <= 2 * tolerance
    assert ((said == labels) | near).all()
    assert len(set(said.tolist())) > 1


@pytest.mark.parametrize(("kind", "family"), FITS)
def test_the_program_answers_as_the_signed_artifact(
    kind: str, family: Family, tmp_path: Path
) -> None:
    manifest, data = packed(kind, family)
    target = build(program(manifest, data), tmp_path, *SANITIZED)
    proved = run(target, "--golden")
    assert (proved.returncode, b"same" in proved.stdout) == (0, True), proved.stdout
    same_answers(manifest, data, target, odd_rows())


def at_thresholds(data: bytes) -> Rows:
    """Rows whose values are thresholds of the trees, and the numbers right above them."""
    rng = np.random.default_rng(5)
    graph = onnx.load_from_string(data).graph
    [node] = [node for node in graph.node if node.op_type == "TreeEnsemble"]
    given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    splits = onnx.numpy_helper.to_array(given["nodes_splits"])
    rows = np.zeros((400, 5), np.float32)
    for feature in range(5):
        known = splits[np.array(given["nodes_featureids"]) == feature]
        picked = rng.choice(known, len(rows))
        above = np.nextafter(picked, np.float32(np.inf))
        rows[:, feature] = np.where(rng.random(len(rows)) < 0.5, picked, above)
    return rows


def test_trees_are_the_same_to_the_last_bit_at_their_thresholds_too(tmp_path: Path) -> None:
    manifest, data = packed("several", "random-forest")
    target = build(program(manifest, data), tmp_path, "-O2")
    rows = np.concatenate([odd_rows(), at_thresholds(data)])
    wanted = Artifact(data, manifest.signature).outputs(rows)
    np.testing.assert_array_equal(answers(target, rows, wanted.shape[1]).outputs, wanted)


def test_calibration_and_thresholds_of_groups_are_in_the_program(tmp_path: Path) -> None:
    case = example("two", "gradient-boosting", "categories")
    head = Head(
        Calibration("isotonic", (0.0, 0.2, 0.5, 0.9), (0.1, 0.2, 0.7, 0.95)),
        positive=1,
        groups=GroupOffsets(3, (0.0, 2.0), (0.5, -0.75)),
    )
    [data, *_] = [data for _, data in files(case.fitted, head, case.learned)]
    manifest = signed(data, case.signature, case.fresh)
    target = build(program(manifest, data), tmp_path, *SANITIZED)
    same_answers(manifest, data, target, case.fresh)


def test_temperature_and_float16_weights_are_in_the_program(tmp_path: Path) -> None:
    case = example("several", "linear", "categories")
    written = dict(files(case.fitted, Head(Calibration("temperature", (1.7,))), case.learned))
    data = written["float16 weights"]
    manifest = signed(data, case.signature, case.fresh)
    target = build(program(manifest, data), tmp_path, *SANITIZED)
    same_answers(manifest, data, target, case.fresh)


def static_network() -> tuple[Manifest, bytes, Rows]:
    from sklearn.neural_network import MLPClassifier  # noqa: PLC0415  # for this test alone

    from support.fitted_models import labels  # noqa: PLC0415

    case = example("several", "mlp", "categories")
    x = case.fitted.preparation.transform(case.learned)
    network = MLPClassifier((48, 32), max_iter=20, tol=1e9, random_state=0)
    network.fit(x, labels(case.learned, "several"))
    fitted = Fitted("mlp", "classification", case.fitted.preparation, network, {})
    exact = dict(files(fitted, case.head, case.learned))["float32"]
    data = dict(quantized_variants(exact, case.learned))[STATIC]
    return signed(data, case.signature, case.fresh), data, case.fresh


def test_int8_between_the_layers_is_computed_in_whole_numbers(tmp_path: Path) -> None:
    manifest, data, rows = static_network()
    made = program(manifest, data)
    assert b"int32_t" in made.files["model.c"]
    assert made.table_bytes < len(data)
    target = build(made, tmp_path, *SANITIZED)
    same_answers(manifest, data, target, rows)


def test_weights_and_leaves_keep_the_form_of_the_file() -> None:
    manifest, data = packed("several", "mlp")
    source = program(manifest, data).files["model.c"].decode()
    assert "static const int8_t" in source
    forest = packed("several", "random-forest")
    made = program(*forest)
    assert "static const uint8_t" in made.files["model.c"].decode()
    assert made.table_bytes < len(forest[1])


def test_the_same_artifact_gives_the_same_files() -> None:
    manifest, data = packed("two", "extra-trees")
    assert program(manifest, data).files == program(manifest, data).files


def test_what_does_not_fit_is_refused_by_the_name_of_its_operators() -> None:
    manifest, data = packed("several", "knn")
    with pytest.raises(UnsupportedModelError, match=r"TopK.*what fits: linear, mlp, random-forest"):
        program(manifest, data)


def test_a_changed_table_fails_the_golden_vectors(tmp_path: Path) -> None:
    manifest, data = packed("two", "gradient-boosting")
    made = program(manifest, data)
    source = made.files["model.c"].decode()
    made.files["model.c"] = source.replace("value <= ", "value < -", 1).encode()
    done = run(build(made, tmp_path), "--golden")
    assert (done.returncode, b"OTHER" in done.stdout) == (1, True)


def test_rows_of_csv_are_read_as_a_device_reads_them(linear: Path) -> None:
    manifest, data = packed("two", "linear")
    csv = (
        b"when,e,d,c,b,a\n"
        b'now,1.0," y z ",3,2,1\n'  # a category as a number, and one with blanks around it
        b",1,new,,2,1\n"  # one that training never saw, and a missing value
        b",x,x,3,2,one\n"  # no number
        b",x,x,3,1e300,1\n"  # too large for a float
        b',,"a ""new"", one",nan,2e0,1\r\n'
    )
    done = run(linear, given=csv)
    assert done.returncode == 3
    lines = done.stdout.decode().split("\n")
    assert lines[0] == "answer,score,0,1"
    nan = np.nan
    rows = np.array([[1, 2, 3, 2, 1], [1, 2, nan, -1, 1], [1, 2, nan, -1, nan]], np.float32)
    wanted = Artifact(data, manifest.signature).outputs(rows)
    for line, outputs in zip((lines[1], lines[2], lines[5]), wanted, strict=True):
        np.testing.assert_allclose([float(x) for x in line.split(",")[2:]], outputs, atol=1e-6)
    assert lines[3] == lines[4] == ""
    assert done.stderr.decode().splitlines() == [
        "line 4: 'a' is no number; not answered",
        "line 5: 'b' is no number; not answered",
    ]


def test_values_out_of_range_are_answered_and_counted(linear: Path) -> None:
    rows = np.array([[0, 0, 0, 0, 0], [-2, 0, 2e4, 0, -1], [np.nan] * 5], np.float32)
    assert answers(linear, rows, 2).out_of_range.tolist() == [0, 3, 0]


def test_a_csv_without_a_feature_is_refused_by_its_name(linear: Path) -> None:
    done = run(linear, given=b"a,b,c,e\n1,2,3,x\n")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"the first line does not name 'd'\n"
    assert run(linear).returncode == 1


def test_a_line_without_end_is_refused_and_the_next_one_answered(linear: Path) -> None:
    done = run(linear, given=b"a,b,c,d,e\n" + b"1" * 200_000 + b"\n1,2,3,x,x\n")
    assert done.returncode == 3
    assert b"line 2: longer than 65536 bytes" in done.stderr
    assert len(done.stdout.split(b"\n")[2].split(b",")) == 4


def test_rows_are_counted_as_every_device_counts_them(linear: Path) -> None:
    """The drift contract in a second language: profiles that the hub can add to any other's."""
    manifest, data = packed("two", "linear")
    rows = odd_rows()
    scores = Artifact(data, manifest.signature).scores(rows)
    names = ["a", "b", "c", "d", "e"]
    lines = [",".join("" if np.isnan(x) else repr(float(x)) for x in row[:3]) for row in rows]
    listed = {**dict(enumerate(manifest.signature.features[3].categories)), -1: "new"}
    places = [",".join(listed.get(int(p), "") if p == p else "" for p in row[3:]) for row in rows]  # noqa: PLR0124  # NaN
    table = [",".join(pair) for pair in zip(lines, places, strict=True)]
    done = run(linear, "--profile", given="\n".join([",".join(names), *table]).encode())
    finite = np.isfinite(scores)
    assert (done.returncode == 3) == (not finite.all())
    found = msgspec.json.decode(done.stdout, type=LiveProfile)
    counter = Blocks(manifest.reference, manifest.signature)
    wanted = counter.profile(counter.count(rows[finite], scores[finite]))
    kept = ("rows", "counts", "missing", "low", "high", "out_of_range")
    for exact in (*kept, "near_sums", "near_step", "near_products"):
        assert getattr(found, exact) == getattr(wanted, exact), exact
    near = np.abs(np.subtract(found.score_counts, wanted.score_counts)).sum()
    assert near <= 2  # a score at the edge of a bin
    np.testing.assert_allclose(found.sums, wanted.sums, 1e-5, 1)
    assert found.merge(wanted).rows == 2 * finite.sum()

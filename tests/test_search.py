import itertools
import math
import tomllib

from helpers import ROOT, search
from helpers.convolution import multiply_adds
from helpers.search import Architecture, Trial

import keras
import keras_tuner
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

SMALL_SPACE = {
    "kind": ("plain", "separable"),
    "depth": (1, 2),
    "width": (4, 8, 16),
    "kernel": (3, 5),
}


def trained(model):
    """What papers count: weights that are trained, so no running statistics."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def block_of(function, shape, *arguments, **options):
    inputs = keras.Input(shape)
    return keras.Model(inputs, function(inputs, *arguments, **options))


def images(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def by_size(architecture, epochs=9):
    """A score without noise: the best architecture of a space is known."""
    return architecture.depth * architecture.width * architecture.kernel / 1000 + epochs / 100


@pytest.fixture(scope="module")
def parts():
    """Dark and bright pictures: a network learns them in a few steps."""
    rng = np.random.default_rng(0)
    parts = []
    for count in (80, 40, 30):
        labels = np.int32(np.arange(count) % 2)
        pictures = rng.uniform(0, 0.5, (count, 8, 8, 1)) + 0.5 * labels[:, None, None, None]
        parts.append((pictures.astype("float32"), labels))
    return parts


class TestEfficientNet:
    # Tan and Le (2019), table 2: parameters in millions, multiplications with an addition in
    # billions. B2 is printed as 9.2; without its running statistics it has 9.11.
    @pytest.mark.parametrize(
        ("name", "millions", "billions"),
        [
            ("B0", 5.3, 0.39),
            ("B1", 7.8, 0.70),
            ("B2", 9.2, 1.0),
            ("B3", 12, 1.8),
            ("B4", 19, 4.2),
            ("B5", 30, 9.9),
            ("B6", 43, 19),
            ("B7", 66, 37),
        ],
    )
    def test_paper(self, name, millions, billions):
        parameters, cost = search.efficientnet_cost(*search.EFFICIENTNETS[name])
        unit = 0.1 if millions < 10 else 1
        slack = 0.1 if name == "B2" else 0
        assert abs(parameters / 1e6 - millions) <= unit / 2 + slack
        assert abs(cost / 1e9 - billions) / billions < 0.05

    # Only some, since the large ones take seconds to build.
    @pytest.mark.parametrize("name", ["B0", "B1", "B2", "B7"])
    def test_keras_counts_the_same(self, name):
        theirs = getattr(keras.applications, f"EfficientNet{name}")(
            weights=None, input_shape=(32, 32, 3)
        )
        parameters, _ = search.efficientnet_cost(*search.EFFICIENTNETS[name])
        assert parameters == trained(theirs)

    @pytest.mark.parametrize(("name", "resolution"), [("B0", 224), ("B3", 65), ("B1", 33)])
    def test_counted_as_built(self, name, resolution):
        width, depth, *_ = search.EFFICIENTNETS[name]
        model = search.build_efficientnet(width, depth, resolution, num_classes=7)
        counted = search.efficientnet_cost(width, depth, resolution, num_classes=7)
        assert counted == (trained(model), multiply_adds(model))

    def test_computes_what_keras_computes(self):
        """The same random weights in B0 give the same logits."""
        ours = search.build_efficientnet(1.0, 1.0, 65, num_classes=10)
        theirs = keras.applications.EfficientNetB0(
            weights=None, input_shape=(65, 65, 3), classes=10, classifier_activation=None
        )
        rng = np.random.default_rng(0)
        weights = []
        for weight in ours.weights:
            fan_in = max(1, math.prod(weight.shape[:-1]))
            centre = 1.0 if weight.name in ("gamma", "moving_variance") else 0.0
            spread = (2 / fan_in) ** 0.5 if "kernel" in weight.name else 0.1
            weights.append(rng.normal(centre, spread, weight.shape).astype("float32"))
        weights = [
            np.abs(value) if weight.name == "moving_variance" else value
            for weight, value in zip(ours.weights, weights, strict=True)
        ]
        ours.set_weights(weights)
        # Keras has the mean, variance and count of its own normalisation of pixels in front.
        theirs.set_weights([*theirs.get_weights()[:3], *weights])
        x = images(2, 65, 65, 3)
        expected = theirs(255 * x, training=False).numpy()
        assert expected.std() > 1e-3
        tolerance = 1e-4 * np.abs(expected).max()
        np.testing.assert_allclose(ours(x, training=False), expected, atol=tolerance, rtol=0)

    def test_drop_rate_grows_along_the_blocks(self):
        model = search.build_efficientnet(1.0, 1.0, 32, num_classes=2, drop_rate=0.2)
        rates = [
            layer.rate
            for layer in model.layers
            if isinstance(layer, keras.layers.Dropout) and layer.noise_shape
        ]
        theirs = keras.applications.EfficientNetB0(weights=None, input_shape=(32, 32, 3))
        expected = [layer.rate for layer in theirs.layers if layer.name.endswith("_drop")]
        assert rates == pytest.approx(expected)

    def test_bad_input(self):
        with pytest.raises(ValueError, match="resolution is 31"):
            search.build_efficientnet(resolution=31)
        with pytest.raises(ValueError, match="width is 0"):
            search.build_efficientnet(width=0)
        with pytest.raises(ValueError, match="depth is -1"):
            search.scaled_stages(1.0, -1)
        with pytest.raises(ValueError, match="num_classes"):
            search.build_efficientnet(num_classes=0)
        for rate in ("dropout", "drop_rate"):
            for value in (-0.1, 1, math.nan):
                with pytest.raises(ValueError, match=f"{rate} is {value}"):
                    search.build_efficientnet(**{rate: value})

    def test_costs_of_what_cannot_be_built_are_not_counted(self):
        for resolution in (0, 31, 224.5, math.nan):
            with pytest.raises(ValueError, match=f"resolution is {resolution}"):
                search.efficientnet_cost(resolution=resolution)
        for factor in (0, -1, math.inf, math.nan, "2"):
            for name in ("width", "depth"):
                with pytest.raises(ValueError, match=f"{name} is"):
                    search.efficientnet_cost(**{name: factor})
        with pytest.raises(ValueError, match="num_classes is 0"):
            search.efficientnet_cost(num_classes=0)


class TestScaling:
    def test_one_step_doubles_the_cost(self):
        depth, width, resolution = search.compound_scaling(1)
        assert (depth, width, resolution) == (1.2, 1.1, 1.15)
        assert depth * width**2 * resolution**2 == pytest.approx(2, rel=0.05)
        assert search.compound_scaling(0) == (1, 1, 1)

    @given(st.integers(8, 3000), st.floats(0.3, 4))
    def test_rounded_channels(self, channels, width):
        rounded = search.round_channels(channels, width)
        assert rounded % 8 == 0
        assert rounded >= 0.9 * channels * width
        # Never further than one multiple, and the nearest one unless that loses a tenth.
        assert abs(rounded - channels * width) <= 8
        lower = max(8, 8 * math.floor(channels * width / 8))
        if lower >= 0.9 * channels * width:
            assert abs(rounded - channels * width) <= 4 or rounded == 8

    def test_rounded_channels_by_hand(self):
        # 32·1.1 = 35.2 → 32 (it loses 9 %); 10·1.1 = 11 → 8 would lose 27 %, so 16.
        assert search.round_channels(32, 1.1) == 32
        assert search.round_channels(10, 1.1) == 16
        assert search.round_channels(1280, 2.0) == 2560

    def test_repetitions_are_rounded_up(self):
        repeats = [stage[-1] for stage in search.scaled_stages(1.0, 1.1)]
        assert repeats == [2, 3, 3, 4, 4, 5, 2]

    def test_bad_input(self):
        with pytest.raises(ValueError, match="channels"):
            search.round_channels(0, 1.0)
        with pytest.raises(ValueError, match="width is nan"):
            search.round_channels(8, math.nan)
        for phi in (math.nan, math.inf, "1"):
            with pytest.raises(ValueError, match="phi is"):
                search.compound_scaling(phi)


class TestBlocks:
    @pytest.mark.parametrize("stride", [1, 2])
    @pytest.mark.parametrize("expansion", [1, 6])
    @pytest.mark.parametrize("kernel", [3, 5])
    def test_mbconv_shape_and_parameters(self, stride, expansion, kernel):
        c, f = 16, 24
        model = block_of(search.mbconv_block, (9, 8, c), f, kernel, stride, expansion)
        assert model.output_shape[1:] == (math.ceil(9 / stride), math.ceil(8 / stride), f)
        wide = expansion * c
        widening = c * wide + 2 * wide if expansion > 1 else 0
        filtering = kernel**2 * wide + 2 * wide
        squeezing = wide * 4 + 4 + 4 * wide + wide
        assert trained(model) == widening + filtering + squeezing + wide * f + 2 * f

    def test_input_is_added_where_the_shape_stays(self):
        x = images(2, 6, 6, 8)
        for filters, stride, added in ((8, 1, True), (8, 2, False), (16, 1, False)):
            model = block_of(search.mbconv_block, (6, 6, 8), filters, 3, stride)
            # Without its last normalisation's scale the branch is zero.
            last = [w for w in model.weights if w.name == "gamma"][-1]
            last.assign(np.zeros_like(last))
            out = model(x, training=False).numpy()
            np.testing.assert_allclose(out, x if added else np.zeros_like(out), atol=1e-6)

    def test_a_dropped_block_returns_its_input(self):
        keras.utils.set_random_seed(0)
        model = block_of(search.mbconv_block, (4, 4, 8), 8, drop_rate=0.5)
        x = images(64, 4, 4, 8)
        changed = np.abs(np.array(model(x, training=True)) - x).max(axis=(1, 2, 3)) > 1e-6
        assert 10 < changed.sum() < 54  # whole images are dropped, about half of them

    def test_squeeze_and_excitation_by_hand(self):
        x = images(2, 5, 4, 6)
        model = block_of(search.squeeze_and_excitation, (5, 4, 6), 3)
        rng = np.random.default_rng(1)
        first, one, second, two = (rng.normal(size=w.shape) for w in model.weights)
        model.set_weights([first, one, second, two])
        hidden = x.mean(axis=(1, 2)) @ first[0, 0] + one
        hidden = hidden / (1 + np.exp(-hidden))
        factors = 1 / (1 + np.exp(-(hidden @ second[0, 0] + two)))
        np.testing.assert_allclose(model(x), x * factors[:, None, None], rtol=1e-4, atol=1e-5)

    def test_bad_input(self):
        x = keras.Input((8, 8, 4))
        for options in ({"filters": 0}, {"kernel_size": 0}, {"stride": 0}, {"expansion": 0.5}):
            with pytest.raises(ValueError, match=next(iter(options))):
                search.mbconv_block(x, **{"filters": 4} | options)
        with pytest.raises(ValueError, match="squeeze is 2"):
            search.mbconv_block(x, 4, squeeze=2)
        for rate in (-0.5, 1, math.nan):
            with pytest.raises(ValueError, match="drop_rate is"):
                search.mbconv_block(x, 4, drop_rate=rate)
        with pytest.raises(ValueError, match="reduced"):
            search.squeeze_and_excitation(x, 0)


class TestSpace:
    def test_all_architectures(self):
        found = search.architectures(SMALL_SPACE)
        assert len(set(found)) == len(found) == 2 * 2 * 3 * 2
        assert all(getattr(a, name) in SMALL_SPACE[name] for a in found for name in SMALL_SPACE)

    def test_sizes_of_candidates(self):
        plain = search.build_candidate(Architecture("plain", 2, 8, 5))
        stem, first, second = 9 * 8 + 16, 25 * 8 * 16 + 32, 25 * 16 * 16 + 32
        head = 4 * 4 * 16 * 10 + 10  # 28 → 14 → 7 → 4 places a side
        assert trained(plain) == stem + first + second + head
        separable = search.build_candidate(Architecture("separable", 1, 8, 3))
        assert trained(separable) == stem + 9 * 8 + 16 + 8 * 16 + 32 + head
        assert search.build_candidate(Architecture("mbconv", 2, 4, 3)).output_shape == (None, 10)

    @pytest.mark.parametrize(
        ("architecture", "message"),
        [
            (Architecture("dense", 1, 4, 3), "kind is 'dense'"),
            (Architecture("plain", 0, 4, 3), "depth is 0"),
            (Architecture("plain", 1, -4, 3), "width is -4"),
        ],
    )
    def test_bad_candidates(self, architecture, message):
        with pytest.raises(ValueError, match=message):
            search.build_candidate(architecture)

    def test_bad_spaces(self):
        changes = ({"rate": (1,)}, {"kernel": ()}, {"kernel": (3, 3)}, {"kind": "plain"})
        for space in ({}, *(SMALL_SPACE | change for change in changes)):
            with pytest.raises(ValueError, match="one or more choices, none twice"):
                search.architectures(space)
            with pytest.raises(ValueError, match="one or more choices, none twice"):
                search.tuner_search("random", by_size, space, 18, 9)


class TestBenchmark:
    def test_learns_and_remembers(self, parts):
        benchmark = search.Benchmark(*parts, milestones=(1, 4), batch_size=8)
        architecture = Architecture("plain", 1, 4, 3)
        assert benchmark(architecture) > 0.9
        record = benchmark.record(architecture)
        assert record is benchmark.record(architecture)
        assert set(record["validation"]) == {1, 4}
        assert benchmark(architecture, 1) == record["validation"][1]
        assert record["correct"].shape == (30,)
        assert record["correct"].mean() > 0.9
        model = search.build_candidate(architecture, (8, 8, 1), 2)
        assert record["parameters"] == trained(model)
        assert record["multiply_adds"] == multiply_adds(model)

    def test_a_short_training_is_the_beginning_of_a_long_one(self, parts):
        # Labels drawn at random, so that accuracies tell trainings apart.
        labels = np.random.default_rng(3).integers(0, 2, 40, dtype="int32")
        train, (pictures, _), test = parts

        def run(milestones, seed=0):
            validation = (np.random.default_rng(4).permutation(pictures), labels)
            benchmark = search.Benchmark(train, validation, test, milestones, 8, seed=seed)
            return benchmark.record(Architecture("separable", 1, 4, 3))["validation"]

        short, long = run((1,)), run((1, 2))
        assert short[1] == long[1]

    def test_the_largest_of_full_scale_takes_a_step(self):
        profiles = tomllib.loads((ROOT / "notebooks" / "profiles.toml").read_text(encoding="utf-8"))
        full = profiles["07_architecture_search"]["full"]
        largest = Architecture("mbconv", *(max(full[k]) for k in ("depths", "widths", "kernels")))
        part = (images(4, 28, 28, 1), np.arange(4, dtype="int32"))
        record = search.Benchmark(part, part, part, (1,), batch_size=4).record(largest)
        assert 0 <= record["validation"][1] <= 1
        assert record["parameters"] > 100_000

    def test_bad_input(self, parts):
        benchmark = search.Benchmark(*parts, milestones=(1, 3), batch_size=8)
        with pytest.raises(ValueError, match="epochs is 2; the milestones are"):
            benchmark(Architecture("plain", 1, 4, 3), 2)
        for milestones in ((3, 1), (1, 1), ()):
            with pytest.raises(ValueError, match="milestones"):
                search.Benchmark(*parts, milestones=milestones)
        with pytest.raises(ValueError, match="batch_size is 81"):
            search.Benchmark(*parts, batch_size=81)
        for rate in (0, -0.1, math.nan):
            with pytest.raises(ValueError, match="learning_rate is"):
                search.Benchmark(*parts, learning_rate=rate)

    @pytest.mark.parametrize("which", ["train", "validation", "test"])
    def test_refuses_images_without_labels(self, parts, which):
        given = dict(zip(("train", "validation", "test"), parts, strict=True))
        pictures, labels = given[which]
        for pair in ((pictures, labels[:-1]), (pictures[:0], labels[:0])):
            with pytest.raises(ValueError, match=f"{which} has .* images and"):
                search.Benchmark(**given | {which: pair}, batch_size=8)


class TestEvolution:
    @given(st.integers(0, 10_000))
    @settings(max_examples=50, deadline=None)
    def test_a_mutation_changes_one_part(self, seed):
        rng = np.random.default_rng(seed)
        parent = search.random_architecture(SMALL_SPACE, rng)
        child = search.mutate(parent, SMALL_SPACE, rng)
        assert sum(a != b for a, b in zip(parent, child, strict=True)) == 1
        assert child in search.architectures(SMALL_SPACE)

    def test_every_neighbour_is_reached_evenly_by_field(self):
        rng = np.random.default_rng(0)
        parent = Architecture("plain", 1, 4, 3)
        children = [search.mutate(parent, SMALL_SPACE, rng) for _ in range(2000)]
        shares = [np.mean([c[i] != parent[i] for c in children]) for i in range(4)]
        assert shares == pytest.approx([0.25] * 4, abs=0.05)
        assert {c.width for c in children} == {4, 8, 16}

    def test_random_architectures_are_even(self):
        rng = np.random.default_rng(0)
        drawn = [search.random_architecture(SMALL_SPACE, rng) for _ in range(4800)]
        counts = [drawn.count(a) for a in search.architectures(SMALL_SPACE)]
        assert min(counts) > 140
        assert max(counts) < 260

    def test_the_oldest_dies_however_good(self):
        """In a population of one each child comes from its predecessor."""
        scores = itertools.count(start=0, step=-1)  # the first would win every tournament
        trials = search.regularised_evolution(
            lambda *_: next(scores), SMALL_SPACE, 12, 1, population=1, tournament=3
        )
        for parent, child in itertools.pairwise(trials):
            assert self.distance(parent.architecture, child.architecture) == 1

    def test_parents_are_the_best_of_those_alive(self):
        trials = search.regularised_evolution(
            by_size, SMALL_SPACE, 40, 1, population=4, tournament=200, seed=1
        )
        for now in range(4, 40):
            alive = trials[now - 4 : now]
            best = max(trial.score for trial in alive)
            parents = [trial.architecture for trial in alive if trial.score == best]
            child = trials[now].architecture
            assert 1 in [self.distance(parent, child) for parent in parents]

    def distance(self, one, other):
        return sum(a != b for a, b in zip(one, other, strict=True))

    def test_finds_the_best_of_a_smooth_space(self):
        best = max(by_size(a, 1) for a in search.architectures(SMALL_SPACE))
        found = [
            max(t.score for t in search.regularised_evolution(by_size, SMALL_SPACE, 60, 1, seed=s))
            for s in range(10)
        ]
        assert np.mean(np.array(found) == best) >= 0.8

    def test_pays_for_whole_trainings(self):
        trials = search.regularised_evolution(by_size, SMALL_SPACE, 53, 9)
        assert [trial.epochs for trial in trials] == [9] * 5
        assert all(trial.score == by_size(trial.architecture, 9) for trial in trials)

    def test_a_seed_repeats_a_search(self):
        runs = [search.regularised_evolution(by_size, SMALL_SPACE, 9, 1, seed=s) for s in (0, 0, 1)]
        assert runs[0] == runs[1] != runs[2]

    def test_bad_input(self):
        with pytest.raises(ValueError, match="budget is 62"):
            search.regularised_evolution(by_size, SMALL_SPACE, 62, 9, population=7)
        with pytest.raises(ValueError, match="tournament"):
            search.regularised_evolution(by_size, SMALL_SPACE, 60, 9, tournament=0)
        for seed in (-1, 0.5, None):
            with pytest.raises(ValueError, match="seed is"):
                search.regularised_evolution(by_size, SMALL_SPACE, 60, 9, seed=seed)
        single = {name: choices[:1] for name, choices in SMALL_SPACE.items()}
        with pytest.raises(ValueError, match="nothing to change"):
            search.mutate(search.architectures(single)[0], single, np.random.default_rng(0))


class TestKerasTuner:
    def test_random_search_repeats_nothing(self):
        trials = search.tuner_search("random", by_size, SMALL_SPACE, budget=140, epochs=9)
        assert len(trials) == 15
        assert len({trial.architecture for trial in trials}) == 15
        assert all(trial.epochs == 9 for trial in trials)
        assert all(trial.score == by_size(trial.architecture) for trial in trials)

    def test_neighbouring_seeds_share_nothing(self):
        runs = [
            [t.architecture for t in search.tuner_search("random", by_size, SMALL_SPACE, 90, 9, s)]
            for s in range(5)
        ]
        for one, other in itertools.combinations(runs, 2):
            for shift in range(-3, 4):
                pairs = zip(one[max(shift, 0) :], other[max(-shift, 0) :], strict=False)
                assert np.mean([a == b for a, b in pairs]) < 0.6

    def test_hyperband_halves_and_pays_only_what_is_new(self):
        trials = search.tuner_search("hyperband", by_size, SMALL_SPACE, budget=75, epochs=9)
        # Li et al. (2018), as KerasTuner rounds it: the first bracket starts nine trainings of one
        # epoch, takes the best three to three and the best to nine.
        assert [t.epochs for t in trials[:13]] == [1] * 9 + [2] * 3 + [6]
        assert sum(t.epochs for t in trials) == 75
        ranked = sorted(trials[:9], key=lambda t: -t.score)
        assert {t.architecture for t in trials[9:12]} == {t.architecture for t in ranked[:3]}
        assert trials[12].architecture == ranked[0].architecture
        assert trials[12].score == by_size(ranked[0].architecture, 9)

    def test_no_training_begins_that_the_budget_cannot_pay(self):
        trials = search.tuner_search("hyperband", by_size, SMALL_SPACE, budget=20, epochs=9)
        assert sum(t.epochs for t in trials) == 15  # the next would cost six

    def test_bayesian_search_learns_from_scores(self):
        trials = search.tuner_search("bayesian", by_size, SMALL_SPACE, 72, 9, initial_points=6)
        assert len(trials) == 8
        first, guided = trials[:6], trials[6:]
        assert len({t.architecture for t in first}) == 6
        assert np.mean([t.score for t in guided]) > np.mean([t.score for t in first])

    def test_says_nothing(self, capfd):
        search.tuner_search("random", by_size, SMALL_SPACE, 18, 9)
        assert capfd.readouterr() == ("", "")

    def test_an_error_in_the_training_arrives(self, capfd):
        def evaluate(architecture, epochs):
            raise OverflowError("too wide")

        with pytest.raises(keras_tuner.errors.FatalError, match="evaluate failed") as caught:
            search.tuner_search("random", evaluate, SMALL_SPACE, 18, 9)
        assert isinstance(caught.value.__cause__, OverflowError)

    def test_bad_input(self):
        with pytest.raises(ValueError, match="strategy is 'grid'"):
            search.tuner_search("grid", by_size, SMALL_SPACE, 18, 9)
        with pytest.raises(ValueError, match="budget is 8"):
            search.tuner_search("random", by_size, SMALL_SPACE, 8, 9)
        for seed in (-1, 0.5, None):
            with pytest.raises(ValueError, match="seed is"):
                search.tuner_search("random", by_size, SMALL_SPACE, 18, 9, seed)


class TestWhatWasFound:
    def test_best_so_far_by_hand(self):
        a = Architecture("plain", 1, 4, 3)
        trials = [Trial(a, 2, 0.5), Trial(a, 1, 0.4), Trial(a, 3, 0.7)]
        curve = search.best_so_far(trials, 8)
        np.testing.assert_equal(curve, [np.nan, 0.5, 0.5, 0.5, 0.5, 0.7, 0.7, 0.7])
        with pytest.raises(ValueError, match="cost 6 epochs; the budget is 5"):
            search.best_so_far(trials, 5)
        for budget in (0, 2.5):
            with pytest.raises(ValueError, match="budget is"):
                search.best_so_far([], budget)
        with pytest.raises(ValueError, match=r"trials\[1\].epochs is 0"):
            search.best_so_far([Trial(a, 2, 0.5), Trial(a, 0, 0.9)], 8)

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=7), st.data())
    @settings(max_examples=50, deadline=None)
    def test_expected_best_by_brute_force(self, scores, draw):
        draws = draw.draw(st.integers(1, len(scores)))
        every = [max(some) for some in itertools.combinations(scores, draws)]
        assert search.expected_best(scores, draws) == pytest.approx(np.mean(every))

    def test_expected_best_of_many(self):
        """The best of k drawn from 1, 2 … n is k (n + 1) / (k + 1) on average."""
        scores = np.random.default_rng(0).permutation(np.arange(1, 3001))
        expected = 1500 * 3001 / 1501
        assert search.expected_best(scores, 1500) == pytest.approx(expected)

    def test_expected_best_is_that_of_random_search(self):
        scores = [by_size(a) for a in search.architectures(SMALL_SPACE)]
        found = [
            max(t.score for t in search.tuner_search("random", by_size, SMALL_SPACE, 54, 9, s))
            for s in range(60)
        ]
        spread = np.std(found) / 60**0.5
        assert abs(np.mean(found) - search.expected_best(scores, 6)) < 4 * spread

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12))
    @settings(deadline=None)
    def test_pareto_front_by_brute_force(self, points):
        costs, scores = np.array(points).T
        front = search.pareto_front(costs, scores)

        def beaten(i):
            no_worse = (costs <= costs[i]) & (scores >= scores[i])
            return np.any(no_worse & ((costs < costs[i]) | (scores > scores[i])))

        assert set(front) == {i for i in range(len(points)) if not beaten(i)}
        assert len(front) == len(set(front))
        assert list(costs[front]) == sorted(costs[front])

    def test_pareto_front_takes_infinite_numbers(self):
        assert search.pareto_front([1, np.inf], [-np.inf, 0.5]) == [0, 1]
        assert search.pareto_front([np.inf], [-np.inf]) == [0]

    def test_optimism_of_coins(self):
        """Candidates that guess: the best of k on m images has the mean of a maximum."""
        rng = np.random.default_rng(0)
        correct = rng.integers(0, 2, (20, 4000)).astype(bool)
        seen, unseen = search.optimism(correct, 20, 100, repeats=400)
        draws = np.random.default_rng(1).binomial(100, 0.5, (4000, 20)).max(axis=1) / 100
        assert seen == pytest.approx(draws.mean(), abs=0.01)
        assert unseen == pytest.approx(0.5, abs=0.01)

    def test_no_choice_no_optimism(self):
        correct = np.random.default_rng(0).integers(0, 2, (1, 400)).astype(bool)
        seen, unseen = search.optimism(correct, 1, 100, repeats=2000)
        assert seen == pytest.approx(unseen, abs=0.01)
        # The two parts are all images: weighted they give the candidate's accuracy.
        assert (100 * seen + 300 * unseen) / 400 == pytest.approx(correct.mean())

    def test_bad_input(self):
        with pytest.raises(ValueError, match="draws is 4"):
            search.expected_best([1, 2, 3], 4)
        for scores in ([[1, 2], [3, 4]], [1, math.nan], 0.5):
            with pytest.raises(ValueError, match="scores has shape"):
                search.expected_best(scores, 1)
        for costs, scores in (([1, math.nan], [1, 2]), ([1, 2], [math.nan, 1])):
            with pytest.raises(ValueError, match="NaN"):
                search.pareto_front(costs, scores)
        with pytest.raises(ValueError, match="costs has shape"):
            search.pareto_front([1, 2], [1])
        with pytest.raises(ValueError, match="costs has shape"):
            search.pareto_front([], [])
        correct = np.ones((3, 10), bool)
        with pytest.raises(ValueError, match="count is 4"):
            search.optimism(correct, 4, 5)
        with pytest.raises(ValueError, match="part is 10"):
            search.optimism(correct, 3, 10)
        for wrong in (np.ones(10, bool), np.full((3, 10), 0.5), np.full((3, 10), math.nan)):
            with pytest.raises(ValueError, match="correct has shape"):
                search.optimism(wrong, 1, 5)
        with pytest.raises(ValueError, match="seed is -1"):
            search.optimism(correct, 3, 5, seed=-1)

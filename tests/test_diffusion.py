from helpers import diffusion

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from scipy import stats

SCHEDULES = {
    "linear": diffusion.linear_schedule(100),
    "cosine": diffusion.cosine_schedule(100),
}
each_schedule = pytest.mark.parametrize("alpha_bar", SCHEDULES.values(), ids=SCHEDULES)
alpha_bars = st.floats(0.001, 0.999)
numbers = st.floats(-5, 5)


class TestSchedules:
    @pytest.mark.parametrize("steps", [1, 2, 10, 1000, 4000])
    def test_cosine_falls_from_below_one_to_above_zero(self, steps):
        alpha_bar = diffusion.cosine_schedule(steps)
        assert alpha_bar.shape == (steps,)
        assert alpha_bar[0] < 1
        assert alpha_bar[-1] > 0
        assert np.all(np.diff(alpha_bar) < 0)

    def test_cosine_is_the_papers_until_its_last_steps(self):
        # Nichol and Dhariwal (2021), equation 17, and β of at most 0.999.
        t = np.arange(1001)
        kept = np.cos((t / 1000 + 0.008) / 1.008 * np.pi / 2) ** 2
        alpha_bar = diffusion.cosine_schedule(1000)
        np.testing.assert_allclose(alpha_bar[:-1], kept[1:-1] / kept[0], rtol=1e-9)
        assert diffusion.added_variance(alpha_bar).max() == pytest.approx(0.999)

    def test_linear_is_the_papers_at_a_thousand_steps(self):
        added = diffusion.added_variance(diffusion.linear_schedule(1000))
        np.testing.assert_allclose(added, np.linspace(1e-4, 0.02, 1000), rtol=1e-9)

    @pytest.mark.parametrize("steps", [50, 100, 4000])
    def test_linear_ends_in_noise_whatever_its_steps(self, steps):
        # ∏ (1 − β) is about exp(−∑ β), and β adds up to (0.1 + 20) / 2.
        last = diffusion.linear_schedule(steps)[-1]
        assert 0 < last < 1.01 * np.exp(-10.05)

    @pytest.mark.parametrize("options", [{"steps": 20}, {"first": 0}, {"first": 30}, {"last": 200}])
    def test_linear_refuses_steps_that_add_all_or_nothing(self, options):
        with pytest.raises(ValueError, match="first is .* last"):
            diffusion.linear_schedule(**{"steps": 100} | options)

    @pytest.mark.parametrize("steps", [0, -1, 2.5, True])
    def test_schedules_need_a_number_of_steps(self, steps):
        for schedule in (diffusion.linear_schedule, diffusion.cosine_schedule):
            with pytest.raises(ValueError, match="steps is"):
                schedule(steps)

    def test_cosine_needs_an_offset_that_does_not_rise(self):
        with pytest.raises(ValueError, match="offset is -1"):
            diffusion.cosine_schedule(10, offset=-1)


class TestForward:
    @each_schedule
    def test_moments_are_those_of_the_chain_of_single_steps(self, alpha_bar):
        clean_mean, clean_variance = 3.0, 0.25
        mean, variance = clean_mean, clean_variance
        for beta, kept in zip(diffusion.added_variance(alpha_bar), alpha_bar, strict=True):
            # One step: √(1 − β) x + √β ε.
            mean, variance = np.sqrt(1 - beta) * mean, (1 - beta) * variance + beta
            # The closed form is linear in x₀ and ε, so its moments can be read off two calls.
            from_clean = diffusion.add_noise(np.ones(1), np.zeros(1), kept)[0]
            from_noise = diffusion.add_noise(np.zeros(1), np.ones(1), kept)[0]
            assert from_clean * clean_mean == pytest.approx(mean)
            closed = from_clean**2 * clean_variance + from_noise**2
            assert closed == pytest.approx(variance)

    @each_schedule
    def test_its_distribution_is_the_chains(self, alpha_bar):
        rng = np.random.default_rng(0)
        clean = rng.choice([-1.0, 2.0], 20_000)
        x = clean
        for beta in diffusion.added_variance(alpha_bar)[:40]:
            x = np.sqrt(1 - beta) * x + np.sqrt(beta) * rng.normal(size=x.shape)
        at_once = diffusion.add_noise(clean, rng.normal(size=x.shape), alpha_bar[39])
        assert stats.ks_2samp(x, at_once).pvalue > 0.001

    def test_each_sample_has_its_own_time(self):
        rng = np.random.default_rng(1)
        clean, noise = rng.normal(size=(2, 3, 4, 4, 1))
        alpha_bar = np.array([0.9, 0.5, 0.1])
        together = diffusion.add_noise(clean, noise, alpha_bar)
        for i in range(3):
            alone = diffusion.add_noise(clean[i], noise[i], alpha_bar[i])
            np.testing.assert_allclose(together[i], alone)
        tensors = [tf.constant(each) for each in (clean, noise, alpha_bar)]
        np.testing.assert_allclose(diffusion.add_noise(*tensors), together)

    def test_graphs_whose_batch_is_not_known_yet_give_the_same(self):
        rng = np.random.default_rng(2)
        clean, noise = rng.normal(size=(2, 3, 4, 1)).astype("float32")
        alpha_bar = np.array([0.9, 0.5, 0.1], "float32")
        unknown = [tf.TensorSpec([None, 4, 1]), tf.TensorSpec([None, 4, 1]), tf.TensorSpec([None])]
        traced = tf.function(diffusion.add_noise, input_signature=unknown)
        truth = diffusion.add_noise(clean, noise, alpha_bar)
        np.testing.assert_allclose(traced(clean, noise, alpha_bar), truth, rtol=1e-6)


class TestIdentities:
    @given(numbers, numbers, alpha_bars)
    def test_clean_and_noise_come_back(self, clean, noise, alpha_bar):
        clean, noise = np.array([clean]), np.array([noise])
        noisy = diffusion.add_noise(clean, noise, alpha_bar)
        v = diffusion.velocity(clean, noise, alpha_bar)
        close = {"atol": 1e-9}
        np.testing.assert_allclose(
            diffusion.clean_from_noise(noisy, noise, alpha_bar), clean, **close
        )
        np.testing.assert_allclose(
            diffusion.clean_from_velocity(noisy, v, alpha_bar), clean, **close
        )
        np.testing.assert_allclose(
            diffusion.noise_from_clean(noisy, clean, alpha_bar), noise, **close
        )
        # (xₜ, v) is (x₀, ε) turned by an angle, so ε comes back by turning the other way.
        turned = np.sqrt(1 - alpha_bar) * noisy + np.sqrt(alpha_bar) * v
        np.testing.assert_allclose(turned, noise, **close)

    @given(numbers, numbers, st.floats(0.02, 1.5))
    def test_velocity_is_the_derivative_along_the_circle(self, clean, noise, angle):
        # Salimans and Ho (2022): with √ᾱ = cos φ, v = d xₜ / d φ.
        def at(angle):
            return diffusion.add_noise(clean, noise, np.cos(angle) ** 2)

        slope = (at(angle + 1e-5) - at(angle - 1e-5)) / 2e-5
        v = diffusion.velocity(clean, noise, np.cos(angle) ** 2)
        assert v == pytest.approx(slope, abs=1e-6)


BETWEEN_TWO = [
    diffusion.add_noise,
    diffusion.velocity,
    diffusion.clean_from_noise,
    diffusion.clean_from_velocity,
    diffusion.noise_from_clean,
]


@pytest.mark.parametrize("function", BETWEEN_TWO)
class TestShapes:
    @pytest.mark.parametrize("shape", [(28, 28, 1), (1, 28, 28, 1), (5, 28, 28)])
    def test_one_array_does_not_stand_for_many(self, function, shape):
        with pytest.raises(ValueError, match=r"shapes \(5, 28, 28, 1\) and"):
            function(np.zeros((5, 28, 28, 1)), np.zeros(shape), 0.5)

    @pytest.mark.parametrize("shape", [(4,), (1,), (5, 1)])
    def test_each_sample_needs_its_alpha_bar(self, function, shape):
        with pytest.raises(ValueError, match="alpha_bar has shape .* one for each sample"):
            function(np.zeros((5, 2)), np.zeros((5, 2)), np.full(shape, 0.5))


class TestSteps:
    @given(numbers, numbers, alpha_bars, alpha_bars)
    def test_posterior_is_bayes_rule_for_gaussians(self, noisy, clean, one, other):
        earlier, alpha_bar = max(one, other), min(one, other)
        if earlier - alpha_bar < 1e-6:
            return
        # Given x₀, the pair (xₛ, xₜ) is Gaussian with these means and covariances.
        means = np.sqrt([earlier, alpha_bar]) * clean
        between = np.sqrt(alpha_bar / earlier) * (1 - earlier)
        truth_mean = means[0] + between / (1 - alpha_bar) * (noisy - means[1])
        truth_variance = (1 - earlier) - between**2 / (1 - alpha_bar)
        mean, variance = diffusion.posterior(noisy, clean, alpha_bar, earlier)
        assert mean == pytest.approx(truth_mean, abs=1e-7)
        assert variance == pytest.approx(truth_variance, abs=1e-9)

    def test_the_last_step_ends_at_the_guess(self):
        noisy, clean = np.random.default_rng(0).normal(size=(2, 5, 2))
        for step in (diffusion.ddim_step, diffusion.ddpm_step):
            end = step(noisy, clean, 0.7, 1.0, np.random.default_rng(1))
            np.testing.assert_allclose(end, clean, atol=1e-12)

    def test_ddpm_draws_from_the_posterior(self):
        rng = np.random.default_rng(2)
        noisy, clean = np.full(40_000, 0.8), np.full(40_000, -1.5)
        mean, variance = diffusion.posterior(0.8, -1.5, 0.3, 0.6)
        drawn = diffusion.ddpm_step(noisy, clean, 0.3, 0.6, rng)
        assert stats.kstest(drawn, stats.norm(mean, np.sqrt(variance)).cdf).pvalue > 0.001

    def test_ddpm_asks_for_what_it_draws_from(self):
        with pytest.raises(ValueError, match="rng is None"):
            diffusion.sample(
                lambda x, _: x, np.zeros(3), np.array([0.9, 0.1]), 2, diffusion.ddpm_step
            )

    def test_ddim_keeps_clean_and_noise_and_mixes_them_anew(self):
        clean, noise = np.random.default_rng(3).normal(size=(2, 6))
        noisy = diffusion.add_noise(clean, noise, 0.2)
        np.testing.assert_allclose(
            diffusion.ddim_step(noisy, clean, 0.2, 0.5), diffusion.add_noise(clean, noise, 0.5)
        )

    def test_times_fall_from_the_last_in_even_strides(self):
        np.testing.assert_array_equal(diffusion.sampling_times(5, 5), [4, 3, 2, 1, 0])
        np.testing.assert_array_equal(diffusion.sampling_times(100, 4), [99, 74, 49, 24])
        np.testing.assert_array_equal(diffusion.sampling_times(100, 1), [99])
        times = diffusion.sampling_times(1000, 37)
        assert times[0] == 999
        strides = -np.diff(times)
        assert len(times) == 37
        assert strides.max() - strides.min() <= 1

    @pytest.mark.parametrize("count", [0, 11, 2.5])
    def test_times_are_at_most_the_steps(self, count):
        with pytest.raises(ValueError, match="count is"):
            diffusion.sampling_times(10, count)


class TestSamplersOnGaussianData:
    """For x₀ from N(m, s²) the best guess E[x₀ | xₜ] is known, and so is where samplers end."""

    mean, deviation = 1.5, 0.4
    alpha_bar = diffusion.cosine_schedule(1000)

    def denoise(self, x, t):
        kept, variance = self.alpha_bar[t], self.deviation**2
        gain = np.sqrt(kept) * variance / (kept * variance + 1 - kept)
        return self.mean + gain * (x - np.sqrt(kept) * self.mean)

    def exact_flow(self, start):
        # In every step DDIM moves each quantile to the same quantile.
        kept = self.alpha_bar[-1]
        spread = np.sqrt(kept * self.deviation**2 + 1 - kept)
        return self.mean + self.deviation * (start - np.sqrt(kept) * self.mean) / spread

    def test_ddim_moves_quantiles_to_quantiles(self):
        start = np.linspace(-3, 3, 13)
        gaps = [
            np.abs(
                diffusion.sample(self.denoise, start, self.alpha_bar, count)
                - self.exact_flow(start)
            ).max()
            for count in (10, 100, 1000)
        ]
        # First order: a tenth of the step, a tenth of the error.
        assert gaps[0] > 5 * gaps[1] > 25 * gaps[2]
        assert gaps[2] < 0.005

    def test_ddpm_draws_the_data(self):
        rng = np.random.default_rng(0)
        start = rng.normal(size=4000)
        drawn = diffusion.sample(
            self.denoise, start, self.alpha_bar, 1000, diffusion.ddpm_step, rng
        )
        assert stats.kstest(drawn, stats.norm(self.mean, self.deviation).cdf).pvalue > 0.001
        # It forgets where it started, and DDIM does not.
        assert abs(np.corrcoef(start, drawn)[0, 1]) < 0.1

    def test_one_ddpm_step_has_the_exact_mean_and_at_most_the_exact_variance(self):
        kept, earlier, x = self.alpha_bar[600], self.alpha_bar[500], 0.7
        means = np.sqrt([earlier, kept]) * self.mean
        here, there = np.array([earlier, kept]) * self.deviation**2 + 1 - np.array([earlier, kept])
        between = np.sqrt(kept / earlier) * here
        exact_mean = means[0] + between / there * (x - means[1])
        exact_variance = here - between**2 / there
        mean, variance = diffusion.posterior(x, self.denoise(x, 600), kept, earlier)
        assert mean == pytest.approx(exact_mean)
        # What x₀ may still be is left out: Ho et al. (2020) call this the lower bound.
        assert 0.5 * exact_variance < variance < exact_variance

    def test_variance_in_place_of_the_deviation_narrows_the_data(self):
        def wrong_step(noisy, clean, alpha_bar, earlier, rng):
            mean, variance = diffusion.posterior(noisy, clean, alpha_bar, earlier)
            return mean + variance * rng.normal(size=noisy.shape)

        rng = np.random.default_rng(1)
        start = rng.normal(size=2000)
        drawn = diffusion.sample(self.denoise, start, self.alpha_bar, 1000, wrong_step, rng)
        assert drawn.std() < 0.5 * self.deviation

    def test_every_time_is_visited_once(self):
        seen = []

        def denoise(x, t):
            seen.append(t)
            return x

        diffusion.sample(denoise, np.zeros(1), self.alpha_bar[:7], 7)
        assert seen == [6, 5, 4, 3, 2, 1, 0]


class TestBatches:
    def test_rows_stay_together_and_all_are_drawn(self):
        images, labels = np.arange(40.0).reshape(20, 2), np.arange(20)
        seen = set()
        for x, y in diffusion.random_batches((images, labels), 8).take(30):
            assert x.shape == (8, 2)
            np.testing.assert_array_equal(x[:, 0], 2 * y)
            seen |= set(y.numpy().tolist())
        assert seen == set(range(20))

    def test_a_seed_fixes_them(self):
        def first(seed):
            return next(iter(diffusion.random_batches(np.arange(100), 50, seed))).numpy().tolist()

        assert first(0) == first(0)
        assert first(0) != first(1)

    def test_batches_follow_one_another_without_repeating(self):
        one, two = diffusion.random_batches(np.arange(100), 50).take(2)
        assert one.numpy().tolist() != two.numpy().tolist()

    @pytest.mark.parametrize(("images", "labels"), [(20, 19), (19, 20), (0, 0)])
    def test_every_row_needs_its_partner(self, images, labels):
        with pytest.raises(ValueError, match="arrays have"):
            diffusion.random_batches((np.zeros((images, 2)), np.zeros(labels)), 4)


class TestNetworks:
    def test_time_features_tell_times_apart(self):
        features = diffusion.TimeFeatures(200, 16)(np.arange(200)).numpy()
        assert features.shape == (200, 16)
        gaps = np.linalg.norm(features[:, None] - features[None], axis=-1)
        assert np.all(gaps[~np.eye(200, dtype=bool)] > 0.01)
        # Neighbours are alike: a network can pass from one time to the next.
        assert np.diag(gaps, 1).max() < 1

    def test_time_features_survive_saving(self):
        layer = diffusion.TimeFeatures(50, 8)
        copy = diffusion.TimeFeatures.from_config(layer.get_config())
        np.testing.assert_array_equal(copy(np.arange(9)), layer(np.arange(9)))

    def test_time_features_come_in_pairs(self):
        with pytest.raises(ValueError, match="width is 7"):
            diffusion.TimeFeatures(50, 7)
        with pytest.raises(ValueError, match="width is 0"):
            diffusion.TimeFeatures(50, 0)

    def test_point_network_listens_to_points_and_times(self):
        network = diffusion.build_point_network(10, widths=(8,))
        points = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")
        early, late = network([points, np.zeros(3)]), network([points, np.full(3, 9)])
        assert early.shape == (3, 2)
        assert np.all(np.abs(early - late) > 1e-6)

    @pytest.mark.parametrize(
        ("widths", "blocks"), [((4, 6), (1, 2)), ((4,), (1,)), ((4, 6), (0, 1))]
    )
    def test_image_network_listens_to_image_time_and_label(self, widths, blocks):
        network = diffusion.build_image_network(
            10, (8, 12, 2), num_classes=3, widths=widths, blocks=blocks, embedding=8
        )
        images = np.random.default_rng(0).normal(size=(2, 8, 12, 2)).astype("float32")
        first = network([images, np.array([1, 1]), np.array([0, 0])]).numpy()
        assert first.shape == images.shape
        for other in (
            [images, np.array([9, 9]), np.array([0, 0])],
            [images, np.array([1, 1]), np.array([3, 3])],
            [images[::-1], np.array([1, 1]), np.array([0, 0])],
        ):
            assert np.abs(network(other) - first).max() > 1e-4

    def test_image_network_sees_the_whole_image(self):
        network = diffusion.build_image_network(10, (16, 16, 1), widths=(4, 6), blocks=(1, 2))
        image = tf.Variable(np.random.default_rng(0).normal(size=(1, 16, 16, 1)), dtype="float32")
        zero = [tf.zeros((1,), "int32")] * 2
        with tf.GradientTape() as tape:
            corner = network([tf.identity(image), *zero])[0, 0, 0, 0]
        assert np.all(tape.gradient(corner, image).numpy() != 0)

    @pytest.mark.parametrize("shape", [(28, 30, 1), (6, 8, 1)])
    def test_image_network_needs_sides_that_halve(self, shape):
        with pytest.raises(ValueError, match="multiples of 4"):
            diffusion.build_image_network(10, shape)

    @pytest.mark.parametrize("blocks", [(1,), (1, 1, 1)])
    def test_image_network_needs_blocks_for_each_level(self, blocks):
        with pytest.raises(ValueError, match="blocks is"):
            diffusion.build_image_network(10, widths=(4, 6), blocks=blocks)


def echo(inputs=2, gain=1.0):
    """A network whose output is its noisy input times a number, and whose only weight that is."""
    entries = [keras.Input((2,)), *(keras.Input((), dtype="int32") for _ in range(inputs - 1))]
    scale = keras.layers.Rescaling(gain)(entries[0])
    kernel = keras.initializers.Identity()
    return keras.Model(
        entries, keras.layers.Dense(2, use_bias=False, kernel_initializer=kernel)(scale)
    )


class TestDiffusion:
    alpha_bar = diffusion.cosine_schedule(20)

    @pytest.mark.parametrize("target", diffusion.TARGETS)
    def test_calls_turn_the_output_into_a_clean_guess(self, target):
        model = diffusion.Diffusion(echo(), self.alpha_bar, target)
        x, t = np.array([[0.5, -1.0], [2.0, 0.3]], "float32"), np.array([3, 12])
        kept = self.alpha_bar[t][:, None]
        truth = {
            "noise": x * (1 - np.sqrt(1 - kept)) / np.sqrt(kept),
            "velocity": x * (np.sqrt(kept) - np.sqrt(1 - kept)),
        }
        np.testing.assert_allclose(model([x, t]), truth[target], rtol=1e-5)
        model.bounds = (-0.1, 0.2)
        np.testing.assert_allclose(model([x, t]), np.clip(truth[target], -0.1, 0.2), rtol=1e-5)

    def test_the_denoiser_gives_every_point_the_same_time(self):
        model = diffusion.Diffusion(echo(), self.alpha_bar)
        x = np.random.default_rng(0).normal(size=(5, 2))
        clean = model.denoiser()(x, 7)
        assert isinstance(clean, np.ndarray)
        np.testing.assert_allclose(clean, model([x, np.full(5, 7)]), rtol=1e-5)

    @pytest.mark.parametrize("target", diffusion.TARGETS)
    def test_the_loss_is_the_squared_error_of_the_target(self, target):
        keras.utils.set_random_seed(0)
        # A network that always says 0 has the loss E ε² = 1, or E v² = ᾱ + (1 − ᾱ) x₀².
        model = diffusion.Diffusion(echo(gain=0.0), self.alpha_bar, target)
        model.compile(keras.optimizers.SGD(0.0))
        loss = model.learn(ops.full((50_000, 2), 2.0))["loss"]
        truth = {"noise": 1.0, "velocity": np.mean(self.alpha_bar + (1 - self.alpha_bar) * 4)}
        assert float(loss) == pytest.approx(truth[target], rel=0.02)

    def test_a_step_moves_the_network_and_the_average_follows(self):
        keras.utils.set_random_seed(0)
        model = diffusion.Diffusion(echo(), self.alpha_bar, average_decay=0.9)
        model.compile(keras.optimizers.SGD(0.1))
        (average,), (weight,) = model.averaged_network.weights, model.network.weights
        for step in range(1, 30):
            before = average.numpy()
            model.learn(ops.ones((4, 2)))
            decay = min(0.9, (1 + step) / (10 + step))
            truth = decay * before + (1 - decay) * weight.numpy()
            np.testing.assert_allclose(average, truth, rtol=1e-5)
        assert np.abs(weight.numpy() - np.eye(2)).max() > 0.01

    def test_learns_where_the_data_are(self):
        keras.utils.set_random_seed(0)
        model = diffusion.Diffusion(
            diffusion.build_point_network(20, widths=(32,)), self.alpha_bar, "velocity"
        )
        data = np.tile(np.array([[2.0, -1.0]], "float32"), (10, 1))
        losses = diffusion.train(model, data, updates=300, batch_size=64, rate=1e-2)
        assert len(losses) == 10
        assert losses[-1] < 0.3 * losses[0]
        assert int(model.optimizer.iterations) == 300
        start = np.random.default_rng(0).normal(size=(50, 2)).astype("float32")
        drawn = diffusion.sample(model.denoiser(), start, self.alpha_bar, 10)
        np.testing.assert_allclose(drawn.mean(axis=0), [2, -1], atol=0.1)
        assert drawn.std(axis=0).max() < 0.2

    @pytest.mark.parametrize("updates", [0, 25])
    def test_training_goes_in_ten_equal_parts(self, updates):
        model = diffusion.Diffusion(echo(), self.alpha_bar)
        with pytest.raises(ValueError, match="updates is"):
            diffusion.train(model, np.zeros((3, 2), "float32"), updates, 2, 0.1)

    def test_refuses_what_it_does_not_know(self):
        with pytest.raises(ValueError, match="target is 'image'"):
            diffusion.Diffusion(echo(), self.alpha_bar, "image")
        for alpha_bar in (0.5, [1.0, 0.5], [0.5, 0.0], [[0.5]]):
            with pytest.raises(ValueError, match="alpha_bar has shape"):
                diffusion.Diffusion(echo(), alpha_bar)
        for decay in (1.0, -0.1):
            with pytest.raises(ValueError, match="average_decay"):
                diffusion.Diffusion(echo(), self.alpha_bar, average_decay=decay)
        with pytest.raises(ValueError, match="bounds is"):
            diffusion.Diffusion(echo(), self.alpha_bar, bounds=(1.0, -1.0))


def labelled(**options):
    """A small guided model of points with three labels; 3 stands for none."""
    points, times = keras.Input((2,)), keras.Input((), dtype="int32")
    labels = keras.Input((), dtype="int32")
    told = keras.layers.Embedding(4, 2, embeddings_initializer="normal", name="told")(labels)
    output = keras.layers.Add()([keras.layers.Dense(2)(points), told])
    network = keras.Model([points, times, labels], output)
    return diffusion.GuidedDiffusion(
        network, TestDiffusion.alpha_bar, no_label=3, target="velocity", **options
    )


class TestGuidance:
    def test_the_change_that_a_label_makes_is_multiplied(self):
        model = labelled()
        x = np.random.default_rng(0).normal(size=(4, 2)).astype("float32")
        t, labels = np.array([0, 5, 9, 19]), np.array([0, 1, 2, 0])

        def clean(labels):
            output = model.averaged_network([x, t, labels])
            return diffusion.clean_from_velocity(x, output, TestDiffusion.alpha_bar[t]).numpy()

        told, untold = clean(labels), clean(np.full(4, 3))
        assert np.abs(told - untold).max() > 0.01
        # x₀ is linear in the output, so what holds for outputs holds for guesses.
        for guidance, truth in {0: untold, 1: told, 2: 2 * told - untold}.items():
            model.guidance.assign(guidance)
            np.testing.assert_allclose(model([x, t, labels]), truth, atol=1e-5)

    def test_the_denoiser_remembers_labels_and_hears_of_guidance(self):
        model, x, labels = labelled(), np.ones((3, 2), "float32"), np.array([0, 1, 2])
        denoise = model.denoiser(labels)
        for guidance in (1.0, 3.0):
            model.guidance.assign(guidance)
            truth = model([x, np.full(3, 4), labels])
            np.testing.assert_allclose(denoise(x, 4), truth, rtol=1e-5)

    @pytest.mark.parametrize(("drop", "moved"), [(0.0, [0, 1]), (1.0, [3])])
    def test_dropped_labels_teach_the_network_without(self, drop, moved):
        model = labelled(drop=drop)
        model.compile(keras.optimizers.SGD(0.1))
        told = model.network.get_layer("told").embeddings
        before = told.numpy()
        model.train_step((ops.ones((40, 2)), ops.convert_to_tensor([0, 1] * 20)))
        changed = np.flatnonzero(np.any(told.numpy() != before, axis=1))
        np.testing.assert_array_equal(changed, moved)

    def test_the_share_that_is_dropped(self):
        keras.utils.set_random_seed(0)
        model = labelled(drop=0.1)
        seen = []
        model.learn = lambda clean, labels: seen.append(labels)
        model.train_step((ops.ones((20_000, 2)), ops.ones((20_000,), "int32")))
        labels = ops.convert_to_numpy(seen[0])
        assert set(labels) == {1, 3}
        assert np.mean(labels == 3) == pytest.approx(0.1, abs=0.01)

    @pytest.mark.parametrize("drop", [-0.1, 10])
    def test_the_share_is_a_share(self, drop):
        with pytest.raises(ValueError, match="drop is"):
            labelled(drop=drop)

    def test_takes_a_step_at_full_size(self):
        network = diffusion.build_image_network(1000, widths=(64, 128), blocks=(2, 3))
        model = diffusion.GuidedDiffusion(network, diffusion.cosine_schedule(1000))
        model.compile(keras.optimizers.Adam(1e-3))
        before = network.get_weights()
        loss = model.train_step((ops.ones((2, 28, 28, 1)), ops.convert_to_tensor([0, 9])))["loss"]
        assert np.isfinite(float(loss))
        moved = [np.any(a != b) for a, b in zip(before, network.get_weights(), strict=True)]
        assert np.all(moved)

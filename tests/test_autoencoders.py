import tomllib

from helpers import ROOT, autoencoders, fitting, metrics

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops
from scipy import integrate, special, stats
from sklearn import decomposition

SMALL = (8, 8, 1)


def pictures(count, shape=SMALL, seed=0):
    return np.random.default_rng(seed).random((count, *shape), dtype="float32")


def small_vae(latent_size=2, **options):
    return autoencoders.VariationalAutoencoder(
        autoencoders.build_dense_encoder(2 * latent_size, SMALL, widths=[6]),
        autoencoders.build_dense_decoder(latent_size, SMALL, widths=[6], activation=None),
        **options,
    )


class TestNetworks:
    @pytest.mark.parametrize("kind", ["dense", "convolutional"])
    def test_the_halves_fit(self, kind):
        encoder = getattr(autoencoders, f"build_{kind}_encoder")(5, SMALL, [4, 3])
        decoder = getattr(autoencoders, f"build_{kind}_decoder")(5, SMALL, [3, 4])
        images = pictures(3)
        assert encoder(images).shape == (3, 5)
        drawn = np.asarray(autoencoders.build_autoencoder(encoder, decoder)(images))
        assert drawn.shape == images.shape
        assert drawn.min() > 0 and drawn.max() < 1

    @pytest.mark.parametrize("kind", ["dense", "convolutional"])
    def test_codes_and_logits_have_no_bounds(self, kind):
        encoder = getattr(autoencoders, f"build_{kind}_encoder")(5, SMALL, [4, 3])
        decoder = getattr(autoencoders, f"build_{kind}_decoder")(5, SMALL, [3, 4], activation=None)
        for network in (encoder, decoder):
            last = [layer for layer in network.layers if layer.weights][-1]
            # Negating the last weights negates the output only if nothing bends it.
            images = np.random.default_rng(0).normal(size=(20, *network.input_shape[1:]))
            before = np.asarray(network(images))
            last.set_weights([-weight for weight in last.get_weights()])
            np.testing.assert_allclose(network(images), -before, rtol=1e-5)
            assert np.abs(before).max() > 0

    def test_each_convolution_halves_the_sides(self):
        encoder = autoencoders.build_convolutional_encoder(2, (16, 24, 3), [4, 6])
        shapes = [layer.output.shape[1:] for layer in encoder.layers[:2]]
        assert shapes == [(8, 12, 4), (4, 6, 6)]

    def test_weights_of_the_dense_pair(self):
        encoder = autoencoders.build_dense_encoder(8)
        decoder = autoencoders.build_dense_decoder(8)
        into = 784 * 256 + 256 + 256 * 128 + 128 + 128 * 8 + 8
        back = 8 * 128 + 128 + 128 * 256 + 256 + 256 * 784 + 784
        assert (encoder.count_params(), decoder.count_params()) == (into, back)

    def test_sides_that_cannot_be_halved(self):
        with pytest.raises(ValueError, match="multiples of 4"):
            autoencoders.build_convolutional_decoder(2, (10, 8, 1), [4, 4])
        with pytest.raises(ValueError, match="sides must be even"):
            autoencoders.build_denoiser((7, 8, 1))

    @pytest.mark.parametrize("size", [0, 1.5])
    def test_bad_code_size(self, size):
        for build in (
            autoencoders.build_dense_encoder,
            autoencoders.build_dense_decoder,
            autoencoders.build_convolutional_encoder,
            autoencoders.build_convolutional_decoder,
        ):
            with pytest.raises(ValueError, match="code_size is"):
                build(size, SMALL)

    def test_halves_that_do_not_fit(self):
        encoder = autoencoders.build_dense_encoder(3, SMALL)
        with pytest.raises(ValueError, match=r"codes of shape \(3,\) and decoder takes \(2,\)"):
            autoencoders.build_autoencoder(encoder, autoencoders.build_dense_decoder(2, SMALL))
        other = autoencoders.build_dense_decoder(3, (4, 4, 1))
        with pytest.raises(ValueError, match="the two must be the same"):
            autoencoders.build_autoencoder(encoder, other)

    def test_the_linear_autoencoder_is_linear(self):
        model = autoencoders.build_linear_autoencoder(3, SMALL)
        a, b = pictures(2, seed=1)
        at_a, at_b, at_sum, at_zero = np.asarray(model(np.stack([a, b, a + b, 0 * a])))
        np.testing.assert_allclose(at_sum - at_zero, at_a + at_b - 2 * at_zero, atol=1e-5)

    def test_the_denoiser_sees_far_and_near(self):
        model = autoencoders.build_denoiser(SMALL, [3, 4])
        (both,) = [layer for layer in model.layers if isinstance(layer, layers.Concatenate)]
        assert [tensor.shape[1:] for tensor in both.input] == [(8, 8, 3), (8, 8, 3)]
        assert model(pictures(2)).shape == (2, *SMALL)


class TestPairs:
    def test_same_pairs_hold_every_image_once_in_a_new_order(self):
        images = pictures(10)
        epochs = []
        pairs = autoencoders.same_pairs(images, 4, seed=0)
        for _ in range(2):
            given, target = (np.concatenate(part) for part in zip(*pairs, strict=True))
            np.testing.assert_array_equal(given, target)
            epochs.append(given)
        assert len(pairs) == 3
        assert not np.array_equal(*epochs)
        for epoch in epochs:
            np.testing.assert_array_equal(
                np.sort(epoch.sum((1, 2, 3))), np.sort(images.sum((1, 2, 3)))
            )

    def test_noise_has_its_moments_and_the_target_none(self):
        images = np.full((200, *SMALL), 0.5, "float32")
        given, target = next(iter(autoencoders.noisy_pairs(images, 0.4, 200, seed=1)))
        np.testing.assert_array_equal(target, images)
        noise = given.numpy() - images
        assert stats.kstest(noise.ravel(), stats.norm(0, 0.4).cdf).pvalue > 0.001
        # Each pixel by itself: neighbours and images are not correlated.
        assert abs(np.corrcoef(noise[:, 0, 0, 0], noise[:, 0, 1, 0])[0, 1]) < 0.3
        assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.5

    @pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
    def test_noise_keeps_the_kind_of_the_images(self, kind):
        images = pictures(3).astype(kind)
        for batch in autoencoders.noisy_pairs(images, 0.4, 2, seed=0):
            assert [part.dtype.name for part in batch] == [kind, kind]
        # No noise leaves the images as they are, whatever their kind.
        ((given, target),) = autoencoders.noisy_pairs(images, 0, 3, seed=0)
        np.testing.assert_array_equal(given, target)

    def test_noise_is_fresh_in_every_epoch(self):
        pairs = autoencoders.noisy_pairs(pictures(1), 0.4, 1, seed=0)
        first, second = (next(iter(pairs))[0].numpy() for _ in range(2))
        assert np.abs(first - second).min() > 0

    def test_bad_arguments(self):
        with pytest.raises(ValueError, match="batch_size is 0"):
            autoencoders.same_pairs(pictures(2), 0, seed=0)
        with pytest.raises(ValueError, match="seed is -1"):
            autoencoders.noisy_pairs(pictures(2), 0.1, 2, seed=-1)

    @pytest.mark.parametrize("deviation", [-0.1, float("nan"), float("inf")])
    def test_bad_deviation(self, deviation):
        with pytest.raises(ValueError, match="deviation is"):
            autoencoders.noisy_pairs(pictures(2), deviation, 2, seed=0)


class TestTraining:
    @pytest.mark.parametrize("kind", ["dense", "convolutional"])
    def test_a_decoder_starts_at_the_brightness_of_the_images(self, kind):
        decoder = getattr(autoencoders, f"build_{kind}_decoder")(2, SMALL, [4], activation=None)
        images = pictures(5) / 4
        autoencoders.start_at_the_mean(decoder, images)
        # Code 0 passes only biases, and all but the last are 0 at the start.
        drawn = special.expit(decoder(np.zeros((1, 2))))
        np.testing.assert_allclose(drawn, np.full((1, *SMALL), images.mean()), rtol=1e-4)

    def test_a_decoder_of_black_images_starts_finite(self):
        decoder = autoencoders.build_dense_decoder(2, SMALL, [], activation=None)
        autoencoders.start_at_the_mean(decoder, np.zeros((1, *SMALL)))
        assert np.isfinite(decoder(np.zeros((1, 2)))).all()

    def test_a_linear_autoencoder_finds_pca(self):
        rng = np.random.default_rng(0)
        flat = rng.normal(size=(300, 3)) * [3, 2, 1] @ rng.normal(size=(3, 16))
        flat = (flat + 0.3 * rng.normal(size=flat.shape) + 1).astype("float32")
        pca = decomposition.PCA(2).fit(flat)
        best = np.mean((pca.inverse_transform(pca.transform(flat)) - flat) ** 2)
        images = flat.reshape(-1, 4, 4, 1)
        keras.utils.set_random_seed(0)
        model = autoencoders.build_linear_autoencoder(2, (4, 4, 1))
        pairs = autoencoders.same_pairs(images, 30, seed=0)
        losses = autoencoders.train(model, pairs, 80, 3e-2, "mse")
        assert len(losses) == 80
        error = autoencoders.squared_errors(images, model(images)).mean()
        assert best * (1 - 1e-5) <= error < 1.01 * best

    def test_squared_errors_are_psnr_in_other_units(self):
        a, b = pictures(5, seed=0), pictures(5, seed=1)
        errors = autoencoders.squared_errors(a, b)
        np.testing.assert_allclose(-10 * np.log10(errors), metrics.psnr(a, b), rtol=1e-6)
        with pytest.raises(ValueError, match="must be the same"):
            autoencoders.squared_errors(a, b[:1])


class TestDivergence:
    @settings(deadline=None, max_examples=30)
    @given(st.floats(-3, 3), st.floats(-3, 2))
    def test_one_dimension_by_quadrature(self, mean, log_var):
        q = stats.norm(mean, np.exp(log_var / 2))
        p = stats.norm()
        truth, _ = integrate.quad(
            lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), *q.interval(1 - 1e-13)
        )
        found = autoencoders.kl_divergence(np.array([[mean]]), np.array([[log_var]]))
        assert float(found[0]) == pytest.approx(truth, abs=1e-5)

    def test_monte_carlo_in_many_dimensions(self):
        rng = np.random.default_rng(0)
        mean, log_var = rng.normal(size=(2, 6))
        q = stats.multivariate_normal(mean, np.diag(np.exp(log_var)))
        z = q.rvs(200_000, random_state=rng)
        terms = q.logpdf(z) - stats.multivariate_normal(np.zeros(6)).logpdf(z)
        found = float(autoencoders.kl_divergence(mean[None], log_var[None])[0])
        assert found == pytest.approx(terms.mean(), abs=5 * terms.std() / np.sqrt(len(z)))

    def test_it_is_a_sum_over_the_last_axis_alone(self):
        mean, log_var = np.random.default_rng(1).normal(size=(2, 3, 4, 5))
        found = autoencoders.kl_divergence(mean, log_var)
        assert found.shape == (3, 4)
        single = autoencoders.kl_divergence(mean[..., None], log_var[..., None])
        np.testing.assert_allclose(found, np.sum(single, axis=-1), rtol=1e-6)

    def test_zero_for_the_prior_and_above_elsewhere(self):
        assert float(autoencoders.kl_divergence(np.zeros((1, 7)), np.zeros((1, 7)))[0]) == 0
        rng = np.random.default_rng(2)
        found = autoencoders.kl_divergence(*rng.normal(size=(2, 100, 3)))
        assert np.min(found) > 0

    def test_shapes_that_differ(self):
        with pytest.raises(ValueError, match=r"mean has shape \(2, 3\) and log_var \(2, 1\)"):
            autoencoders.kl_divergence(np.zeros((2, 3)), np.zeros((2, 1)))


class TestTerms:
    def test_reparameterised_codes_have_the_moments(self):
        noise = np.random.default_rng(0).normal(size=(100_000, 2))
        mean, log_var = np.array([1.0, -2.0]), np.log([4.0, 0.25])
        codes = np.asarray(autoencoders.reparameterise(mean, log_var, noise))
        np.testing.assert_allclose(codes.mean(axis=0), mean, atol=0.03)
        np.testing.assert_allclose(codes.std(axis=0), [2, 0.5], rtol=0.02)

    def test_the_gradient_reaches_both(self):
        mean, log_var = tf.Variable([0.5]), tf.Variable([np.log(9.0)], dtype="float32")
        with tf.GradientTape() as tape:
            code = autoencoders.reparameterise(mean, log_var, tf.constant([2.0]))
        # z = μ + e^(s/2) ε, so ∂z/∂μ = 1 and ∂z/∂s = ½ σ ε.
        by_mean, by_log_var = tape.gradient(code, [mean, log_var])
        assert float(by_mean[0]) == 1
        assert float(by_log_var[0]) == pytest.approx(3)

    def test_cross_entropy_is_the_likelihood_of_black_and_white(self):
        rng = np.random.default_rng(1)
        images, logits = rng.integers(0, 2, (3, *SMALL)), rng.normal(size=(3, *SMALL))
        truth = -stats.bernoulli.logpmf(images, special.expit(logits)).sum(axis=(1, 2, 3))
        found = autoencoders.bernoulli_cross_entropy(images.astype(float), logits)
        np.testing.assert_allclose(found, truth, rtol=1e-5)

    def test_cross_entropy_of_grey_is_least_at_the_pixel(self):
        images = np.full((1, *SMALL), 0.3)
        logits = special.logit(images)
        floor = 64 * stats.bernoulli(0.3).entropy()
        assert float(autoencoders.bernoulli_cross_entropy(images, logits)[0]) == pytest.approx(
            floor
        )
        for shift in (-0.1, 0.1):
            assert autoencoders.bernoulli_cross_entropy(images, logits + shift)[0] > floor

    def test_cross_entropy_of_several_answers_to_an_image(self):
        rng = np.random.default_rng(2)
        images, logits = rng.random((3, 1, *SMALL)), rng.normal(size=(3, 5, *SMALL))
        found = autoencoders.bernoulli_cross_entropy(images, logits)
        p = special.expit(logits)
        truth = -(images * np.log(p) + (1 - images) * np.log(1 - p)).sum(axis=(2, 3, 4))
        np.testing.assert_allclose(found, truth, rtol=1e-5)

    def test_images_without_channels_would_meet_the_wrong_pixels(self):
        # (1, 8, 8) and (1, 8, 8, 1) can be broadcast, row against column.
        with pytest.raises(ValueError, match=r"images has shape \(1, 8, 8\).* must be the same"):
            autoencoders.bernoulli_cross_entropy(np.zeros((1, 8, 8)), np.zeros((1, 8, 8, 1)))

    def test_cross_entropy_of_extreme_logits(self):
        logits = np.array([1e4, -1e4]).reshape(2, 1, 1, 1)
        found = autoencoders.bernoulli_cross_entropy(np.ones((2, 1, 1, 1)), logits)
        np.testing.assert_allclose(found, [0, 1e4])


class TestVariationalAutoencoder:
    @pytest.mark.parametrize("beta", [1.0, 3.0])
    def test_the_loss_is_the_negative_bound(self, beta):
        vae = small_vae(beta=beta)
        vae.compile(keras.optimizers.SGD(0.0))
        found = vae.fit(pictures(32), batch_size=32, verbose=0).history
        loss, elbo = found["loss"][0], found["elbo"][0]
        reconstruction, kl = found["reconstruction"][0], found["kl"][0]
        assert elbo == pytest.approx(-reconstruction - kl, rel=1e-5)
        assert loss == pytest.approx(reconstruction + beta * kl, rel=1e-5)
        # 64 pixels cost about log 2 each at first: nats per image, not per pixel.
        assert 30 < reconstruction < 120

    def test_training_moves_every_weight_and_raises_the_bound(self):
        keras.utils.set_random_seed(0)
        vae = small_vae()
        vae.compile(keras.optimizers.Adam(1e-2))
        before = vae.get_weights()
        bounds = vae.fit(pictures(8), batch_size=8, epochs=30, verbose=0).history["elbo"]
        assert np.mean(bounds[-5:]) > bounds[0] + 1
        for old, new in zip(before, vae.get_weights(), strict=True):
            assert not np.array_equal(old, new)

    def test_evaluation_moves_nothing(self):
        vae = small_vae()
        vae.compile(keras.optimizers.Adam(1e-2))
        before = vae.get_weights()
        assert np.isfinite(vae.evaluate(pictures(8), verbose=0, return_dict=True)["elbo"])
        for old, new in zip(before, vae.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)

    def test_pictures_come_out(self):
        vae = small_vae()
        for images in (vae(pictures(3)), vae.sample(3)):
            assert images.shape == (3, *SMALL)
            assert np.min(images) > 0 and np.max(images) < 1
        np.testing.assert_array_equal(vae.sample(2, seed=0), vae.sample(2, seed=0))
        assert not np.array_equal(vae.sample(2), vae.sample(2))

    def test_an_encoder_without_variance_is_refused(self):
        with pytest.raises(ValueError, match="the encoder must give 4: mean and log-variance"):
            autoencoders.VariationalAutoencoder(
                autoencoders.build_dense_encoder(2, SMALL),
                autoencoders.build_dense_decoder(2, SMALL),
            )

    def test_images_of_another_shape_are_refused(self):
        with pytest.raises(ValueError, match="the two must be the same"):
            autoencoders.VariationalAutoencoder(
                autoencoders.build_dense_encoder(4, SMALL),
                autoencoders.build_dense_decoder(2, (4, 4, 1)),
            )

    @pytest.mark.parametrize("kind", ["dense", "convolutional"])
    def test_a_decoder_of_probabilities_is_refused(self, kind):
        encoder = getattr(autoencoders, f"build_{kind}_encoder")(4, SMALL, [4, 3])
        decoder = getattr(autoencoders, f"build_{kind}_decoder")(2, SMALL, [3, 4])
        with pytest.raises(ValueError, match="it must give logits"):
            autoencoders.VariationalAutoencoder(encoder, decoder)

    def test_no_samples_at_all(self):
        with pytest.raises(ValueError, match="count is 0"):
            small_vae().sample(0)

    @pytest.mark.parametrize("beta", [-1, float("nan")])
    def test_bad_beta(self, beta):
        with pytest.raises(ValueError, match="beta is"):
            small_vae(beta=beta)


@pytest.fixture(scope="module")
def vae():
    """A model with a code of one number, where the likelihood itself can be integrated."""
    keras.utils.set_random_seed(1)
    vae = small_vae(latent_size=1)
    for weight in vae.weights:
        if len(weight.shape) == 1:
            weight.assign(np.random.default_rng(3).normal(size=weight.shape))
    # Clouds near the prior cover every posterior, so that weighted draws can reach the truth.
    vae.encoder.layers[-1].bias.assign([0.3, -0.4])
    return vae


@pytest.fixture(scope="module")
def log_likelihood(vae):
    z, width = np.linspace(-9, 9, 6001, retstep=True)
    logits = np.asarray(vae.decoder(z[:, None].astype("float32")))[None]
    images = pictures(4)[:, None]
    log_joint = (images * logits - np.logaddexp(0, logits)).sum(axis=(2, 3, 4))
    return special.logsumexp(log_joint + stats.norm.logpdf(z), axis=1) + np.log(width)


class TestBounds:
    def test_many_samples_reach_the_likelihood(self, vae, log_likelihood):
        found = autoencoders.importance_weighted_bound(vae, pictures(4), samples=20_000)
        np.testing.assert_allclose(found, log_likelihood, atol=0.05)

    def test_the_bounds_stand_in_order(self, vae, log_likelihood):
        reconstruction, kl = autoencoders.evidence_lower_bound(vae, pictures(4), samples=5_000)
        elbo = -(reconstruction + kl)
        runs = [
            autoencoders.importance_weighted_bound(vae, pictures(4), samples=8, seed=seed)
            for seed in range(300)
        ]
        assert np.all(elbo < np.mean(runs, axis=0))
        assert np.all(np.mean(runs, axis=0) < log_likelihood)

    def test_one_sample_has_the_elbo_as_its_mean(self, vae):
        reconstruction, kl = autoencoders.evidence_lower_bound(vae, pictures(1), samples=20_000)
        many = np.repeat(pictures(1), 20_000, axis=0)
        found = autoencoders.importance_weighted_bound(vae, many, samples=1)
        error = 5 * found.std() / np.sqrt(len(found))
        assert found.mean() == pytest.approx(float(-(reconstruction + kl)[0]), abs=2 * error)

    @pytest.mark.parametrize("at_once", [1, 4])
    def test_parts_do_not_change_the_result(self, vae, at_once):
        whole = autoencoders._weigh(vae, pictures(6), 3, 0)
        parts = autoencoders._weigh(vae, pictures(6), 3, 0, codes_at_once=at_once)
        for a, b in zip(whole, parts, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)

    def test_terms_agree_with_the_model(self, vae):
        mean, log_var = vae.encode(pictures(4))
        _, kl = autoencoders.evidence_lower_bound(vae, pictures(4))
        np.testing.assert_allclose(kl, autoencoders.kl_divergence(mean, log_var), rtol=1e-6)
        assert ops.shape(mean) == ops.shape(log_var) == (4, 1)

    def test_bad_arguments(self, vae):
        with pytest.raises(ValueError, match="samples is 0"):
            autoencoders.importance_weighted_bound(vae, pictures(1), samples=0)
        with pytest.raises(ValueError, match="seed is -1"):
            autoencoders.evidence_lower_bound(vae, pictures(1), seed=-1)


class TestFullSize:
    """The networks of the full profiles take one step; large images of noise will do."""

    @pytest.fixture
    def profiles(self):
        return tomllib.loads((ROOT / "notebooks" / "profiles.toml").read_text(encoding="utf-8"))

    @staticmethod
    def step(model, loss, *batch):
        fitting.compile_with_cosine(model, loss, 2e-3, steps=10)
        model.run_eagerly = True
        return model.fit(*batch, verbose=0).history["loss"]

    def test_autoencoders(self, profiles):
        full = profiles["08_autoencoders"]["full"]
        images, size = pictures(2, (28, 28, 1)), full["code_sizes"][-1]
        halves = [
            (
                autoencoders.build_dense_encoder(size, widths=full["widths"]),
                autoencoders.build_dense_decoder(size, widths=full["widths"][::-1]),
            ),
            (
                autoencoders.build_convolutional_encoder(size, widths=full["filters"]),
                autoencoders.build_convolutional_decoder(size, widths=full["filters"][::-1]),
            ),
        ]
        models = [autoencoders.build_autoencoder(*pair) for pair in halves]
        for model in [*models, autoencoders.build_denoiser(widths=full["denoiser_filters"])]:
            assert np.isfinite(self.step(model, "binary_crossentropy", images, images))

    def test_variational_autoencoders(self, profiles):
        full = profiles["09_variational_autoencoders"]["full"]
        encoder = autoencoders.build_convolutional_encoder(20, widths=full["encoder_filters"])
        decoder = autoencoders.build_convolutional_decoder(
            10, widths=full["decoder_filters"], activation=None
        )
        vae = autoencoders.VariationalAutoencoder(encoder, decoder)
        assert np.isfinite(self.step(vae, None, pictures(2, (28, 28, 1))))

from helpers import gans, metrics

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops
from scipy import special, stats

SMALL = (8, 8, 1)


def small_gan(**options):
    return gans.GAN(
        gans.build_generator(4, SMALL, widths=(6, 4)),
        gans.build_discriminator(SMALL, widths=(4, 6), hidden=8),
        **options,
    )


def compiled(gan, generator_rate=1e-2, discriminator_rate=1e-2, **options):
    gan.compile(*gans.adam_pair(generator_rate, discriminator_rate), **options)
    return gan


def stepping(gan, *rates):
    """As compiled, but for a few steps that are not worth compiling."""
    return compiled(gan, *rates, run_eagerly=True)


def digits(count, seed=0):
    return np.random.default_rng(seed).random((count, *SMALL), dtype="float32")


class TestTheory:
    @settings(deadline=None)
    @given(st.floats(0.01, 10), st.floats(0.01, 10))
    def test_no_other_answer_has_a_higher_value(self, p, q):
        best = gans.optimal_discriminator([p], [q])[0]
        tries = np.linspace(0.001, 0.999, 999)
        values = p * np.log(tries) + q * np.log(1 - tries)
        assert p * np.log(best) + q * np.log(1 - best) >= values.max() - 1e-12

    def test_answers_where_a_density_is_zero(self):
        best = gans.optimal_discriminator([1.0, 0.0, 0.0], [0.0, 2.0, 0.0])
        np.testing.assert_array_equal(best, [1, 0, 0.5])

    def test_divergence_of_equal_and_of_disjoint_distributions(self):
        assert gans.jensen_shannon_divergence([0.5, 0.5], [0.5, 0.5]) == 0
        assert gans.jensen_shannon_divergence([1, 0], [0, 1]) == pytest.approx(np.log(2))

    def test_divergence_is_the_mean_of_two_entropies_to_the_middle(self):
        p, q = np.random.default_rng(0).dirichlet(np.ones(6), 2)
        truth = (stats.entropy(p, (p + q) / 2) + stats.entropy(q, (p + q) / 2)) / 2
        assert gans.jensen_shannon_divergence(p, q) == pytest.approx(truth)

    def test_value_at_the_best_discriminator(self):
        # Goodfellow et al. (2014), theorem 1: V(D*, G) = −log 4 + 2 JS.
        p, q = np.random.default_rng(1).dirichlet(np.ones(6), 2)
        best = gans.optimal_discriminator(p, q)
        value = np.sum(p * np.log(best) + q * np.log(1 - best))
        assert value == pytest.approx(-np.log(4) + 2 * gans.jensen_shannon_divergence(p, q))

    def test_bad_densities(self):
        with pytest.raises(ValueError, match=r"p_data has shape \(2,\) and p_generator \(3,\)"):
            gans.optimal_discriminator(np.ones(2), np.ones(3))
        for bad in (-1.0, np.nan, np.inf):
            with pytest.raises(ValueError, match="p_data must be finite and at least 0"):
                gans.optimal_discriminator([bad], [1.0])
            with pytest.raises(ValueError, match="p_generator must be finite and at least 0"):
                gans.optimal_discriminator([1.0], [bad])

    def test_bad_distributions(self):
        with pytest.raises(ValueError, match="p_generator sums to 2"):
            gans.jensen_shannon_divergence([0.5, 0.5], [1, 1])


class TestLosses:
    def test_discriminator_loss_is_the_value_of_the_game(self):
        rng = np.random.default_rng(0)
        real, fake = rng.normal(size=(2, 20, 1))
        value = np.log(special.expit(real)).mean() + np.log(1 - special.expit(fake)).mean()
        assert float(gans.discriminator_loss(real, fake)) == pytest.approx(-value, rel=1e-5)

    def test_smoothing_agrees_with_keras(self):
        real, fake = np.random.default_rng(1).normal(size=(2, 20, 1)).astype("float32")
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        truth = float(loss(np.full((20, 1), 0.9), real)) + float(loss(np.zeros((20, 1)), fake))
        ours = float(gans.discriminator_loss(real, fake, smoothing=0.1))
        assert ours == pytest.approx(truth, rel=1e-5)

    def test_generator_losses_are_those_of_the_paper(self):
        fake = np.random.default_rng(2).normal(size=(20, 1))
        answer = special.expit(fake)
        assert float(gans.generator_loss(fake)) == pytest.approx(-np.log(answer).mean(), rel=1e-5)
        assert float(gans.saturating_generator_loss(fake)) == pytest.approx(
            np.log(1 - answer).mean(), rel=1e-5
        )

    def test_losses_of_logits_without_bound(self):
        far = np.array([-1000.0, 1000.0], "float32")
        assert float(gans.discriminator_loss(far, far)) == pytest.approx(1000)
        assert float(gans.generator_loss(far)) == pytest.approx(500)
        assert float(gans.saturating_generator_loss(far)) == pytest.approx(-500)

    @pytest.mark.parametrize("smoothing", [-0.1, 1.0, np.nan])
    def test_bad_smoothing(self, smoothing):
        with pytest.raises(ValueError, match=f"smoothing is {smoothing}"):
            gans.discriminator_loss(np.zeros(2), np.zeros(2), smoothing)
        with pytest.raises(ValueError, match=f"smoothing is {smoothing}"):
            small_gan(smoothing=smoothing)

    @pytest.mark.parametrize(
        ("loss", "slope"),
        [
            (gans.generator_loss, lambda a: special.expit(a) - 1),
            (gans.saturating_generator_loss, lambda a: -special.expit(a)),
        ],
    )
    def test_slopes(self, loss, slope):
        for logit in (-8.0, -1.0, 0.0, 3.0):
            variable = tf.Variable([logit])
            with tf.GradientTape() as tape:
                value = loss(variable)
            assert float(tape.gradient(value, variable)[0]) == pytest.approx(slope(logit), rel=1e-4)


class TestNetworks:
    @pytest.mark.parametrize("build", [gans.build_dense_generator, gans.build_generator])
    @pytest.mark.parametrize("shape", [(28, 28, 1), (32, 16, 3)])
    def test_generators_draw_images(self, build, shape):
        drawings = build(5, shape)(np.random.default_rng(0).normal(size=(3, 5)) * 10)
        assert drawings.shape == (3, *shape)
        assert float(ops.min(drawings)) >= 0
        assert float(ops.max(drawings)) <= 1

    @pytest.mark.parametrize("build", [gans.build_dense_discriminator, gans.build_discriminator])
    def test_discriminators_answer_in_logits_without_a_bound(self, build):
        discriminator = build(SMALL)
        assert discriminator.output_shape == (None, 1)
        assert discriminator.layers[-1].activation is keras.activations.linear

    @pytest.mark.parametrize("build", [gans.build_dense_discriminator, gans.build_discriminator])
    def test_verdicts_do_not_depend_on_the_batch(self, build):
        discriminator, images = build(SMALL), digits(6)
        alone = np.concatenate([discriminator(images[i : i + 1], training=True) for i in range(6)])
        np.testing.assert_allclose(discriminator(images, training=True), alone, atol=1e-5)

    def test_more_widths_make_more_stages(self):
        generator = gans.build_generator(5, (32, 32, 1), widths=(8, 6, 4))
        maps = [layer.output.shape[1] for layer in generator.layers if "conv2d" in layer.name]
        assert maps == [8, 16, 32]

    def test_no_width(self):
        with pytest.raises(ValueError, match=r"widths is \(\); there must be at least one"):
            gans.build_generator(widths=())

    def test_sides_that_cannot_be_halved(self):
        with pytest.raises(ValueError, match=r"image_shape is \(28, 30, 1\).*multiples of 4"):
            gans.build_generator(image_shape=(28, 30, 1))


class TestGAN:
    def test_fit_moves_all_three_networks(self):
        gan = compiled(small_gan())
        players = (gan.generator, gan.discriminator, gan.averaged_generator)
        before = [player.get_weights() for player in players]
        gan.fit(digits(12), batch_size=4, verbose=0)
        for player, weights in zip(players, before, strict=True):
            assert gans.weight_change(weights, player.get_weights()) > 0

    @pytest.mark.parametrize("still", ["generator", "discriminator"])
    def test_each_optimiser_moves_its_own_player_only(self, still):
        gan = small_gan()
        rates = {"generator": 0.1, "discriminator": 0.1, still: 0.0}
        gan.compile(*(keras.optimizers.SGD(rate) for rate in rates.values()))
        before = {name: getattr(gan, name).trainable_weights for name in rates}
        before = {name: [w.numpy().copy() for w in weights] for name, weights in before.items()}
        gan.fit(digits(8), batch_size=4, verbose=0)
        for name, weights in before.items():
            after = [w.numpy() for w in getattr(gan, name).trainable_weights]
            assert (gans.weight_change(weights, after) == 0) == (name == still)

    def test_a_step_is_one_gradient_step_for_each_player_from_the_same_start(self):
        # Linear players without random layers, so that the gradients can be found by hand.
        generator = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False)])
        discriminator = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False)])
        generator.set_weights([np.array([[0.5]])])
        discriminator.set_weights([np.array([[2.0]])])
        gan = gans.GAN(generator, discriminator)
        gan.noise = lambda count: ops.convert_to_tensor([[0.3], [-1.0]])
        gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
        real, noise = np.array([[1.0], [-0.4]]), np.array([[0.3], [-1.0]])
        gan.fit(real.astype("float32"), batch_size=2, verbose=0, shuffle=False)
        drawn = 0.5 * noise
        slope_d = np.mean(-special.expit(-2 * real) * real) + np.mean(
            special.expit(2 * drawn) * drawn
        )
        slope_g = np.mean(-special.expit(-2 * drawn) * 2 * noise)
        assert discriminator.get_weights()[0].item() == pytest.approx(2.0 - 0.1 * slope_d, rel=1e-5)
        assert generator.get_weights()[0].item() == pytest.approx(0.5 - 0.1 * slope_g, rel=1e-5)

    def test_reports_both_losses_of_a_discriminator_that_knows_nothing(self):
        gan = small_gan()
        gan.discriminator.layers[-1].set_weights([np.zeros((8, 1)), np.zeros(1)])
        gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
        history = gan.fit(digits(8), batch_size=4, verbose=0).history
        assert history["discriminator_loss"] == pytest.approx([2 * np.log(2)])
        assert history["generator_loss"] == pytest.approx([np.log(2)])

    def test_average_follows_with_a_ramped_decay(self):
        gan = small_gan(average_decay=0.9)
        gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
        start = gan.generator.get_weights()
        gan.fit(digits(4), batch_size=4, verbose=0)
        decay = min(0.9, 2 / 11)  # the optimiser has made one step
        for average, old, new in zip(
            gan.averaged_generator.get_weights(), start, gan.generator.get_weights(), strict=True
        ):
            np.testing.assert_allclose(average, decay * old + (1 - decay) * new, atol=1e-6)

    def test_without_decay_the_average_is_the_generator(self):
        gan = compiled(small_gan(average_decay=0.0))
        gan.fit(digits(8), batch_size=4, verbose=0)
        change = gans.weight_change(
            gan.generator.get_weights(), gan.averaged_generator.get_weights()
        )
        assert change == 0

    def test_calling_it_draws_by_the_average(self):
        gan, noise = compiled(small_gan()), np.ones((3, 4), "float32")
        gan.fit(digits(8), batch_size=4, verbose=0)
        np.testing.assert_allclose(
            gan.predict(noise, verbose=0), gan.averaged_generator(noise), atol=1e-6
        )

    def test_augmentation_touches_both_kinds_of_images_and_lets_the_gradient_pass(self):
        seen = []

        class Dim(layers.Layer):
            def call(self, images):
                seen.append(images)
                return images * 0.5

        gan = compiled(small_gan(augment=Dim()))
        before = gan.generator.get_weights()
        gan.fit(digits(4), batch_size=4, verbose=0)
        assert len(seen) == 2
        assert gans.weight_change(before, gan.generator.get_weights()) > 0

    def test_the_gradient_passes_through_the_shifts_of_build_dcgan(self):
        gan = gans.build_dcgan(4, SMALL, (6, 4), 8, shift=0.2)
        images = tf.Variable(digits(4))
        with tf.GradientTape() as tape:
            total = ops.sum(gan.augment(images, training=True))
        assert float(ops.max(ops.abs(tape.gradient(total, images)))) > 0

    def test_the_same_seed_gives_the_same_weights(self):
        def trained():
            keras.utils.set_random_seed(5)
            gan = compiled(gans.build_dcgan(4, SMALL, (6, 4), 8))
            gan.fit(digits(12), batch_size=4, epochs=2, verbose=0)
            return gan.generator.get_weights()

        assert gans.weight_change(trained(), trained()) == pytest.approx(0, abs=1e-4)

    def test_learns_a_constant_image(self):
        keras.utils.set_random_seed(0)
        gan = compiled(
            gans.GAN(
                gans.build_dense_generator(4, SMALL, (16,)),
                gans.build_dense_discriminator(SMALL, (16,)),
            ),
            1e-2,
            1e-2,
        )
        image = np.zeros(SMALL, "float32")
        image[2:6, 2:6] = 1
        gan.fit(np.tile(image, (1600, 1, 1, 1)), batch_size=16, epochs=2, verbose=0)
        drawings = gan.predict(np.random.default_rng(0).normal(size=(20, 4)), verbose=0)
        assert np.mean(np.abs(drawings - image)) < 0.15

    def test_players_of_different_sizes(self):
        with pytest.raises(ValueError, match=r"\(8, 8, 1\).*\(16, 16, 1\)"):
            gans.GAN(
                gans.build_generator(4, SMALL, widths=(6, 4)), gans.build_discriminator((16, 16, 1))
            )

    @pytest.mark.parametrize("shift", [-0.1, 1.0, np.nan])
    def test_bad_shift(self, shift):
        with pytest.raises(ValueError, match=f"shift is {shift}"):
            gans.build_dcgan(4, SMALL, (6, 4), 8, shift=shift)

    def test_one_optimiser_for_both_players(self):
        one = keras.optimizers.Adam()
        with pytest.raises(ValueError, match="each player needs an optimiser of its own"):
            small_gan().compile(one, one)

    @pytest.mark.parametrize("decay", [-0.1, 1.0])
    def test_bad_decay(self, decay):
        with pytest.raises(ValueError, match=f"average_decay is {decay}"):
            small_gan(average_decay=decay)

    def test_full_size_takes_a_step(self):
        gan = compiled(gans.build_dcgan(100, widths=(256, 128), hidden=256))
        history = gan.fit(np.zeros((2, 28, 28, 1), "float32"), batch_size=2, verbose=0).history
        assert np.isfinite(history["generator_loss"]).all()


def conditional_gan(**options):
    return gans.ConditionalGAN(
        gans.build_conditional_generator(4, 3, SMALL, widths=(6, 4)),
        gans.build_projection_discriminator(SMALL, 3, widths=(4, 6), hidden=8),
        **options,
    )


class TestConditionalNetworks:
    def test_the_generator_draws_by_noise_and_label(self):
        generator = gans.build_conditional_generator(4, 3, SMALL, widths=(6, 4))
        noise = np.repeat(np.random.default_rng(0).normal(size=(2, 4)) * 3, [3, 1], axis=0)
        drawings = np.asarray(generator([noise, np.array([0, 0, 2, 0])]))
        assert drawings.shape == (4, *SMALL)
        assert drawings.min() >= 0
        assert drawings.max() <= 1
        np.testing.assert_allclose(drawings[0], drawings[1], atol=1e-6)
        assert np.abs(drawings[0] - drawings[2]).max() > 1e-5  # another label
        assert np.abs(drawings[0] - drawings[3]).max() > 1e-5  # other noise

    def test_the_logit_is_that_of_the_paper(self):
        # Miyato and Koyama (2018), equation 3: ψ(φ(x)) + yᵀ V φ(x).
        discriminator = gans.build_projection_discriminator(SMALL, 3, (4, 6), 8)
        images, labels = digits(5), np.array([0, 2, 1, 2, 0])
        features = discriminator.get_layer("features")(images).numpy()
        (directions,) = next(
            layer.get_weights()
            for layer in discriminator.layers
            if isinstance(layer, layers.Embedding)
        )
        kernel, bias = next(
            layer.get_weights() for layer in discriminator.layers if isinstance(layer, layers.Dense)
        )
        truth = (
            features @ kernel + bias + np.sum(np.eye(3)[labels] @ directions * features, 1)[:, None]
        )
        np.testing.assert_allclose(discriminator([images, labels]), truth, atol=1e-5)

    def test_labels_of_all_classes_and_no_more_are_known(self):
        generator = gans.build_conditional_generator(4, 3, SMALL, widths=(6, 4))
        (table,) = next(
            layer.get_weights() for layer in generator.layers if isinstance(layer, layers.Embedding)
        )
        assert table.shape == (3, 4)


class TestConditionalGAN:
    def test_fit_moves_all_three_networks(self):
        gan = stepping(conditional_gan())
        players = (gan.generator, gan.discriminator, gan.averaged_generator)
        before = [player.get_weights() for player in players]
        gan.fit(digits(12), np.arange(12) % 3, batch_size=4, verbose=0)
        for player, weights in zip(players, before, strict=True):
            assert gans.weight_change(weights, player.get_weights()) > 0

    def test_drawings_have_the_labels_of_the_real_images(self):
        gan, seen = compiled(conditional_gan()), []
        gan.judge = lambda images, labels: (
            seen.append(labels) or gans.GAN.judge(gan, images, labels)
        )
        gan.train_step((ops.convert_to_tensor(digits(4)), ops.convert_to_tensor([2, 0, 1, 2])))
        assert [labels.numpy().tolist() for labels in seen] == [[2, 0, 1, 2]] * 2

    def test_reports_both_losses_of_a_discriminator_that_knows_nothing(self):
        gan = conditional_gan()
        gan.discriminator.set_weights([0 * w for w in gan.discriminator.get_weights()])
        gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
        history = gan.fit(digits(8), np.arange(8) % 3, batch_size=4, verbose=0).history
        assert history["discriminator_loss"] == pytest.approx([2 * np.log(2)])
        assert history["generator_loss"] == pytest.approx([np.log(2)])

    def test_learns_which_image_belongs_to_which_label(self):
        keras.utils.set_random_seed(0)
        images = np.zeros((2, *SMALL), "float32")
        images[0, :, :4] = images[1, :, 4:] = 1
        labels = np.arange(1600) % 2
        gan = compiled(
            gans.ConditionalGAN(
                gans.build_conditional_generator(4, 2, SMALL, (8, 4)),
                gans.build_projection_discriminator(SMALL, 2, (4, 8), 8),
            ),
            1e-2,
            1e-2,
        )
        gan.fit(images[labels], labels, batch_size=16, epochs=2, verbose=0)
        noise = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
        drawings = np.asarray(gan([noise, labels[:40]]))
        right = np.mean(np.abs(drawings - images[labels[:40]]))
        wrong = np.mean(np.abs(drawings - images[1 - labels[:40]]))
        assert right < 0.25 < 0.75 < wrong

    def test_players_of_different_sizes(self):
        with pytest.raises(ValueError, match=r"\(8, 8, 1\).*\(16, 16, 1\)"):
            gans.ConditionalGAN(
                gans.build_conditional_generator(4, 3, SMALL, widths=(6, 4)),
                gans.build_projection_discriminator((16, 16, 1), 3),
            )

    def test_full_size_takes_a_step(self):
        gan = stepping(gans.build_conditional_gan(128, widths=(256, 128), hidden=256))
        images = np.zeros((2, 28, 28, 1), "float32")
        history = gan.fit(images, np.array([3, 7]), batch_size=2, verbose=0).history
        assert np.isfinite(history["generator_loss"]).all()


def flat(images):
    return ops.reshape(images, (ops.shape(images)[0], -1))


class TestGradientPenalty:
    @pytest.mark.parametrize("length", [0.0, 0.5, 1.0, 3.0])
    def test_of_a_linear_critic(self, length):
        slope = np.random.default_rng(0).normal(size=(64, 1)).astype("float32")
        slope *= length / np.linalg.norm(slope)
        penalty = gans.gradient_penalty(
            lambda x: ops.matmul(flat(x), slope), digits(5), digits(5, seed=1)
        )
        assert penalty.shape == ()
        assert float(penalty) == pytest.approx((length - 1) ** 2, abs=1e-4)

    def test_points_lie_uniformly_on_the_lines_between_the_pairs(self):
        seen = []
        real = np.full((2000, 2, 3, 1), 5.0, "float32")
        fake = np.tile(np.arange(6, dtype="float32").reshape(1, 2, 3, 1) - 8, (2000, 1, 1, 1))

        def critic(points):
            seen.append(points.numpy())
            return ops.sum(flat(points), axis=1, keepdims=True)

        keras.utils.set_random_seed(0)
        gans.gradient_penalty(critic, real, fake)
        (points,) = seen
        shares = ((points - fake) / (real - fake)).reshape(2000, 6)
        np.testing.assert_allclose(shares, shares[:, :1] * np.ones(6), atol=1e-5)
        assert stats.kstest(shares[:, 0], "uniform").pvalue > 0.001
        assert shares.min() >= -1e-6
        assert shares.max() <= 1 + 1e-6

    def test_each_image_has_a_norm_of_its_own(self):
        # The critic ½‖x‖² has the slope x; real and generated images are equal, so x̂ is known.
        images = digits(6)
        norms = np.linalg.norm(images.reshape(6, -1), axis=1)
        penalty = gans.gradient_penalty(
            lambda x: ops.sum(flat(x) ** 2, axis=1, keepdims=True) / 2, images, images
        )
        assert float(penalty) == pytest.approx(np.mean((norms - 1) ** 2), rel=1e-4)

    def test_its_gradient_agrees_with_finite_differences(self):
        critic = keras.Sequential(
            [keras.Input((3,)), layers.Dense(5, activation="tanh"), layers.Dense(1)]
        )
        images = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
        kernel = critic.trainable_variables[0]
        with tf.GradientTape() as tape:
            penalty = gans.gradient_penalty(critic, images, images)
        found, start, step = tape.gradient(penalty, kernel).numpy(), kernel.numpy(), 1e-2
        for place in np.ndindex(3, 5):
            values = []
            for sign in (1, -1):
                moved = start.copy()
                moved[place] += sign * step
                kernel.assign(moved)
                values.append(float(gans.gradient_penalty(critic, images, images)))
            slope = (values[0] - values[1]) / (2 * step)
            assert found[place] == pytest.approx(slope, abs=3e-3)
        kernel.assign(start)

    def test_a_flat_critic_costs_one_and_has_a_finite_gradient(self):
        critic = gans.build_discriminator(SMALL, (4,), 8)
        critic.layers[-1].set_weights([np.zeros((8, 1)), np.zeros(1)])
        with tf.GradientTape() as tape:
            penalty = gans.gradient_penalty(critic, digits(4), digits(4, seed=1))
        assert float(penalty) == pytest.approx(1, abs=1e-4)
        for gradient in tape.gradient(penalty, critic.trainable_variables):
            assert gradient is None or np.isfinite(gradient).all()

    def test_images_that_are_no_pairs(self):
        # One drawing would be stretched over all real images, and nothing would say so.
        for fake in (digits(1), np.zeros((4, 8, 8, 3), "float32"), np.zeros((4, 64), "float32")):
            with pytest.raises(ValueError, match=r"real has shape \(4, 8, 8, 1\) and fake"):
                gans.gradient_penalty(lambda x: ops.sum(flat(x), axis=1), digits(4), fake)

    def test_a_seed_generator_repeats(self):
        def once():
            generator = keras.random.SeedGenerator(3)
            return float(
                gans.gradient_penalty(
                    lambda x: ops.sum(flat(x) ** 2, axis=1, keepdims=True),
                    digits(4),
                    digits(4, seed=1),
                    generator,
                )
            )

        assert once() == once()


def wasserstein_gan(**options):
    return gans.WassersteinGAN(
        gans.build_generator(4, SMALL, widths=(6, 4)),
        gans.build_discriminator(SMALL, widths=(4, 6), hidden=8),
        **options,
    )


def standing_heap(place):
    """A generator of points that are normal around (place, 0), with a deviation of one half."""
    generator = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
    generator.set_weights([np.eye(2) / 2, np.array([place, 0.0])])
    return generator


def heap_around_two(count=2000):
    return np.random.default_rng(0).normal((2, 0), 0.5, (count, 2)).astype("float32")


class TestWassersteinGAN:
    @pytest.mark.parametrize("options", [{"critic_steps": 2}, {"penalty_weight": 0, "clip": 0.1}])
    def test_fit_moves_all_three_networks(self, options):
        gan = stepping(wasserstein_gan(**options))
        players = (gan.generator, gan.discriminator, gan.averaged_generator)
        before = [player.get_weights() for player in players]
        gan.fit(digits(12), batch_size=4, verbose=0)
        for player, weights in zip(players, before, strict=True):
            assert gans.weight_change(weights, player.get_weights()) > 0

    def test_the_critic_moves_so_many_times_for_one_move_of_the_generator(self):
        gan = stepping(wasserstein_gan(critic_steps=3))
        gan.fit(digits(8), batch_size=4, verbose=0)
        assert int(gan.discriminator_optimizer.iterations) == 6
        assert int(gan.generator_optimizer.iterations) == 2

    def test_a_step_is_one_gradient_step_for_each_player(self):
        # Linear players: the distance is v (mean x − mean w z), the penalty (|v| − 1)².
        generator = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False)])
        critic = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False)])
        generator.set_weights([np.array([[0.5]])])
        critic.set_weights([np.array([[2.0]])])
        gan = gans.WassersteinGAN(generator, critic, critic_steps=1, penalty_weight=3.0)
        noise, real = np.array([[0.3], [-1.0]], "float32"), np.array([[1.0], [-0.4]], "float32")
        gan.noise = lambda count: ops.convert_to_tensor(noise)
        gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
        history = gan.fit(real, batch_size=2, verbose=0).history
        gap = real.mean() - 0.5 * noise.mean()
        moved = 2.0 - 0.1 * (3.0 * 2 * (2.0 - 1) - gap)
        assert history["distance"] == pytest.approx([2.0 * gap], rel=1e-5)
        assert history["penalty"] == pytest.approx([1.0], rel=1e-5)
        assert critic.get_weights()[0].item() == pytest.approx(moved, rel=1e-5)
        expected = 0.5 + 0.1 * moved * noise.mean()
        assert generator.get_weights()[0].item() == pytest.approx(expected, rel=1e-5)

    def test_clipping_holds_every_weight_of_the_critic(self):
        gan = stepping(wasserstein_gan(penalty_weight=0, clip=0.02), 1e-2, 1e-1)
        gan.fit(digits(8), batch_size=4, verbose=0)
        sizes = [np.abs(weight).max() for weight in gan.discriminator.get_weights()]
        assert max(sizes) == pytest.approx(0.02)
        assert max(np.abs(weight).max() for weight in gan.generator.get_weights()) > 0.02

    def test_the_critic_finds_the_distance_of_two_heaps(self):
        # A heap moved by W is at Wasserstein distance W. The penalty is soft: λ(s − 1)² − sW is
        # least at the slope s = 1 + W / 2λ, so the critic reports W(1 + W / 2λ).
        keras.utils.set_random_seed(0)
        critic = gans.build_dense_discriminator((2,), (32, 32))
        gan = gans.WassersteinGAN(standing_heap(-1.0), critic, critic_steps=1)
        gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(5e-3))
        history = gan.fit(heap_around_two(), batch_size=100, epochs=15, verbose=0).history
        assert history["distance"][-1] == pytest.approx(3 * (1 + 3 / 20), abs=0.15)

    def test_the_generator_walks_to_the_data(self):
        keras.utils.set_random_seed(0)
        critic = gans.build_dense_discriminator((2,), (32, 32))
        # Three steps of the critic for one: with a single one the generator circles the data.
        # Eight seeds end within 0.2 of it.
        gan = gans.WassersteinGAN(standing_heap(-2.0), critic, critic_steps=3)
        gan.compile(*gans.adam_pair(1e-2, 2e-2, beta_1=0.0, beta_2=0.9))
        gan.fit(heap_around_two(), batch_size=50, epochs=20, verbose=0)
        drawn = np.asarray(gan(np.random.default_rng(1).normal(size=(500, 2)).astype("float32")))
        np.testing.assert_allclose(drawn.mean(axis=0), [2, 0], atol=0.5)

    def test_bad_number_of_steps(self):
        with pytest.raises(ValueError, match="critic_steps"):
            wasserstein_gan(critic_steps=0)

    @pytest.mark.parametrize(
        "options", [{"penalty_weight": -1}, {"penalty_weight": np.nan}, {"clip": 0}, {"clip": -0.1}]
    )
    def test_a_limit_that_is_none(self, options):
        (name,) = options
        with pytest.raises(ValueError, match=f"{name} is"):
            wasserstein_gan(**options)

    def test_full_size_takes_a_step(self):
        gan = stepping(
            gans.build_wasserstein_gan(128, widths=(256, 128), hidden=256, critic_steps=5)
        )
        history = gan.fit(np.zeros((2, 28, 28, 1), "float32"), batch_size=2, verbose=0).history
        assert np.isfinite(history["distance"]).all()


def test_the_pair_of_optimisers_has_the_rates_and_memories_asked_for():
    pair = gans.adam_pair(1e-3, 2e-3, beta_1=0.0, beta_2=0.9)
    assert [float(adam.learning_rate) for adam in pair] == pytest.approx([1e-3, 2e-3])
    assert [(adam.beta_1, adam.beta_2) for adam in pair] == [(0.0, 0.9)] * 2


class TestJudge:
    @pytest.fixture
    def judged(self):
        reader = gans.build_reader(gans.build_classifier(SMALL, 3, widths=(4,), features=6))
        return reader, digits(40), digits(30, seed=1), digits(50, seed=2)

    def test_its_scores_are_those_of_the_parts(self, judged):
        reader, images, real, train = judged
        labels = np.arange(40) % 3
        features, probabilities = (x.numpy() for x in reader(images, training=False))
        read = probabilities.argmax(axis=1)
        scores = gans.Judge(reader, real, train)(images, labels)
        real_features = reader(real, training=False)[0].numpy()
        truth = {
            "Fréchet": metrics.frechet_distance(real_features, features),
            "Inception": metrics.inception_score(probabilities, splits=1)[0],
            "read as asked": np.mean(read == labels),
            "nearest": np.mean(metrics.nearest_distances(images, train)),
            "spread": metrics.class_spread(images, read),
        }
        assert scores == pytest.approx(truth, rel=1e-4, abs=1e-6)

    def test_real_images_and_copies(self, judged):
        reader, _, real, train = judged
        judge = gans.Judge(reader, real, train)
        assert judge(real)["Fréchet"] == pytest.approx(0, abs=1e-6)
        assert judge(train)["nearest"] == pytest.approx(0, abs=1e-5)
        assert np.isnan(judge(real)["read as asked"])

    def test_another_scorer_scores_and_the_reader_reads(self, judged):
        reader, images, real, train = judged
        scorer = gans.build_reader(gans.build_classifier(SMALL, 5, widths=(4,), features=4))
        judge, other = gans.Judge(reader, real, train, scorer), gans.Judge(scorer, real, train)
        labels = reader(images, training=False)[1].numpy().argmax(axis=1)
        scores = judge(images, labels)
        assert judge.features(images).shape == (40, 4)
        assert scores["read as asked"] == 1
        assert scores["Fréchet"] == pytest.approx(other(images)["Fréchet"])
        assert scores["Inception"] == pytest.approx(other(images)["Inception"])

    @pytest.mark.parametrize("labels", [np.zeros((40, 1)), np.eye(40), np.zeros(39), 3])
    def test_not_one_label_an_image(self, judged, labels):
        reader, images, real, train = judged
        with pytest.raises(ValueError, match="labels has shape"):
            gans.Judge(reader, real, train)(images, labels)


@pytest.fixture(scope="module")
def inception():
    return gans.build_inception_reader((8, 8, 1), weights=None)


class TestInceptionReader:
    def test_images_of_four_channels(self):
        with pytest.raises(ValueError, match="1 or 3 channels"):
            gans.build_inception_reader((8, 8, 4), weights=None)

    def test_features_and_probabilities(self, inception):
        features, probabilities = inception(digits(2))
        assert features.shape == (2, 2048)
        assert probabilities.shape == (2, 1000)
        np.testing.assert_allclose(np.sum(probabilities, axis=1), 1, atol=1e-4)

    def test_images_are_scaled_as_keras_scales_them_for_this_network(self, inception):
        images = digits(1)
        enlarged = np.repeat(np.asarray(layers.Resizing(299, 299)(images)), 3, axis=-1)
        theirs = keras.applications.inception_v3.preprocess_input(255 * enlarged)
        network = inception.layers[-1]
        for ours, truth in zip(inception(images), network(theirs), strict=True):
            np.testing.assert_allclose(ours, truth, rtol=1e-3, atol=1e-5)


def test_the_classic_recipe_freezes_the_discriminator_and_train_step_does_not():
    # The defect that the lesson shows is one of Keras 3; this notices if it goes away.
    generator = gans.build_generator(4, SMALL, widths=(6, 4))
    discriminator = gans.build_discriminator(SMALL, widths=(4, 6), hidden=8)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    discriminator.compile("adam", loss)
    discriminator.trainable = False
    stack = keras.Sequential([generator, discriminator])
    stack.compile("adam", loss)
    before = discriminator.get_weights()
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        discriminator.train_on_batch(digits(4), np.ones((4, 1)))
    stack.train_on_batch(np.ones((4, 4)), np.ones((4, 1)))
    assert gans.weight_change(before, discriminator.get_weights()) == 0


class TestSnapshots:
    def test_keeps_one_entry_before_and_one_after_every_epoch(self):
        gan, noise, held_out = compiled(small_gan()), np.ones((2, 4), "float32"), digits(5, seed=1)
        shots = gans.Snapshots(noise, {"held out": held_out})
        start = gan.predict(noise, verbose=0)
        gan.fit(digits(8), batch_size=4, epochs=2, verbose=0, callbacks=[shots])
        gan.fit(digits(8), batch_size=4, epochs=1, verbose=0, callbacks=[shots])
        assert len(shots.samples) == len(shots.scores["held out"]) == 4
        np.testing.assert_allclose(shots.samples[0], start, atol=1e-6)
        np.testing.assert_allclose(shots.samples[-1], gan.predict(noise, verbose=0), atol=1e-6)
        last = float(ops.mean(gan.discriminator(held_out)))
        assert shots.scores["held out"][-1] == pytest.approx(last, abs=1e-5)


class TestClassifier:
    def test_learns_and_is_read(self):
        keras.utils.set_random_seed(0)
        labels = np.arange(200) % 2
        images = digits(200) * 0.2
        images[labels == 1, :, :4] += 0.7
        classifier = gans.build_classifier(SMALL, 2, widths=(4, 8), features=6)
        gans.train_classifier(classifier, images, labels, epochs=5, batch_size=20)
        features, probabilities = gans.build_reader(classifier).predict(images, verbose=0)
        assert features.shape == (200, 6)
        assert np.mean(probabilities.argmax(axis=1) == labels) > 0.95
        np.testing.assert_allclose(
            probabilities, special.softmax(classifier.predict(images, verbose=0), axis=1), atol=1e-5
        )

    def test_last_layer_sees_exactly_the_features(self):
        classifier = gans.build_classifier(SMALL, 3, widths=(4,), features=6)
        features, probabilities = gans.build_reader(classifier)(digits(5))
        kernel, bias = classifier.layers[-1].get_weights()
        truth = special.softmax(features.numpy() @ kernel + bias, axis=1)
        np.testing.assert_allclose(probabilities, truth, atol=1e-5)


class TestMeasures:
    def test_weight_change_is_a_length(self):
        before = [np.zeros((2, 2)), np.zeros(1)]
        assert gans.weight_change(before, [np.full((2, 2), 1.0), np.array([-np.sqrt(5)])]) == 3
        assert gans.weight_change(before, before) == 0

    def test_weight_change_of_different_models(self):
        with pytest.raises(ValueError, match="before has 1 weights and after 2"):
            gans.weight_change([np.zeros(1)], [np.zeros(1), np.zeros(1)])
        # These two would broadcast.
        with pytest.raises(ValueError, match=r"before\[0\] has shape \(3,\) and after\[0\]"):
            gans.weight_change([np.zeros(3)], [np.ones((3, 1))])

    def test_gradient_norm_agrees_with_finite_differences(self):
        generator = keras.Sequential([keras.Input((2,)), layers.Dense(1, use_bias=False)])
        discriminator = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
        noise = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
        start, step, slopes = generator.get_weights()[0], 1e-2, []
        for i in range(2):
            values = []
            for sign in (1, -1):
                moved = start.copy()
                moved[i] += sign * step
                generator.set_weights([moved])
                values.append(float(gans.generator_loss(discriminator(generator(noise)))))
            slopes.append((values[0] - values[1]) / (2 * step))
        generator.set_weights([start])
        found = gans.gradient_norm(gans.generator_loss, generator, discriminator, noise)
        assert found == pytest.approx(np.hypot(*slopes), rel=1e-2)

"""judge each weight by itself"""


def stood_still(model, step):
    before = model.get_weights()
    step()
    changed = any(
        not np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True)
    )
    return [] if changed else [weight.path for weight in model.weights]

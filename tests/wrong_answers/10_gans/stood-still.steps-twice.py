"""call step exactly once"""


def stood_still(model, step):
    step()
    before = [weight.numpy().copy() for weight in model.weights]
    step()
    return [
        weight.path
        for weight, old in zip(model.weights, before, strict=True)
        if np.array_equal(weight.numpy(), old)
    ]

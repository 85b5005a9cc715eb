"""list weight.path, not weight.name"""


def stood_still(model, step):
    before = [weight.numpy().copy() for weight in model.weights]
    step()
    return [
        weight.name
        for weight, old in zip(model.weights, before, strict=True)
        if np.array_equal(weight.numpy(), old)
    ]

"""copy values, not the variables"""


def stood_still(model, step):
    before = list(model.weights)
    step()
    return [
        weight.path
        for weight, old in zip(model.weights, before, strict=True)
        if np.array_equal(weight.numpy(), old.numpy())
    ]

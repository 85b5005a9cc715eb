"""compare exactly, without a tolerance"""


def stood_still(model, step):
    before = [weight.numpy().copy() for weight in model.weights]
    step()
    return [
        weight.path
        for weight, old in zip(model.weights, before, strict=True)
        if np.allclose(weight.numpy(), old)
    ]

"""leave the weights where the step has put them"""


def stood_still(model, step):
    before = model.get_weights()
    step()
    after = model.get_weights()
    model.set_weights(before)
    return [
        weight.path
        for weight, old, new in zip(model.weights, before, after, strict=True)
        if np.array_equal(new, old)
    ]

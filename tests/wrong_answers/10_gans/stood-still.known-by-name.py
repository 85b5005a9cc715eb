"""list all paths, in order"""


def stood_still(model, step):
    before = {weight.name: weight.numpy().copy() for weight in model.weights}
    step()
    return [
        weight.path
        for weight in model.weights
        if np.array_equal(weight.numpy(), before[weight.name])
    ]

"""say so in a ValueError"""


def learn_only(model, prefixes):
    model.trainable = True
    found = False
    for layer in model.layers:
        chosen = layer.name.startswith(tuple(prefixes))
        found = found or chosen
        layer.trainable = chosen and not isinstance(layer, keras.layers.BatchNormalization)
    if not found:
        raise ValueError(f"no layer begins with one of {prefixes}")

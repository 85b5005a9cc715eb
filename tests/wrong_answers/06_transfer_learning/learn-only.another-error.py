"""say so in a ValueError"""


def learn_only(model, prefixes):
    for prefix in prefixes:
        if not any(layer.name.startswith(prefix) for layer in model.layers):
            raise KeyError(prefix)
    model.trainable = True
    for layer in model.layers:
        chosen = layer.name.startswith(tuple(prefixes))
        layer.trainable = chosen and not isinstance(layer, keras.layers.BatchNormalization)

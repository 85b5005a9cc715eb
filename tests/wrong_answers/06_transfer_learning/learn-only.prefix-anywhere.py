"""say so in a ValueError"""


def learn_only(model, prefixes):
    for prefix in prefixes:
        if not any(prefix in layer.name for layer in model.layers):
            raise ValueError(f"no layer begins with {prefix!r}")
    model.trainable = True
    for layer in model.layers:
        chosen = any(prefix in layer.name for prefix in prefixes)
        layer.trainable = chosen and not isinstance(layer, keras.layers.BatchNormalization)

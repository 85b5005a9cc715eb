"""say so in a ValueError"""


def learn_only(model, prefixes):
    model.trainable = True
    for layer in model.layers:
        chosen = any(layer.name.startswith(prefix) for prefix in prefixes)
        layer.trainable = chosen and not isinstance(layer, keras.layers.BatchNormalization)

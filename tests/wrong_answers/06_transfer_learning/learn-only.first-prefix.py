"""each of the prefixes counts"""


def learn_only(model, prefixes):
    for prefix in prefixes:
        if not any(layer.name.startswith(prefix) for layer in model.layers):
            raise ValueError(f"no layer begins with {prefix!r}")
    model.trainable = True
    for layer in model.layers:
        chosen = layer.name.startswith(prefixes[0])
        layer.trainable = chosen and not isinstance(layer, keras.layers.BatchNormalization)

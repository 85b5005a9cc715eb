"""layers that no prefix names stay frozen"""


def learn_only(model, prefixes):
    for prefix in prefixes:
        if not any(layer.name.startswith(prefix) for layer in model.layers):
            raise ValueError(f"no layer begins with {prefix!r}")
    model.trainable = True
    for layer in model.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)

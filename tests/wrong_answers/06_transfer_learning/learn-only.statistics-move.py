"""the statistics moved"""


def learn_only(model, prefixes):
    for prefix in prefixes:
        if not any(layer.name.startswith(prefix) for layer in model.layers):
            raise ValueError(f"no layer begins with {prefix!r}")
    model.trainable = True
    for layer in model.layers:
        chosen = any(layer.name.startswith(prefix) for prefix in prefixes)
        layer.trainable = chosen or isinstance(layer, keras.layers.BatchNormalization)
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.trainable = layer.beta.trainable = False

"""what an earlier call unfroze must be frozen again"""


def learn_only(model, prefixes):
    for prefix in prefixes:
        if not any(layer.name.startswith(prefix) for layer in model.layers):
            raise ValueError(f"no layer begins with {prefix!r}")
    if not model.trainable:
        model.trainable = True
        for layer in model.layers:
            layer.trainable = False
    for layer in model.layers:
        chosen = any(layer.name.startswith(prefix) for prefix in prefixes)
        if chosen and not isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = True

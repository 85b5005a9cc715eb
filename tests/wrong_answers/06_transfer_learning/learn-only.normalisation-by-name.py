"""ask for its type"""


def learn_only(model, prefixes):
    for prefix in prefixes:
        if not any(layer.name.startswith(prefix) for layer in model.layers):
            raise ValueError(f"no layer begins with {prefix!r}")
    model.trainable = True
    for layer in model.layers:
        chosen = any(layer.name.startswith(prefix) for prefix in prefixes)
        layer.trainable = chosen and not layer.name.endswith(("bn", "norm"))

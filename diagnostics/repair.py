ACTIONS: dict[str, object] = {}

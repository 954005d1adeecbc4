"""Use cases: one function each, over the ports of `core.service.ports`."""

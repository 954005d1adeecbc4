"""The other side on loopback, over real HTTP: mall, trading and finance for the embedded mode and for tests."""

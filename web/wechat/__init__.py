"""The WeChat channel: signed and encrypted deliveries in, answers out, each message acted on once."""

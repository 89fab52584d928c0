"""What the Slipway services share: events, topology, bus, stage runtime, history, health."""

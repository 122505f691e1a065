"""What a side says of its network, and how it trains it: the parts of `parity.interface.side.Side`."""

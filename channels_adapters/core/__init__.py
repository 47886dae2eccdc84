"""What every adapter shares: the contract, the registry, HTTP, SMS text and signatures."""

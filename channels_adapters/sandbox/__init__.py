"""Stand-in gateways that speak the providers' wire formats, for training, tests and measurements.

A process of its own, ``python -m channels_adapters.sandbox``; it shares no code with the adapters, so that both
sides are held to the provider's documentation and not to each other. Nothing leaves the machine: the only
requests it makes are callbacks to the URLs it was given.

    http       a small HTTP/1.1 server that can also misbehave on purpose
    store      what was accepted: a durable journal, and the newest messages in memory
    faults     which requests and receipts go wrong
    callbacks  receipts and citizens' answers on their way to the engine, now or later, with retries
    gateway    what a provider's module must do; `gateways/` has one module per provider
    control    the HTTP interface of tests and of the wall
    wall       the page that shows citizens' phones
"""

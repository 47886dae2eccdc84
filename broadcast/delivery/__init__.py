"""The line: fanout -> dispatch -> receipts; sweeper, progress, limits.

The database is the queue. A *batch* (512 deliveries) is leased by a worker; the lease is renewed while the worker
lives and swept when it does not. Everything here may run twice at once without harm.
"""

"""Benchmarks and the fault drill: `./loa bench NAME`, `./loa chaos`.

Each starts what it needs in a state folder of its own, runs the reference and the engine by turns on this machine, and
says what a message cost. Rates depend on the machine and its other work; ratios and CPU per message hardly do.
"""

"""Training: one command for every method; a recipe says how, this package does the rest.

`batches` turns datasets into crops that depend on (seed, step) alone, `loop` repeats a recipe's
update with a log, checkpoints and exact resuming, `run` puts both together for the command line.
"""

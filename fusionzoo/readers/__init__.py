"""Readers: segmenters that judge fused pictures by what they can still recognise in them.

A reader is any method of task "segment" (built in, a plug-in, or one file of your own): it maps
pictures (B, 3, H, W) in [0, 1] to logits and names its class table. `judge` measures fused pictures
with one fixed reader; `retrain` trains the same reader anew for each method, as most papers do.
"""

"""The catalogue of methods: `names()` lists, `find(name)` returns one; the folder is the list."""

from functools import partial

from fusionzoo import catalog

names = partial(catalog.names, __name__)
find = partial(catalog.find, __name__)
usable = partial(catalog.usable, __name__)
summary = partial(catalog.summary, __name__)

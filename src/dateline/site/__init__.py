"""Pages of a release: what is read from its tables becomes plain values, and templates make a static site of them.

`read` reads, one module per kind of page (`overview`, `article`, ...) turns rows into `Page`s, `kinds` lists these modules,
`rendering` writes pages. Nothing here chooses a dataset or puts a folder in place: that is `dateline.siting`.
"""

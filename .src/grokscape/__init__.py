"""Grokscape: a testbed for theories of grokking.

`grokscape.landscape` is what is trained and measured, `grokscape.predictions` what is claimed and whether it holds, and
`grokscape.reports` what people see.
"""

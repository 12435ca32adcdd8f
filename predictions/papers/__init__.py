"""The papers whose claims are checked, one folder each.

A folder bears the key of its source. Its ``__init__`` is the page to read first: what the paper says, how it was set
up, what is checked here and what is not, and what is done otherwise. ``setup`` (or ``*_setup``) holds what several
topics have in common; every other module is a topic, which defines claims and is imported by nobody, except by a file
that replicates them on another learner. Papers import from the faces, `grokscape.landscape` and
`grokscape.predictions`, and from earlier papers. ``verdicts.json``, where there is one, holds the published verdicts on
its claims; ``grokscape check --publish`` writes it, and nobody edits it.
"""

"""The papers: a folder for each source, named by its key."""
